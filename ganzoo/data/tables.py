"""What is known of each file of a folder or archive: its class, and its attributes.

The classes are the first folders, or what NVIDIA's `dataset.json` lists. Attributes are read from a
table beside the images: `attributes.csv`, or CelebA's `list_attr_celeba.txt`.
"""

import csv
import io
import json
import posixpath
import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from ganzoo.data.decode import is_image
from ganzoo.data.sources import Item
from ganzoo.errors import UserError

Labeled = tuple[tuple[str, ...], list[Item]]  # the names of the classes, and the labeled items

_TABLE = "dataset.json"
_ATTRIBUTES = ("attributes.csv", "list_attr_celeba.txt")
_VALUES = {"1": 1, "0": 0, "-1": 0}
_SPLITS = frozenset(("train", "training", "val", "valid", "validation", "dev", "test", "testing"))
_MAX_CLASSES = 100_000


def numbered(class_names: Sequence[str], most: int = 20) -> str:
    """The classes with their numbers, "0 = cat, 1 = dog"; of more than `most` how many more."""
    listed = ", ".join(f"{i} = {name}" for i, name in enumerate(class_names[:most]))
    more = len(class_names) - most
    return f"{listed}, and {more:,} more" if more > 0 else listed


def with_classes(name: str, items: list[Item]) -> Labeled:
    """Labels the files of a collection and names its classes in the order of their numbers.

    Raises:
        UserError: when there are no classes, or a `dataset.json` with other than class numbers.
    """
    parents = [PurePosixPath(item.path).parent for item in items]
    shared = PurePosixPath(posixpath.commonpath(map(str, parents)))
    table = next((item for item in items if item.path == str(shared / _TABLE)), None)
    labels = table and _read_table(f"{table.path} of {name}", table)
    if labels is None:
        return _by_folder(name, items, [parent.parts for parent in parents], len(shared.parts))
    labeled = []
    for item in items:
        label = labels.get(str(PurePosixPath(item.path).relative_to(shared)))
        known = {"bad": f"is not listed in {_TABLE}"} if label is None else {"label": label}
        labeled += [item._replace(**known)] if item is not table else []
    return tuple(map(str, range(max(labels.values()) + 1))), labeled


def _read_table(title: str, table: Item) -> dict[str, int] | None:
    """The class of each path that `dataset.json` lists; None for another program's file."""
    try:
        with table.open() as stream:
            content = json.load(stream)
    except Exception as error:  # an archive's readers raise nearly everything
        raise UserError(
            f"{title} cannot be read: {error}. Fix it, or remove it to take the classes from the"
            " names of the folders."
        ) from error
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
    outside = {"bad": "lies outside of the class folders"}
    labeled = [
        item._replace(**({"label": label[first]} if first in label else outside))
        for item, first in zip(items, firsts, strict=True)
    ]
    return classes, labeled


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


def with_attributes(name: str, items: list[Item]) -> Labeled:
    """Names the attributes of a collection, and gives each image its values, 0 or 1.

    The table names files by their paths below it, or, as CelebA's does, without folders. Images
    that it does not list, and files that it lists but that are missing, become bad items.

    Raises:
        UserError: for no table or several, and for a table with other values.
    """
    tables = [item for item in items if PurePosixPath(item.path).name in _ATTRIBUTES]
    if len(tables) != 1:
        raise UserError(
            f"{name} needs one table of attributes, {' or '.join(_ATTRIBUTES)}, beside its images."
            f" Found: {', '.join(table.path for table in tables) or 'none'}."
        )
    (table,) = tables
    names, rows = _read_attributes(f"{table.path} of {name}", table)
    files, found = {}, []
    for item in (item for item in items if item is not table):
        path = PurePosixPath(posixpath.relpath(item.path, PurePosixPath(table.path).parent))
        key = str(path) if str(path) in rows else path.name
        known = {"attributes": rows[key]} if key in rows else {"bad": f"not listed in {table.path}"}
        found.append(item._replace(**known))
        if files.setdefault(key, item) is not item and key in rows:
            raise UserError(
                f"{table.path} of {name} lists {key!r}, which is both {files[key].path} and"
                f" {item.path}. Write their paths into the table, or rename one."
            )
    absent = f"listed in {table.path}, but missing"
    return names, found + [unreadable(path, absent) for path in rows if path not in files]


def unreadable(path: str, reason: str) -> Item:
    """An item that is reported as bad when it is read."""

    def refuse() -> BinaryIO:
        raise OSError(reason)

    return Item(path, 0, 0, refuse)


def _read_attributes(title: str, table: Item) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """The names of the attributes, and their values by file name."""
    try:
        header, *lines = _cells(table)
    except Exception as error:  # an archive's readers raise nearly everything
        raise UserError(f"{title} cannot be read: {error}. Fix it, or make it again.") from error
    names, rows = tuple(header[1:]), {}
    if not names or len(set(names)) < len(names) or not set(names).isdisjoint(("", *_VALUES)):
        raise UserError(
            f"{title} begins with {','.join(header)[:100]!r}. Expected a header: file, and then the"
            " name of each attribute, none twice."
        )
    for path, *cells in lines:
        values = tuple(_VALUES.get(cell) for cell in cells)
        if path in rows or None in values or len(values) != len(names):
            reason = "is listed twice" if path in rows else f"has {','.join(cells)[:100]!r}"
            raise UserError(
                f"{title}: {path!r} {reason}. Expected each file once, with {len(names)} values,"
                " each 0 or 1 (or -1 and 1)."
            )
        rows[path] = values
    return names, rows


def _cells(table: Item) -> list[list[str]]:
    """The header of a table and its other lines, blank ones left out."""
    with table.open() as stream:
        text = stream.read().decode("utf-8-sig")
    if table.path.endswith(".csv"):
        rows = csv.reader(io.StringIO(text, newline=""))
        return [[cell.strip() for cell in row] for row in rows if row] or [[]]
    count, header, *rows = text.strip().splitlines()
    if int(count) != len(rows):
        raise ValueError(f"its first line says {count} rows, and there are {len(rows)}")
    return [["file", *header.split()], *map(str.split, rows)]
