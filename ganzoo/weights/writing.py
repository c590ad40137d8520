"""Writes files that PyTorch loads, without PyTorch."""

import io
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ganzoo import files

_GLOBAL = "c{}\n{}\n"


def write_pytorch(arrays: Mapping[str, np.ndarray], path: Path, under: str | None = None) -> None:
    """Writes a state dict that `torch.load` reads, also with `weights_only=True`.

    Args:
        arrays: float32, by the names of the state dict.
        path: the file, .pth or .pt.
        under: the key of a dictionary around the state dict; None for none.
    """
    arrays = {name: np.asarray(array, np.float32, order="C") for name, array in arrays.items()}
    program = _pickled(arrays, under)

    def write(target: Path) -> None:
        with zipfile.ZipFile(target, "w") as archive:  # stored, as PyTorch expects
            archive.writestr("archive/data.pkl", program)
            archive.writestr("archive/byteorder", "little")
            for index, array in enumerate(arrays.values()):
                archive.writestr(f"archive/data/{index}", array.astype("<f4").tobytes())
            archive.writestr("archive/version", "3\n")

    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, write)


def _pickled(arrays: Mapping[str, np.ndarray], under: str | None) -> bytes:
    """The pickle of a dictionary of tensors whose storages lie beside it, instruction by
    instruction: the classes that it names are not here."""
    out = io.BytesIO()
    out.write(pickle.PROTO + b"\x02")
    if under is not None:
        out.write(pickle.EMPTY_DICT + _string(under))
    out.write(pickle.EMPTY_DICT + pickle.MARK)
    for index, (name, array) in enumerate(arrays.items()):
        strides = tuple(stride // array.itemsize for stride in array.strides)
        storage = (
            pickle.MARK
            + _string("storage")
            + _name("torch", "FloatStorage")
            + _string(str(index))
            + _string("cpu")
            + _integer(array.size)
            + pickle.TUPLE
            + pickle.BINPERSID
        )
        hooks = _name("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
        arguments = storage + _integer(0) + _integers(array.shape) + _integers(strides)
        arguments = pickle.MARK + arguments + pickle.NEWFALSE + hooks + pickle.TUPLE
        rebuild = _name("torch._utils", "_rebuild_tensor_v2")
        out.write(_string(name) + rebuild + arguments + pickle.REDUCE)
    out.write(pickle.SETITEMS)
    if under is not None:
        out.write(pickle.SETITEM)
    out.write(pickle.STOP)
    return out.getvalue()


def _string(text: str) -> bytes:
    data = text.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def _integer(value: int) -> bytes:
    return pickle.BININT + struct.pack("<i", value)


def _integers(values) -> bytes:
    return pickle.MARK + b"".join(map(_integer, values)) + pickle.TUPLE


def _name(module: str, name: str) -> bytes:
    return _GLOBAL.format(module, name).encode()
