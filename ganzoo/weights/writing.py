"""Writes files that PyTorch loads, without PyTorch."""

import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ganzoo import files

# The instructions that name what PyTorch makes a tensor of.
_STORAGE = b"ctorch\nFloatStorage\n"
_REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
_HOOKS = b"ccollections\nOrderedDict\n" + pickle.EMPTY_TUPLE + pickle.REDUCE


def write_pytorch(arrays: Mapping[str, np.ndarray], path: Path, under: str | None = None) -> None:
    """Writes a state dict that `torch.load` reads, also with `weights_only=True`.

    Args:
        arrays: float32, by the names of the state dict.
        path: the file, .pth or .pt.
        under: the key of a dictionary around the state dict; None for none.
    """
    arrays = {name: np.asarray(array, np.float32, order="C") for name, array in arrays.items()}
    tensors = {name: _tensor(n, array) for n, (name, array) in enumerate(arrays.items())}
    found = tensors if under is None else {under: tensors}
    program = pickle.PROTO + b"\x02" + _encoded(found) + pickle.STOP

    def write(target: Path) -> None:
        with zipfile.ZipFile(target, "w") as archive:  # stored, as PyTorch expects
            archive.writestr("archive/data.pkl", program)
            archive.writestr("archive/byteorder", "little")
            for index, array in enumerate(arrays.values()):
                archive.writestr(f"archive/data/{index}", array.astype("<f4").tobytes())
            archive.writestr("archive/version", "3\n")

    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, write)


def _tensor(number: int, array: np.ndarray) -> bytes:
    """The instructions that make a tensor of the storage with this number."""
    strides = tuple(stride // array.itemsize for stride in array.strides)
    storage = _encoded(("storage", _STORAGE, str(number), "cpu", array.size)) + pickle.BINPERSID
    arguments = (storage, 0, array.shape, strides, pickle.NEWFALSE, _HOOKS)
    return _REBUILD + _encoded(arguments) + pickle.REDUCE


def _encoded(value) -> bytes:
    """The instructions of a pickle that make a value; bytes are instructions already. Python's own
    pickle cannot be used, since the classes that are named are not here."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        data = value.encode()
        return pickle.BINUNICODE + struct.pack("<I", len(data)) + data
    if isinstance(value, int):
        return pickle.BININT + struct.pack("<i", value)
    if isinstance(value, tuple):
        return pickle.MARK + b"".join(map(_encoded, value)) + pickle.TUPLE
    items = (_encoded(part) for item in value.items() for part in item)
    return pickle.EMPTY_DICT + pickle.MARK + b"".join(items) + pickle.SETITEMS
