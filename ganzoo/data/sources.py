"""What a data set is: encoded images of any size, and after preparation named columns."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np

from ganzoo.errors import UserError

# What a column can be, and how it is stored: images 0 to 255, masks and attributes 0 or 1, text as
# UTF-8.
ROLES = MappingProxyType(
    {
        "image": "uint8",
        "mask": "uint8",
        "class": "int32",
        "attributes": "float32",
        "embedding": "float32",
        "text": "bytes",
    }
)


class Column(NamedTuple):
    """A column of a data set. Its role alone decides how it is moved and converted.

    Attributes:
        shape: of one example: `(H, W, C)` of an image, `(H, W, 1)` of a mask, `()` of a class,
            `(K,)` of attributes, of an embedding, or of K texts, `(K, E)` of their embeddings.
        role: a key of `ROLES`.
        names: of the classes or attributes.
    """

    shape: tuple[int, ...]
    role: str
    names: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """NumPy's name of what is stored."""
        return ROLES[self.role]

    @property
    def spatial(self) -> bool:
        """Whether it is cropped, mirrored and turned with the images of its example."""
        return self.role in ("image", "mask")


class Item(NamedTuple):
    """One encoded image, or what claims to be one; with a partner the two of a pair.

    Attributes:
        path: how messages name it.
        size: bytes.
        open: the file.
        bad: why it cannot be used, whatever it contains, or "".
        values: of the collection's columns, by name.
        partner: the second image of a pair, or else a mask.
    """

    path: str
    size: int
    open: Callable[[], BinaryIO]
    bad: str = ""
    values: Mapping[str, Any] = MappingProxyType({})
    partner: Item | None = None

    def read(self) -> bytes:
        """The whole file."""
        with self.open() as stream:
            return stream.read()

    def given(self, column: str, rows: Mapping[str, Any], key: str | None, absent: str) -> Item:
        """With the value of a column, `rows[key]`, or where there is none as a bad one."""
        if key not in rows:
            return self._replace(bad=absent)
        return self._replace(values={**self.values, column: rows[key]})


class Collection(Protocol):
    """Items in a fixed order.

    Attributes:
        name: what the user called it.
        flags: those of `python -m ganzoo.data check` that stand for it.
        columns: what is known of each item besides its images, by name; shapes that depend on the
            values are `()` until these are prepared.
        native_shape: height, width and channels when all images share them and the data set
            says so itself, else None.
        notices: paths, each with what is odd about it, that are no items.
    """

    name: str
    flags: tuple[str, ...]
    columns: Mapping[str, Column]
    native_shape: tuple[int, int, int] | None
    notices: tuple[tuple[str, str], ...]

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Item]: ...

    def sample(self, count: int) -> list[Item]:
        """At most `count` items, enough to guess what the others are like."""

    def identity(self) -> str:
        """A text that changes when the content does, found without reading the images."""


def fingerprint_of(*parts: Any) -> str:
    """SHA-256, hexadecimal, of fingerprints and settings that JSON can hold."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """A prepared data set; subclasses say where the examples come from.

    Attributes:
        name: what the user called it.
        columns: what an example consists of, by name; the images are squares of one size.
        fingerprint: SHA-256 of the content and of how it was prepared, hexadecimal.
        preparation: how a stored image became one of these: size, filter, crop, background.
    """

    name: str
    columns: Mapping[str, Column]
    fingerprint: str
    preparation: dict

    @property
    def image_size(self) -> int:
        """Height and width of the images, in pixels."""
        return self._first("image").shape[0]

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB), of the first column of images."""
        return self._first("image").shape[2]

    @property
    def class_names(self) -> tuple[str, ...]:
        """One name per class; () when the images are not labeled."""
        return self._first("class").names

    @property
    def num_classes(self) -> int:
        """0 when the images are not labeled."""
        return len(self.class_names)

    def _first(self, role: str) -> Column:
        found = (column for column in self.columns.values() if column.role == role)
        return next(found, Column((), role))

    def __len__(self) -> int:
        raise NotImplementedError

    def read(
        self, indices: np.ndarray, names: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """The columns of the examples at `indices`, `[n, ...]`, by name; classes are 0 where there
        are none. `names` are those to read, None for all."""
        raise NotImplementedError

    def image(self, index: int) -> np.ndarray:
        """One image, uint8 `[H, W, C]`."""
        return self.read(np.array([index]))["image"][0]


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ArraySource(Source):
    """A data set whose columns lie in arrays, in memory or mapped from a file.

    Attributes:
        arrays: `[N, ...]`, by the columns' names.
    """

    arrays: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            array = self.arrays[name]
            fits = np.issubdtype(array.dtype, column.dtype)  # texts have any length
            if not fits or array.shape[1:] != column.shape:
                raise UserError(
                    f"The column {name!r} has {array.dtype} {array.shape[1:]} of each example,"
                    f" expected {column.dtype} {column.shape} of a column of role {column.role!r}."
                )

    @classmethod
    def of_images(
        cls,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        class_names: Sequence[str] = (),
        name: str = "images",
    ) -> ArraySource:
        """A data set of images in memory, `[N, S, S, C]` uint8, and of their classes, `[N]`."""
        labels = np.zeros(len(images), np.int32) if labels is None else np.int32(labels)
        digest = hashlib.sha256(json.dumps([images.shape, *class_names]).encode())
        digest.update(images.tobytes() + labels.tobytes())
        image, label = Column(images.shape[1:], "image"), Column((), "class", tuple(class_names))
        return cls(
            name=name,
            columns={"image": image, "label": label},
            fingerprint=digest.hexdigest(),
            preparation={},
            arrays={"image": images, "label": labels},
        )

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def read(self, indices, names=None):
        return {name: self.arrays[name][indices] for name in names or self.arrays}


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class PackedSource:
    """Images of different sizes, one behind the other in an array.

    Attributes:
        name: what the user called it.
        channels: 1 (grey) or 3 (RGB).
        fingerprint: as `Source` has it.
        pixels: uint8, flat.
        sizes: int32 `[n, 2]`, height and width of each image.
    """

    name: str
    channels: int
    fingerprint: str
    pixels: np.ndarray
    sizes: np.ndarray

    def __post_init__(self) -> None:
        counts = self.sizes.astype(np.int64).prod(axis=1) * self.channels
        object.__setattr__(self, "_starts", np.concatenate([[0], np.cumsum(counts)]))

    def __len__(self) -> int:
        return len(self.sizes)

    def image(self, index: int) -> np.ndarray:
        """One image, uint8 `[H, W, C]`, not copied."""
        start, stop = self._starts[index : index + 2]
        return self.pixels[start:stop].reshape(*self.sizes[index], self.channels)
