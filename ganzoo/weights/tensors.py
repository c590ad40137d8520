"""Arrays out of what pickles say of them: PyTorch's tensors and storages, NumPy's arrays."""

import dataclasses
import math

import numpy as np

from ganzoo.weights.pickles import Name, Record, RefusedFile, shown

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
NDARRAY, DTYPE = Name("numpy", "ndarray"), Name("numpy", "dtype")
_CODES = frozenset(("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"))
_MOST_AXES = 32  # as many as every version of NumPy has


@dataclasses.dataclass(eq=False, repr=False)
class Storage:
    """The numbers behind one or several tensors.

    Attributes:
        dtype: a name of `DTYPES`.
        count: how many there are.
        data: the numbers, bfloat16 as float32; None until they were read.
    """

    dtype: str
    count: int
    data: np.ndarray | None = None

    @property
    def num_bytes(self) -> int:
        """In the file."""
        return self.count * np.dtype(DTYPES[self.dtype]).itemsize

    def fill(self, raw: bytes) -> None:
        """Takes the numbers from bytes, which have to be all of them."""
        if len(raw) != self.num_bytes:
            raise RefusedFile(f"a {self.dtype} of {self.count} numbers has {len(raw)} bytes")
        data = np.frombuffer(raw, DTYPES[self.dtype])
        if self.dtype == "BFloat16Storage":
            data = (data.astype(np.uint32) << 16).view(np.float32)
        self.data = data


@dataclasses.dataclass(eq=False, repr=False)
class Tensor:
    """A view of a storage; strides and offset in numbers, not in bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """The numbers, not copied, so that many tensors of one storage need no memory.

        Raises:
            RefusedFile: when the view reaches beyond its storage.
        """
        data = self.storage.data
        if data is None:
            raise RefusedFile("a tensor without numbers")
        numbers = _whole(self.shape) and _whole(self.strides) and _whole((self.offset,))
        if not numbers or len(self.shape) != len(self.strides):
            described = f"shape {shown(self.shape)} and strides {shown(self.strides)}"
            raise RefusedFile(f"a tensor of {described}")
        if 0 in self.shape:
            return np.zeros(self.shape, data.dtype)
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        # A stride of 0 would make a large array of a small file.
        if last >= len(data) or math.prod(self.shape) > len(data):
            raise RefusedFile(f"a tensor of shape {self.shape} in a storage of {len(data)} numbers")
        strides = [s * data.itemsize for s in self.strides]
        start = data[self.offset :]
        return np.lib.stride_tricks.as_strided(start, self.shape, strides, writeable=False)


def array_of(record: Record) -> np.ndarray:
    """The array that a record of `numpy.ndarray` stands for."""
    if not isinstance(record.state, np.ndarray):
        if type(record.state) is not tuple:  # of which the interpreter has counted the bytes
            raise RefusedFile(f"an array of a {type(record.state).__name__}")
        record.state = _array(*record.state)  # once: the text of an old pickle becomes bytes
    return record.state


def _array(version, shape, dtype, by_columns, raw) -> np.ndarray:
    dtype, raw = _dtype_of(dtype), _bytes(raw)
    if not _whole(shape) or math.prod(shape) * dtype.itemsize != len(raw):
        raise RefusedFile(f"an array of shape {shown(shape)} with {len(raw)} bytes")
    return np.frombuffer(raw, dtype).reshape(shape, order="F" if by_columns is True else "C")


def scalar(dtype, raw) -> np.generic:
    """What `numpy.core.multiarray.scalar` makes."""
    return np.frombuffer(_bytes(raw), _dtype_of(dtype), count=1)[0]


def encoded(text, encoding) -> bytes:
    """What `_codecs.encode` makes, which pickles of protocol 2 need for bytes."""
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise RefusedFile(f"bytes in the encoding {shown(encoding)}")
    return text.encode("latin-1")


def _dtype_of(record) -> np.dtype:
    """The type that a record of `numpy.dtype` stands for: plain numbers, little-endian."""
    if not isinstance(record, Record) or record.kind != DTYPE or len(record.arguments) != 1:
        raise RefusedFile("an array without a type")
    (code,), order = record.arguments, "|"
    if type(record.state) is tuple:
        order = record.state[1]
    if type(code) is not str or code not in _CODES or order not in ("<", "|", "="):
        raise RefusedFile(f"numbers of the type {shown(code)}")
    return np.dtype(code).newbyteorder("<")


def _bytes(raw) -> bytes:
    return raw.encode("latin-1") if type(raw) is str else raw


def _whole(numbers) -> bool:
    """Whether these are a few sizes."""
    if type(numbers) is not tuple or len(numbers) > _MOST_AXES:
        return False
    return all(type(n) is int and 0 <= n < 1 << 63 for n in numbers)
