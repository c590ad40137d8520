"""One reader for all files of weights, whatever their name."""

import lzma
import math
import mmap
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from ganzoo import files
from ganzoo.weights import archives, pytorch
from ganzoo.weights.pickles import RefusedFile

_LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
# What readers say of damaged files.
_DAMAGE = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, ArithmeticError, AttributeError),
    *(RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, SafetensorError),
)


def read(path: str | Path, attributes: Collection[str] = ()) -> dict[str, np.ndarray]:
    """The arrays in a file, by their dotted names.

    Reads `.pth` and `.pt` of PyTorch, NVIDIA's network `.pkl`, `.safetensors`, `.npz`, and HDF5 as
    Keras writes it (`.h5`, `.weights.h5`, and the weights in a `.keras` archive). The kind is
    inferred from the content. Nothing in a file is imported, called or evaluated, and the memory
    needed is bounded by the size of the file. Arrays of pickles cannot be written to, and may share
    memory.

    Args:
        path: the file.
        attributes: names of single numbers that the layers in a network `.pkl` have beside their
            arrays; they are read as arrays without axes.

    Raises:
        RefusedFile: when the file is missing, damaged, without arrays, or holds anything but data.
    """
    path = files.expanded(path)
    try:
        arrays = _reader(path, attributes)(path)
        if not arrays:
            raise RefusedFile(
                "it holds no arrays. Of a network, torch.save(network.state_dict(), PATH) writes"
                " them, and Keras' save_weights"
            )
        return arrays
    except RefusedFile as error:
        raise RefusedFile(f"{path} was not read: {error}") from error
    except _DAMAGE as error:
        raise RefusedFile(f"{path} cannot be read as weights ({error})") from error


def _reader(path: Path, attributes: Collection[str]):
    with path.open("rb") as file:
        start = file.read(64)
    if start[8:9] == b"{":  # after the length of the header, which may be any bytes
        return _read_safetensors
    if start.startswith(b"PK"):
        return _read_archive
    if start.startswith(b"\x89HDF"):
        return _read_hdf5
    if start.startswith(_LEGACY):
        return lambda path: _of_stream(path, pytorch.read_legacy)
    if start.startswith(b"\x80"):
        return lambda path: _of_stream(path, pytorch.read_networks, attributes)
    is_page = start.lstrip().lower().startswith((b"<!doctype", b"<html"))
    hint = "; it is a web page" if is_page else ""
    raise RefusedFile(f"no known kind of file, it begins with {start[:8]!r}{hint}")


def _of_stream(path: Path, load, attributes: Collection[str] = ()) -> dict[str, np.ndarray]:
    # Unlike a file, a map reserves no memory for bytes that are said to follow and do not.
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return pytorch.state_dict(load(mapped), attributes)


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    return {
        name: array.astype(np.float32) if array.dtype == ml_dtypes.bfloat16 else array
        for name, array in load_file(path).items()
    }


def _read_archive(path: Path) -> dict[str, np.ndarray]:
    with archives.opened(path) as archive:
        names = archive.namelist()
        if "model.weights.h5" in names:
            with archive.open("model.weights.h5") as file, h5py.File(file) as opened:
                return _datasets(opened, archive.getinfo("model.weights.h5").file_size)
        if not names or any(name.endswith(".npy") for name in names):
            return {n.removesuffix(".npy"): _array(archive, n) for n in names}
    return pytorch.state_dict(pytorch.read_zip(path))


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """A member of an .npz, of which NumPy would believe any shape."""
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            header = np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
    size = archive.getinfo(name).file_size
    archives.check_size("an array", math.prod(shape) * dtype.itemsize, size)
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _read_hdf5(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return _datasets(file, path.stat().st_size)


def _datasets(file: h5py.File, size: int) -> dict[str, np.ndarray]:
    """Arrays of numbers, if they lie in the file itself."""
    found = {}

    def visit(name, item):
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "biuf":
            if item.external or item.is_virtual:
                raise RefusedFile(f"the array {name} lies in another file")
            if item.chunks:  # and perhaps compressed, to any length
                raise RefusedFile(
                    f"the array {name} is chunked or compressed, which HDF5 would unpack without"
                    " a limit; write it in one piece, as Keras does"
                )
            found[name.replace("/", ".")] = item

    file.visititems(visit)
    archives.check_size("a file", sum(item.nbytes for item in found.values()), size)
    return {name: np.asarray(item) for name, item in found.items()}
