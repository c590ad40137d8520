"""Files of PyTorch, read without it: `.pth` in both formats, and NVIDIA's pickles of networks."""

from __future__ import annotations

import dataclasses
import io
import math
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ganzoo.weights import pickles
from ganzoo.weights.pickles import Name, Record, RefusedFile, Vocabulary

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_NETWORK = "torch_utils.persistence._reconstruct_persistent_obj"
_CLASSES = (  # of which objects become records
    "numpy.ndarray",
    "dnnlib.tflib.network.Network",
    "models.utils.config.BaseConfig",
    "torch.nn.modules.",
)


@dataclasses.dataclass(eq=False)
class Storage:
    """The numbers behind one or several tensors.

    Attributes:
        dtype: a name of `DTYPES`.
        data: the numbers; None until they were read.
        count: how many there are.
    """

    dtype: str
    count: int
    data: np.ndarray | None = None

    def fill(self, raw: bytes) -> None:
        """Takes the numbers from bytes, which have to be all of them."""
        dtype = np.dtype(DTYPES[self.dtype])
        if len(raw) != self.count * dtype.itemsize:
            raise RefusedFile(f"a storage of {self.count} {dtype} has {len(raw)} bytes")
        self.data = np.frombuffer(raw, dtype)


@dataclasses.dataclass(eq=False)
class Tensor:
    """A view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """A copy of the numbers; bfloat16 becomes float32.

        Raises:
            RefusedFile: when the view reaches beyond its storage.
        """
        data = self.storage.data
        if data is None:
            raise RefusedFile("a tensor without numbers")
        sizes = (self.offset, *self.shape, *self.strides)
        if any(type(n) is not int or n < 0 for n in sizes) or len(self.shape) != len(self.strides):
            raise RefusedFile(f"a tensor of shape {self.shape} and strides {self.strides}")
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        # A stride of 0 would make a large array of a small file.
        if 0 not in self.shape and (last >= len(data) or math.prod(self.shape) > len(data)):
            raise RefusedFile(f"a tensor of shape {self.shape} in a storage of {len(data)} numbers")
        strides = [s * data.itemsize for s in self.strides]
        if 0 in self.shape:
            return np.zeros(self.shape, data.dtype)
        view = np.lib.stride_tricks.as_strided(data[self.offset :], self.shape, strides)
        if self.storage.dtype == "BFloat16Storage":
            return (view.astype(np.uint32) << 16).view(np.float32)
        return view.copy()


def read_zip(path: Path) -> Any:
    """The object in a `.pth` of PyTorch 1.6 or later, or TorchScript's tensors.

    Raises:
        RefusedFile: for a file that is damaged or holds more than data.
    """
    with zipfile.ZipFile(path) as archive:
        names = {info.filename: info for info in archive.infolist()}
        index = next((n for n in names if n.count("/") == 1 and n.endswith("/data.pkl")), None)
        if index is None:
            raise RefusedFile("an archive without data.pkl")
        root = index.removesuffix("data.pkl")
        if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
            raise RefusedFile("numbers in big-endian order")
        storages: dict[str, Storage] = {}

        def persistent(key) -> Storage:
            storage, name = _declared(key)
            if name not in storages:
                member = names.get(f"{root}data/{name}")
                if member is None or member.compress_type != zipfile.ZIP_STORED:
                    raise RefusedFile(f"an archive whose storage {name!r} is missing or compressed")
                storage.fill(archive.read(member))
                storages[name] = storage
            return storages[name]

        return pickles.load(io.BytesIO(_member(archive, names[index])), _vocabulary(persistent))


def read_legacy(file: BinaryIO) -> Any:
    """The object in a `.pth` of earlier versions, or in bytes that another pickle holds.

    Raises:
        RefusedFile: for a file that is damaged or holds more than data.
    """
    plain = Vocabulary({})
    if pickles.load(file, plain) != LEGACY_MAGIC:
        raise RefusedFile("neither of PyTorch's formats")
    pickles.load(file, plain)  # the version of the protocol
    facts = pickles.load(file, plain)
    if not isinstance(facts, dict) or facts.get("little_endian") is not True:
        raise RefusedFile("numbers in big-endian order")
    storages: dict[str, Storage] = {}

    def persistent(key) -> Storage:
        storage, name = _declared(key)
        if len(key) > 5 and key[5] is not None:
            raise RefusedFile("a storage that is a part of another one")
        return storages.setdefault(name, storage)

    found = pickles.load(file, _vocabulary(persistent))
    keys = pickles.load(file, plain)
    if not isinstance(keys, list) or set(map(str, keys)) != set(storages):
        raise RefusedFile("storages that do not match their list")
    for key in keys:
        storage = storages[str(key)]
        if int.from_bytes(file.read(8), "little", signed=True) != storage.count:
            raise RefusedFile(f"a storage of another size than {storage.count}")
        storage.fill(file.read(storage.count * np.dtype(DTYPES[storage.dtype]).itemsize))
    return found


def read_networks(file: BinaryIO) -> Any:
    """The object in a pickle of NVIDIA's networks."""
    return pickles.load(file, _vocabulary(None))


def state_dict(found: Any) -> dict[str, np.ndarray]:
    """Every tensor and array in an object, by its dotted name; what else it holds is left out."""
    return dict(_tensors(found, (), set()))


def _tensors(found: Any, path: tuple[str, ...], above: set[int]) -> Iterator:
    if isinstance(found, Tensor):
        yield ".".join(path), found.array()
        return
    if isinstance(found, Record) and found.kind == _NDARRAY:
        yield ".".join(path), _array_of(found)
        return
    if isinstance(found, np.ndarray | np.generic):
        yield ".".join(path), np.asarray(found)
        return
    if id(found) in above or len(path) > 50:
        raise RefusedFile("an object that contains itself")
    above = above | {id(found)}
    if isinstance(found, Record):
        yield from _of_record(found, path, above)
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from _tensors(value, (*path, str(key)), above)
    elif isinstance(found, list | tuple):
        for index, value in enumerate(found):
            yield from _tensors(value, (*path, str(index)), above)


def _of_record(record: Record, path, above) -> Iterator:
    """A network's parameters, buffers and parts, as `state_dict` names them."""
    state = record.state
    if str(record.kind) == _NETWORK:
        (meta,) = record.arguments
        state = meta.get("state") if isinstance(meta, dict) else None
    if not isinstance(state, dict):
        return
    if "variables" in state:  # of NVIDIA's networks in TensorFlow
        yield from _tensors(dict(state["variables"]), path, above)
        yield from _tensors(state.get("components") or {}, path, above)
        return
    if "_modules" not in state:
        yield from _tensors(state, path, above)
        return
    for group in ("_parameters", "_buffers", "_modules"):
        members = state.get(group) or {}
        yield from _tensors({k: v for k, v in members.items() if v is not None}, path, above)


def _vocabulary(persistent: Callable | None) -> Vocabulary:
    storages = tuple(f"torch.{name}" for name in DTYPES)
    return Vocabulary(_MAKERS, (*storages, _NETWORK, *_CLASSES), persistent)


def _only_storage(raw) -> Storage:
    """The storage that a nested file is."""
    return _storage(read_legacy(io.BytesIO(raw)))


def _storage(found) -> Storage:
    if not isinstance(found, Storage):
        raise RefusedFile(f"a tensor of a {type(found).__name__}")
    return found


def _declared(key) -> tuple[Storage, str]:
    """The storage that a persistent id describes, empty, and its name."""
    if not isinstance(key, tuple) or len(key) < 5 or key[0] != "storage":
        raise RefusedFile(f"a reference to {key!r}, which is no storage")
    kind, name, count = key[1], key[2], key[4]
    if not isinstance(kind, Name) or kind.module != "torch" or kind.name not in DTYPES:
        raise RefusedFile(f"a storage of {kind}")
    if type(count) is not int or count < 0:
        raise RefusedFile(f"a storage of {count!r} numbers")
    return Storage(kind.name, count), str(name)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A small member of an archive."""
    if info.file_size > 1 << 28:
        raise RefusedFile(f"an archive whose {info.filename} is {info.file_size:,} bytes large")
    return archive.read(info)


def _dtype_of(record) -> np.dtype:
    """The type that a record of `numpy.dtype` stands for: plain numbers, little-endian."""
    code = record.arguments[0] if isinstance(record, Record) else None
    order = record.state[1] if isinstance(getattr(record, "state", None), tuple) else "|"
    if code not in _CODES or order not in ("<", "|", "="):
        raise RefusedFile(f"numbers of the type {code!r}")
    return np.dtype(code).newbyteorder("<")


def _array_of(record: Record) -> np.ndarray:
    """The array that a record of `numpy.ndarray` stands for."""
    _, shape, dtype, by_columns, raw = record.state
    dtype, raw = _dtype_of(dtype), raw.encode("latin-1") if isinstance(raw, str) else raw
    if math.prod(shape) * dtype.itemsize != len(raw):
        raise RefusedFile(f"an array of shape {shape} with {len(raw)} bytes")
    return np.frombuffer(raw, dtype).reshape(shape, order="F" if by_columns else "C").copy()


def _scalar(dtype, raw) -> np.ndarray:
    raw = raw.encode("latin-1") if isinstance(raw, str) else raw
    return np.frombuffer(raw, _dtype_of(dtype), count=1)[0]


def _encoded(text, encoding) -> bytes:
    if encoding not in ("latin1", "latin-1") or not isinstance(text, str):
        raise RefusedFile(f"bytes in the encoding {encoding!r}")
    return text.encode("latin-1")


_CODES = frozenset(("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"))
_NDARRAY = Name("numpy", "ndarray")
_MAKERS = {
    "collections.OrderedDict": lambda items=(): dict(items),
    "dnnlib.util.EasyDict": lambda items=(): dict(items),
    "torch._utils._rebuild_tensor": lambda *parts: Tensor(_storage(parts[0]), *parts[1:4]),
    "torch._utils._rebuild_tensor_v2": lambda *parts: Tensor(_storage(parts[0]), *parts[1:4]),
    "torch._utils._rebuild_parameter": lambda tensor, *rest: tensor,
    "torch.storage._load_from_bytes": lambda raw: _only_storage(raw),
    "torch.Size": tuple,
    "numpy.dtype": lambda code, *flags: Record(Name("numpy", "dtype"), (code,)),
    "_codecs.encode": _encoded,
    **{
        f"numpy.{core}.multiarray.{name}": maker
        for core in ("core", "_core")
        for name, maker in (
            ("scalar", _scalar),
            ("_reconstruct", lambda *parts: Record(_NDARRAY, ())),
        )
    },
}
