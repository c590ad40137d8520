"""What is known of each file of a folder or archive: class, attributes, captions, mask and others.

Classes have a module of their own, `ganzoo.data.classes`. Masks are images of equal paths below the
folder `masks`, bright inside. All else is read from tables beside the images:

- attributes: `attributes.csv`, or CelebA's `list_attr_celeba.txt`;
- captions: `captions.csv` with the header `file,caption` and a row for each caption, or
  `captions.jsonl` with an object on each line, whose `caption` may be a list of them;
- embeddings: `embeddings.npz`, made by `np.savez(path, files=names, embeddings=array)`, of float
  `[N, E]`, or `[N, K, E]` for K captions of each image.
"""

import collections
import csv
import io
import json
import posixpath
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from ganzoo.data.classes import explained, with_classes
from ganzoo.data.decode import named_as_image
from ganzoo.data.sources import Column, Item
from ganzoo.errors import UserError

_MASKS = "masks"
_VALUES = {"1": 1, "0": 0, "-1": 0}

# What may be known of images, and the flags of `python -m ganzoo.data check` that ask for it.
COLUMNS = {
    "label": "labels",
    "attributes": "attributes",
    "caption": "captions",
    "embedding": "embeddings",
    "mask": "masks",
}


class Table(NamedTuple):
    """A kind of table beside the images.

    Attributes:
        files: what it may be called.
        read: `(title, item) -> column, values by file name`; raises UserError.
    """

    files: tuple[str, ...]
    read: Callable[[str, Item], tuple[Column, Mapping[str, Any]]]


def flags_of(columns: Sequence[str]) -> tuple[str, ...]:
    """The flags of `python -m ganzoo.data check` that ask for some columns."""
    return tuple(f"--{COLUMNS[column]}" for column in columns)


def with_columns(
    name: str, items: list[Item], wanted: Sequence[str]
) -> tuple[dict[str, Column], list[Item]]:
    """The columns of a collection, and its items with their values.

    Args:
        name: of the collection.
        items: its files; tables among them are left out of the result.
        wanted: keys of `COLUMNS`; the column "label" is there in any case.

    Raises:
        UserError: when classes or a table are missing or wrong.
    """
    tables = {column: _only(name, column, items) for column in wanted if column in _TABLES}
    paths, columns = {table.path for table in tables.values()}, {}
    items = [item for item in items if item.path not in paths]
    if "mask" in wanted:
        columns["mask"], items = Column((), "mask"), _with_masks(name, items)
    for column, table in tables.items():
        columns[column], rows = _TABLES[column].read(f"{table.path} of {name}", table)
        items = _joined(name, column, table.path, rows, items)
    classes, items = with_classes(name, items) if "label" in wanted else ((), items)
    return {"label": Column((), "class", classes), **columns}, items


def _only(name: str, column: str, items: list[Item]) -> Item:
    files = _TABLES[column].files
    tables = [item for item in items if PurePosixPath(item.path).name in files]
    if len(tables) != 1:
        raise UserError(
            f"{name} needs one table of {COLUMNS[column]}, {' or '.join(files)}, beside its images."
            f" Found: {', '.join(table.path for table in tables) or 'none'}."
        )
    return tables[0]


def _joined(
    name: str, column: str, table: str, rows: Mapping[str, Any], items: list[Item]
) -> list[Item]:
    """Gives each image its values, and adds what the table lists but is missing.

    The table names files by their paths below it, or, as CelebA's does, without folders. Images
    that it does not list, and files that are missing, become bad items.
    """
    files, found = {}, []
    for item in items:
        path = PurePosixPath(posixpath.relpath(item.path, PurePosixPath(table).parent))
        key = str(path) if str(path) in rows else path.name
        found.append(item.given(column, rows, key, f"not listed in {table}"))
        if files.setdefault(key, item) is not item and key in rows:
            raise UserError(
                f"{table} of {name} lists {key!r}, which is both {files[key].path} and"
                f" {item.path}. Write their paths into the table, or rename one."
            )
    absent = f"listed in {table}, but missing"
    return found + [unreadable(path, absent) for path in rows if path not in files]


def unreadable(path: str, reason: str) -> Item:
    """An item that is reported as bad when it is read."""

    def refuse() -> BinaryIO:
        raise OSError(reason)

    return Item(path, 0, refuse)


def _with_masks(name: str, items: list[Item]) -> list[Item]:
    """Gives each image its mask, and adds masks of missing images.

    The mask of `a/0.jpg` is `masks/a/0.png`, or, where `a` is the folder of all images,
    `masks/0.png`.
    """
    stems = [PurePosixPath(item.path).with_suffix("").parts for item in items]
    both = list(zip(stems, items, strict=True))
    inside = [(stem, item) for stem, item in both if stem[0] == _MASKS]
    masks = {stem[1:]: item for stem, item in inside if named_as_image(item.path)}
    if not masks:
        raise UserError(f"{name} has no folder {_MASKS}, with a mask of each image.")
    found, used = [], set()
    for stem, item in both:
        if stem[0] != _MASKS:
            key = stem if stem in masks else stem[1:]
            absent = {"bad": f"has no mask of its name below {_MASKS}"}
            found.append(item._replace(**{"partner": masks[key]} if key in masks else absent))
            used.add(key)
    missing = "a mask, whose image is missing"
    return found + [unreadable(m.path, missing) for key, m in masks.items() if key not in used]


def _read_attributes(title: str, table: Item) -> tuple[Column, dict[str, tuple[int, ...]]]:
    """0 or 1 for each attribute."""
    with explained(title):
        header, *lines = _cells(table)
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
    return Column((len(names),), "attributes", names), rows


def _cells(table: Item) -> list[list[str]]:
    """The header of a table and its other lines, blank ones left out."""
    text = table.read().decode("utf-8-sig")
    if table.path.endswith(".csv"):
        rows = csv.reader(io.StringIO(text, newline=""))
        return [[cell.strip() for cell in row] for row in rows if row] or [[]]
    count, header, *rows = text.strip().splitlines()
    if int(count) != len(rows):
        raise ValueError(f"its first line says {count} rows, and there are {len(rows)}")
    return [["file", *header.split()], *map(str.split, rows)]


def _read_captions(title: str, table: Item) -> tuple[Column, dict[str, list[str]]]:
    """One or more texts."""
    with explained(title):
        if table.path.endswith(".csv"):
            header, *lines = _cells(table)
        else:
            header, lines = ["file", "caption"], _objects(table)
    if header != ["file", "caption"]:
        raise UserError(
            f"{title} begins with {','.join(header)[:100]!r}. Expected the header 'file,caption'."
        )
    rows = {}
    for line in lines:
        path, *texts = line
        if len(texts) != 1 or not all(isinstance(text, str) and text.strip() for text in line):
            raise UserError(
                f"{title} has {json.dumps(line)[:100]}. Expected a file and a caption that is not"
                " empty; in a .csv, one with commas has to be in quotes."
            )
        rows.setdefault(path, []).append(texts[0])
    return Column((), "text"), rows


def _objects(table: Item) -> list[list]:
    """Files and captions of a `captions.jsonl`; of a list of captions each has a row."""
    rows = []
    for entry in map(json.loads, table.read().decode("utf-8-sig").splitlines()):
        texts = entry.get("caption")
        rows += [[entry.get("file"), t] for t in (texts if isinstance(texts, list) else [texts])]
    return rows


def _read_embeddings(title: str, table: Item) -> tuple[Column, dict[str, np.ndarray]]:
    """float32 `[E]`, or `[K, E]` of K captions."""
    again = "make it again by np.savez(path, files=names, embeddings=array)"
    with explained(title, again), np.load(io.BytesIO(table.read())) as arrays:
        files, vectors = arrays["files"], np.asarray(arrays["embeddings"], np.float32)
    names = files.ndim == 1 and files.dtype.kind == "U"
    if not names or vectors.ndim not in (2, 3) or len(files) != len(vectors):
        raise UserError(
            f"{title} has files {files.shape} of {files.dtype}, and embeddings {vectors.shape}."
            " Expected names (N,), and (N, E), or (N, K, E) for K captions of each file."
        )
    finite = np.isfinite(vectors.reshape(len(files), -1)).all(axis=1)
    if not finite.all():
        raise UserError(f"{title}: that of {str(files[finite.argmin()])!r} is not finite (NaN).")
    twice = [name for name, count in collections.Counter(files.tolist()).items() if count > 1]
    if twice:
        raise UserError(f"{title} lists {twice[0]!r} twice.")
    return Column(vectors.shape[1:], "embedding"), dict(zip(files.tolist(), vectors, strict=True))


_TABLES = {
    "attributes": Table(("attributes.csv", "list_attr_celeba.txt"), _read_attributes),
    "caption": Table(("captions.csv", "captions.jsonl"), _read_captions),
    "embedding": Table(("embeddings.npz",), _read_embeddings),
}
