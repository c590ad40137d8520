"""What a data set is before preparation: encoded images of any size, read one after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, Protocol


class Item(NamedTuple):
    """One encoded image, or what claims to be one."""

    path: str  # how messages name it
    label: int  # position in `class_names`, 0 without labels, OUTSIDE when in no class
    size: int  # bytes
    open: Callable[[], BinaryIO]


OUTSIDE = -1


class Collection(Protocol):
    """Items in a fixed order.

    Attributes:
        name: what the user called it.
        class_names: one name per class, () without labels.
        native_shape: height, width and channels when all images share them and the data set
            says so itself, else None.
    """

    name: str
    class_names: tuple[str, ...]
    native_shape: tuple[int, int, int] | None

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Item]: ...

    def sample(self, count: int) -> list[Item]:
        """At most `count` items, enough to guess what the others are like."""

    def identity(self) -> str:
        """A text that changes when the content does, found without reading the images."""
