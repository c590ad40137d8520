"""Prepared data sets on disk, each made in one pass, and then mapped or loaded at once.

An entry is a folder named after the data set and a key of its content and preparation. It holds
`images.npy`, `labels.npy`, a file for each further column and `entry.json`, and appears complete or
not at all. A pair is one row, whose channels are those of both images. Images that keep their sizes
lie one behind the other in a flat `images.npy`, with their sizes in `sizes.npy`.
"""

import contextlib
import dataclasses
import errno
import hashlib
import io
import json
import math
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import filelock
import numpy as np

from ganzoo import files
from ganzoo.data.decode import Preparation
from ganzoo.data.reports import Problem, Report, scan, settle
from ganzoo.data.sources import ArraySource, Collection, Column, PackedSource
from ganzoo.errors import UserError

IN_MEMORY = 1 << 30  # bytes; larger sets are mapped, and the system keeps what fits
_STEMS = {"image": "images", "label": "labels"}  # of files; others are called as their columns


def load(collection: Collection, preparation: Preparation) -> ArraySource | PackedSource:
    """The prepared collection, after preparing it unless that was done before.

    Processes that need the same entry at once wait for the first. Images that keep their sizes make
    a `PackedSource`; pairs have the columns "a" and "b".

    Raises:
        UserError: for bad files, or when the cache folder cannot be written or the disk is too
            small.
    """
    if preparation.fit == "keep" and "mask" in collection.columns:
        raise UserError("Masks need images of one size: choose another config.data.fit than keep.")
    root = files.expanded(preparation.cache_dir) if preparation.cache_dir else files.home()
    folder = root / "data" / _entry_name(collection, preparation)
    if not folder.exists():
        with _explained(folder.parent, _bytes_needed(collection, preparation)):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(folder.with_suffix(".lock")):
                if not folder.exists():
                    _write(folder, collection, preparation)
    with files.explain_damage(folder, "Remove that folder: its images are then prepared again."):
        source, report = _read(folder, collection, preparation)
    settle(collection, preparation, report)
    return source


def _entry_name(collection: Collection, preparation: Preparation) -> str:
    settings = json.dumps([preparation.record(), *_names(collection).values()], sort_keys=True)
    key = hashlib.sha256((collection.identity() + settings).encode()).hexdigest()
    title = re.sub(r"[^A-Za-z0-9]+", "-", Path(collection.name).name).strip("-")
    return f"{title[:40]}-{preparation.image_size}px-{key[:16]}"


def _names(collection: Collection) -> dict[str, tuple[str, ...]]:
    """What its classes, and if it has any its attributes, are called; and its other columns."""
    columns = dict(collection.columns)
    known = {"class_names": columns.pop("label").names}
    if "attributes" in columns:
        known["attribute_names"] = columns.pop("attributes").names
    return known | ({"columns": tuple(columns)} if columns else {})


def _bytes_needed(collection: Collection, preparation: Preparation) -> int:
    """At least; images that keep their sizes, and texts, may need more."""
    row = preparation.image_size**2 * _depth(collection, preparation)
    values = sum(math.prod(column.shape) for column in collection.columns.values())
    return len(collection) * (row + 4 * values)


def _depth(collection: Collection, preparation: Preparation) -> int:
    """Channels of all images and masks of an item."""
    return sum(preparation.all_channels) + ("mask" in collection.columns)


@contextlib.contextmanager
def _explained(folder: Path, needed: int) -> Iterator[None]:
    """Turn what the disk refuses into advice."""
    try:
        yield
    except OSError as error:
        elsewhere = "Set GANZOO_HOME to a folder elsewhere"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
            free = shutil.disk_usage(existing).free
            raise UserError(
                f"The prepared images need {needed:,} bytes in {folder}, where {free:,} are free. "
                f"{elsewhere}, free some space, or choose a smaller image_size."
            ) from error
        raise UserError(f"Cannot write the prepared images: {error}. {elsewhere}.") from error


def _write(folder: Path, collection: Collection, preparation: Preparation) -> None:
    needed = _bytes_needed(collection, preparation)
    if shutil.disk_usage(folder.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a killed process: the lock is ours
    partial.mkdir()
    try:
        _fill(partial, collection, preparation)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fill(folder: Path, collection: Collection, preparation: Preparation) -> None:
    report = Report(collection.name, len(collection))
    about = {"preparation": preparation.record(), **_names(collection)}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    side, keep = preparation.image_size, preparation.fit == "keep"
    row = () if keep else (side, side, _depth(collection, preparation))
    values, sizes, rows = {name: [] for name in _stored(collection)}, [], 0
    with (folder / "images.npy").open("wb") as file:
        _write_header(file, (len(collection), *row))
        for pixels, item in scan(collection, preparation, report):
            file.write(pixels.tobytes())
            digest.update(pixels.tobytes())
            for name, column in values.items():
                column.append(item.values.get(name, 0))
            sizes.append(pixels.shape[:2])
            rows += pixels.size if keep else 1
        _write_header(file, (rows, *row))
    for name in values:
        array = _array(values[name], collection.columns[name])
        np.save(_file(folder, name), array)
        shape = f"{array.dtype.str}{array.shape}" if name in about.get("columns", ()) else ""
        digest.update(shape.encode() + array.tobytes())
    if keep:
        np.save(_file(folder, "sizes"), np.asarray(sizes, np.int32).reshape(-1, 2))
    about |= {"fingerprint": digest.hexdigest(), "report": dataclasses.asdict(report)}
    (folder / "entry.json").write_text(json.dumps(about))


def _stored(collection: Collection) -> list[str]:
    """The columns that have files of their own; masks lie behind their images."""
    return [name for name, column in collection.columns.items() if not column.spatial]


def _array(values: list, column: Column) -> np.ndarray:
    """The values of a column, little-endian. Where some examples have more texts than others, each
    is given as many, by repeating its own in turn."""
    if column.role == "text":
        most = max(map(len, values), default=0)
        values = [[texts[i % len(texts)].encode() for i in range(most)] for texts in values]
        return np.array(values, bytes).reshape(len(values), most)
    array = np.asarray(values, np.dtype(column.dtype).newbyteorder("<"))
    return array.reshape(len(values), *column.shape)


def _file(folder: Path, column: str) -> Path:
    return folder / f"{_STEMS.get(column, column)}.npy"


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Start a uint8 .npy file; NumPy pads headers so that one of other rows fits in its place."""
    header = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, fields)
    file.seek(0)
    file.write(header.getvalue())


def _read(
    folder: Path, collection: Collection, preparation: Preparation
) -> tuple[ArraySource | PackedSource, Report]:
    entry = json.loads((folder / "entry.json").read_text())
    report = Report(**entry["report"])
    report.problems = [Problem(*problem) for problem in report.problems]
    large = _file(folder, "image").stat().st_size > IN_MEMORY
    pixels = np.load(_file(folder, "image"), mmap_mode="r" if large else None)
    arrays = {name: np.load(_file(folder, name)) for name in _stored(collection)}
    about = {"name": collection.name, "fingerprint": entry["fingerprint"]}
    channels = preparation.channels
    if preparation.fit == "keep":
        sizes = np.load(_file(folder, "sizes"))
        return PackedSource(**about, channels=channels, pixels=pixels, sizes=sizes), report
    images = {"image": pixels}
    if preparation.pair_channels is not None:
        images = {"a": pixels[..., :channels], "b": pixels[..., channels:]}
        del arrays["label"]  # pairs have none
    if "mask" in collection.columns:
        images = {"image": pixels[..., :channels], "mask": pixels[..., channels:]}
    known = dict.fromkeys(images, Column((), "image")) | collection.columns
    arrays = images | arrays
    columns = {name: known[name]._replace(shape=a.shape[1:]) for name, a in arrays.items()}
    about |= {"columns": columns, "preparation": preparation.record()}
    return ArraySource(**about, arrays=arrays), report
