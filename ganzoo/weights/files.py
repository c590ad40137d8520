"""One reader for all files of weights, whatever their name."""

from __future__ import annotations

import zipfile
from pathlib import Path

import h5py
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ganzoo.weights import pytorch
from ganzoo.weights.pickles import RefusedFile

_LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"


def read(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays in a file, by their dotted names.

    Reads `.pth` and `.pt` of PyTorch, NVIDIA's network `.pkl`, `.safetensors`, `.npz`, and HDF5 as
    Keras writes it (`.h5`, `.weights.h5`, and the weights in a `.keras` archive). The kind is told
    by the content. Nothing in a file is imported, called or evaluated.

    Raises:
        RefusedFile: when the file is missing, damaged, or holds anything but data.
    """
    path = Path(path).expanduser()
    try:
        return _reader(path)(path)
    except RefusedFile as error:
        raise RefusedFile(f"{path} was not read: {error}") from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, SafetensorError) as error:
        raise RefusedFile(f"{path} cannot be read as weights ({error})") from error


def _reader(path: Path):
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith(b"PK"):
        return _read_archive
    if start.startswith(b"\x89HDF"):
        return _read_hdf5
    if start.startswith(_LEGACY):
        return lambda path: _of_stream(path, pytorch.read_legacy)
    if start.startswith(b"\x80"):
        return lambda path: _of_stream(path, pytorch.read_networks)
    if path.suffix == ".safetensors" or start[8:9] == b"{":
        return load_file
    is_page = start.lstrip().lower().startswith((b"<!doctype", b"<html"))
    hint = "; it is a web page" if is_page else ""
    raise RefusedFile(f"no known kind of file, it begins with {start[:8]!r}{hint}")


def _of_stream(path: Path, load) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        return pytorch.state_dict(load(file))


def _read_archive(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "model.weights.h5" in names:
            with archive.open("model.weights.h5") as file, h5py.File(file) as opened:
                return _datasets(opened)
    if any(name.endswith(".npy") for name in names):
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    return pytorch.state_dict(pytorch.read_zip(path))


def _read_hdf5(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return _datasets(file)


def _datasets(file: h5py.File) -> dict[str, np.ndarray]:
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found[name.replace("/", ".")] = np.asarray(item)

    file.visititems(visit)
    return found
