"""Prepared data sets on disk, each written once and then mapped or loaded at once.

An entry is a folder named after the data set and a key of its content and preparation. It holds
`images.npy`, `labels.npy` and `entry.json`, and appears complete or not at all. Images that keep
their sizes lie one behind the other in a flat `images.npy`, with their sizes in `sizes.npy`.
"""

import contextlib
import dataclasses
import errno
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import filelock
import numpy as np

from ganzoo import files
from ganzoo.data.collection import Collection
from ganzoo.data.decode import Preparation
from ganzoo.data.scan import Problem, Report, scan
from ganzoo.errors import UserError

IN_MEMORY = 1 << 30  # bytes; larger sets are mapped, and the system keeps what fits


@dataclasses.dataclass(frozen=True)
class Entry:
    """A prepared data set with the report of its preparation.

    Attributes:
        images: uint8 `[n, S, S, C]`; flat when the images keep their sizes.
        labels: int32 `[n]`.
        sizes: int32 `[n, 2]`, the height and width that each image kept; else None.
    """

    images: np.ndarray
    labels: np.ndarray
    sizes: np.ndarray | None
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
    settings = json.dumps([preparation.record(), collection.class_names], sort_keys=True)
    key = hashlib.sha256((collection.identity() + settings).encode()).hexdigest()
    title = re.sub(r"[^A-Za-z0-9]+", "-", Path(collection.name).name).strip("-")
    return f"{title[:40]}-{preparation.image_size}px-{key[:16]}"


def _bytes_needed(collection: Collection, preparation: Preparation) -> int:
    """At least; images that keep their sizes may need more."""
    return len(collection) * (preparation.image_size**2 * preparation.channels + 4)


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
    about = {"preparation": preparation.record(), "class_names": collection.class_names}
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    side, keep = preparation.image_size, preparation.fit == "keep"
    row = () if keep else (side, side, preparation.channels)
    labels, sizes, rows = [], [], 0
    with (folder / "images.npy").open("wb") as file:
        _write_header(file, (len(collection), *row))
        for pixels, label in scan(collection, preparation, report, progress):
            file.write(pixels.tobytes())
            digest.update(pixels.tobytes())
            labels.append(label)
            sizes.append(pixels.shape[:2])
            rows += pixels.size if keep else 1
        _write_header(file, (rows, *row))
    np.save(folder / "labels.npy", np.asarray(labels, np.int32))
    if keep:
        np.save(folder / "sizes.npy", np.asarray(sizes, np.int32).reshape(-1, 2))
    digest.update(np.asarray(labels, "<i4").tobytes())
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
    path = folder / "images.npy"
    images = np.load(path, mmap_mode="r" if path.stat().st_size > IN_MEMORY else None)
    labels, path = np.load(folder / "labels.npy"), folder / "sizes.npy"
    sizes = np.load(path) if path.exists() else None
    return Entry(images, labels, sizes, about["fingerprint"], report)
