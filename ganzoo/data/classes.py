"""The classes of the files of a folder or archive: their first folders, or what NVIDIA's
`dataset.json` lists."""

import contextlib
import json
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

from ganzoo.data.decode import is_image
from ganzoo.data.sources import Item
from ganzoo.errors import UserError

Labeled = tuple[tuple[str, ...], list[Item]]  # the names of the classes, and the labeled items

_CLASSES = "dataset.json"
_SPLITS = frozenset(("train", "training", "val", "valid", "validation", "dev", "test", "testing"))
_MAX_CLASSES = 100_000


def numbered(class_names: Sequence[str], most: int = 20) -> str:
    """The classes with their numbers, "0 = cat, 1 = dog"; of more than `most` how many more."""
    listed = ", ".join(f"{i} = {name}" for i, name in enumerate(class_names[:most]))
    more = len(class_names) - most
    return f"{listed}, and {more:,} more" if more > 0 else listed


def with_classes(name: str, items: list[Item]) -> Labeled:
    """The names of the classes in the order of their numbers, and the labeled files."""
    parents = [PurePosixPath(item.path).parent for item in items]
    shared = PurePosixPath(posixpath.commonpath(map(str, parents)))
    table = next((item for item in items if item.path == str(shared / _CLASSES)), None)
    labels = table and _read_classes(f"{table.path} of {name}", table)
    if labels is None:
        return _by_folder(name, items, [parent.parts for parent in parents], len(shared.parts))
    absent = f"is not listed in {_CLASSES}"
    labeled = [
        item.given("label", labels, str(PurePosixPath(item.path).relative_to(shared)), absent)
        for item in items
        if item is not table
    ]
    return tuple(map(str, range(max(labels.values()) + 1))), labeled


def _read_classes(title: str, table: Item) -> dict[str, int] | None:
    """The class of each path that `dataset.json` lists; None for another program's file."""
    with explained(title, "remove it to take the classes from the names of the folders"):
        content = json.loads(table.read())
    if not isinstance(content, dict) or "labels" not in content:
        return None
    entries = content["labels"]
    if not isinstance(entries, list) or not entries:
        raise UserError(f"{title} lists no labels. Set labels to False to train without classes.")
    for entry in entries:
        if not _is_class_entry(entry):
            raise UserError(
                f"{title} has the entry {json.dumps(entry)[:100]}. Expected a path and a class"
                f' number from 0 to {_MAX_CLASSES - 1:,}, as in ["00000/img00000000.png", 3]. Set'
                " labels to False to train without classes."
            )
    return {path.replace("\\", "/"): label for path, label in entries}


def _is_class_entry(entry: Any) -> bool:
    if not isinstance(entry, list) or len(entry) != 2:
        return False
    path, label = entry
    return isinstance(path, str) and type(label) is int and 0 <= label < _MAX_CLASSES


def _by_folder(name: str, items: list[Item], folders: list[tuple], shared: int) -> Labeled:
    """A leading folder that all share is no class, and neither is one without an image."""
    if all(len(parts) == shared for parts in folders):
        shared -= 1  # all files lie in one folder: it is the one class
    firsts = [parts[shared] if 0 <= shared < len(parts) else None for parts in folders]
    members: dict[str, list[Item]] = {}
    for item, first in zip(items, firsts, strict=True):
        if first is not None:
            members.setdefault(first, []).append(item)
    found = [first for first, files in members.items() if any(map(is_image, files))]
    classes = tuple(sorted(found, key=_by_number))
    if not classes:
        raise UserError(
            f"{name} has no class folders, which labels are taken from. "
            "Put the images of each class into a folder, or set labels to False."
        )
    _refuse_splits(name, classes)
    label = {c: i for i, c in enumerate(classes)}
    outside = "lies outside of the class folders"
    both = zip(items, firsts, strict=True)
    return classes, [item.given("label", label, first, outside) for item, first in both]


def _by_number(name: str) -> tuple[str, str]:
    """Sorts "2" before "10", and everything else as text."""
    return re.sub("[0-9]+", lambda digits: digits[0].zfill(255), name), name


def _refuse_splits(name: str, classes: tuple[str, ...]) -> None:
    if len(classes) < 2 or not _SPLITS.issuperset(map(str.lower, classes)):
        return
    kind, _, path = name.partition(":")
    place, unpack = (path, "") if kind == "folder" else ("PATH", "unpack it and ")
    raise UserError(
        f"{name} is divided into {', '.join(classes)}, which are splits and not classes. To train"
        f" on one of them, {unpack}write --dataset=folder:{place}/{classes[0]}; or set labels to"
        " False to train on all images without classes."
    )


@contextlib.contextmanager
def explained(title: str, advice: str = "make it again") -> Iterator[None]:
    """What goes wrong while a table is read becomes a UserError with advice on what to do."""
    try:
        yield
    except Exception as error:  # an archive's readers raise nearly everything
        raise UserError(f"{title} cannot be read: {error}. Fix it, or {advice}.") from error
