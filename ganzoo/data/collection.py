"""What a data set is before preparation: encoded images of any size, read one after another."""

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, Protocol


class Item(NamedTuple):
    """One encoded image, or what claims to be one."""

    path: str  # how messages name it
    label: int  # position in `class_names`, 0 without labels, OUTSIDE or UNLISTED: of no class
    size: int  # bytes
    open: Callable[[], BinaryIO]


OUTSIDE = -1  # of the class folders
UNLISTED = -2  # in dataset.json


def numbered(class_names: Sequence[str], most: int = 20) -> str:
    """The classes with their numbers, "0 = cat, 1 = dog"; of more than `most` how many more."""
    listed = ", ".join(f"{i} = {name}" for i, name in enumerate(class_names[:most]))
    more = len(class_names) - most
    return f"{listed}, and {more:,} more" if more > 0 else listed


class Collection(Protocol):
    """Items in a fixed order.

    Attributes:
        name: what the user called it.
        flags: those of `python -m ganzoo.data check` that stand for it.
        class_names: one name per class, () without labels.
        native_shape: height, width and channels when all images share them and the data set
            says so itself, else None.
        notices: paths, each with what is odd about it, that are no items.
    """

    name: str
    flags: tuple[str, ...]
    class_names: tuple[str, ...]
    native_shape: tuple[int, int, int] | None
    notices: tuple[tuple[str, str], ...]

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Item]: ...

    def sample(self, count: int) -> list[Item]:
        """At most `count` items, enough to guess what the others are like."""

    def identity(self) -> str:
        """A text that changes when the content does, found without reading the images."""
