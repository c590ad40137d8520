"""Prepared data sets on disk, each made in one pass, and then mapped or loaded at once.

An entry is a folder named after the data set and a key of its content and preparation. It holds
`images.npy`, `labels.npy` and `entry.json`, with attributes `attributes.npy`, and appears complete
or not at all. A pair is one row, whose channels are those of both images. Images that keep their
sizes lie one behind the other in a flat `images.npy`, with their sizes in `sizes.npy`.
"""

import contextlib
import dataclasses
import errno
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, NamedTuple

import filelock
import numpy as np
from tqdm import tqdm

from ganzoo import files
from ganzoo.data.decode import Decoded, Preparation, decode
from ganzoo.data.sources import Collection, Item
from ganzoo.errors import UserError

IN_MEMORY = 1 << 30  # bytes; larger sets are mapped, and the system keeps what fits
_WINDOW = 256  # images decoded ahead, which bounds memory


class Problem(NamedTuple):
    """A file worth a look: "bad" when it cannot be used, else a "notice"."""

    path: str
    reason: str
    kind: str


@dataclasses.dataclass
class Report:
    """What a pass over a data set found.

    Attributes:
        name: the data set.
        count: how many files there are.
        usable: how many of them are images that can be used.
        problems: everything bad or odd, in the order of the files.
        class_names: one name per class, where labels were asked for.
    """

    name: str
    count: int
    usable: int = 0
    problems: list[Problem] = dataclasses.field(default_factory=list)
    class_names: tuple[str, ...] = ()

    def of_kind(self, kind: str) -> list[Problem]:
        """The problems that are "bad", or the "notice"s."""
        return [problem for problem in self.problems if problem.kind == kind]


def scan(
    collection: Collection, preparation: Preparation, report: Report, progress: bool
) -> Iterator[tuple[np.ndarray, Item]]:
    """Yield the pixels of every usable item in order, and write the rest into `report`."""
    report.problems += [Problem(path, reason, "notice") for path, reason in collection.notices]
    with _progress(f"Reading {collection.name}", len(collection), progress) as bar:
        for item, decoded in _decode_all(collection, preparation):
            bar.update()
            if decoded.bad:
                report.problems.append(Problem(item.path, decoded.bad, "bad"))
            if decoded.notice:
                report.problems.append(Problem(item.path, decoded.notice, "notice"))
            if decoded.pixels is not None:
                report.usable += 1
                yield decoded.pixels, item


def _decode_all(collection: Collection, preparation: Preparation) -> Iterator[tuple[Item, Decoded]]:
    items = iter(collection)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while window := list(itertools.islice(items, _WINDOW)):
            decoded = pool.map(decode, window, itertools.repeat(preparation))
            yield from zip(window, decoded, strict=True)


@contextlib.contextmanager
def _progress(title: str, total: int, wanted: bool) -> Iterator[tqdm]:
    """A bar on a terminal; elsewhere, where bars become litter, a line before and after."""
    terminal = sys.stderr.isatty()
    start = time.monotonic()
    if wanted and not terminal:
        say(f"{title}: {total:,} files")
    with tqdm(desc=title, total=total, unit="image", disable=not (wanted and terminal)) as bar:
        yield bar
    if wanted and not terminal:
        say(f"{title}: done in {time.monotonic() - start:.0f} s")


def say(text: str) -> None:
    """Inform the user, without touching what a program writes to standard output."""
    print(text, file=sys.stderr, flush=True)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A prepared data set with the report of its preparation.

    Attributes:
        arrays: "images", uint8 `[n, S, S, C]`, flat when they keep their sizes; "labels", int32
            `[n]`; "attributes", float32 `[n, K]`, where they were asked for; "sizes", int32
            `[n, 2]`, the height and width that each image kept.
    """

    arrays: dict[str, np.ndarray]
    fingerprint: str
    report: Report


def load(
    collection: Collection,
    preparation: Preparation,
    cache_dir: str | Path | None = None,
    progress: bool = True,
) -> Entry:
    """The prepared collection, after preparing it unless that was done before.

    Processes that need the same entry at once wait for the first. Raises `UserError` when the
    cache folder cannot be written or the disk is too small.
    """
    root = files.expanded(cache_dir) if cache_dir else files.home()
    folder = root / "data" / _entry_name(collection, preparation)
    if not folder.exists():
        with _explained(folder.parent, _bytes_needed(collection, preparation)):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(folder.with_suffix(".lock")):
                if not folder.exists():
                    _write(folder, collection, preparation, progress)
    with files.explain_damage(folder, "Remove that folder: its images are then prepared again."):
        return _read(folder)


def _entry_name(collection: Collection, preparation: Preparation) -> str:
    settings = json.dumps([preparation.record(), *_names(collection).values()], sort_keys=True)
    key = hashlib.sha256((collection.identity() + settings).encode()).hexdigest()
    title = re.sub(r"[^A-Za-z0-9]+", "-", Path(collection.name).name).strip("-")
    return f"{title[:40]}-{preparation.image_size}px-{key[:16]}"


def _names(collection: Collection) -> dict[str, tuple[str, ...]]:
    """What its classes, and if it has any its attributes, are called."""
    names, attributes = {"class_names": collection.class_names}, collection.attribute_names
    return names | ({"attribute_names": attributes} if attributes else {})


def _bytes_needed(collection: Collection, preparation: Preparation) -> int:
    """At least; images that keep their sizes may need more."""
    row = preparation.image_size**2 * sum(preparation.all_channels)
    return len(collection) * (row + 4 * (1 + len(collection.attribute_names)))


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


def _write(folder: Path, collection: Collection, preparation: Preparation, progress: bool) -> None:
    needed = _bytes_needed(collection, preparation)
    if shutil.disk_usage(folder.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a killed process: the lock is ours
    partial.mkdir()
    try:
        _fill(partial, collection, preparation, progress)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fill(folder: Path, collection: Collection, preparation: Preparation, progress: bool) -> None:
    report = Report(collection.name, len(collection))
    about = {"preparation": preparation.record(), **_names(collection)}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    side, keep = preparation.image_size, preparation.fit == "keep"
    row = () if keep else (side, side, sum(preparation.all_channels))
    labels, attributes, sizes, rows = [], [], [], 0
    with (folder / "images.npy").open("wb") as file:
        _write_header(file, (len(collection), *row))
        for pixels, item in scan(collection, preparation, report, progress):
            file.write(pixels.tobytes())
            digest.update(pixels.tobytes())
            labels.append(item.label)
            attributes.append(item.attributes)
            sizes.append(pixels.shape[:2])
            rows += pixels.size if keep else 1
        _write_header(file, (rows, *row))
    columns = {"labels": np.asarray(labels, "<i4")}
    if collection.attribute_names:
        columns["attributes"] = np.asarray(attributes, "<f4")
    for name, column in columns.items():
        np.save(folder / f"{name}.npy", column)
        digest.update(column.tobytes())
    if keep:
        np.save(folder / "sizes.npy", np.asarray(sizes, np.int32).reshape(-1, 2))
    about |= {"fingerprint": digest.hexdigest(), "report": dataclasses.asdict(report)}
    (folder / "entry.json").write_text(json.dumps(about))


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    """Start a uint8 .npy file; NumPy pads headers so that one of other rows fits in its place."""
    header = io.BytesIO()
    fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, fields)
    file.seek(0)
    file.write(header.getvalue())


def _read(folder: Path) -> Entry:
    about = json.loads((folder / "entry.json").read_text())
    report = Report(**about["report"])
    report.problems = [Problem(*problem) for problem in report.problems]
    large = (folder / "images.npy").stat().st_size > IN_MEMORY
    arrays = {"images": np.load(folder / "images.npy", mmap_mode="r" if large else None)}
    others = [name for name in ("attributes", "sizes") if (folder / f"{name}.npy").exists()]
    arrays |= {name: np.load(folder / f"{name}.npy") for name in ("labels", *others)}
    return Entry(arrays, about["fingerprint"], report)
