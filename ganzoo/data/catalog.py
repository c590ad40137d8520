"""Data sets by name: look at one, or open it for training."""

import os
import shlex
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ganzoo.data import cache, shapes
from ganzoo.data.collection import Collection, Item
from ganzoo.data.decode import Preparation, read_header
from ganzoo.data.files import is_archive, open_folder, open_zip, path_of
from ganzoo.data.scan import Problem, Report, say
from ganzoo.data.source import ArraySource, PackedSource, Source
from ganzoo.data.tfds import open_tfds
from ganzoo.errors import UserError

_SAMPLED = 64  # headers read to guess the size
_SLOW = 10_000  # headers that take long to read
_LISTED = 20  # problems shown before training


class Info(NamedTuple):
    """A data set at a glance.

    Attributes:
        name: what the user called it.
        size: typical height and width of its images; None when it is drawn at any size.
        channels: 1 when its images are grey, else 3.
        num_classes: 0 without labels.
        count: how many images, or files that may be images.
    """

    name: str
    size: tuple[int, int] | None
    channels: int
    num_classes: int
    count: int


def find_collection(
    dataset: str, data_dir: str | None = None, split: str = "train", labels: bool = False
) -> Collection:
    """The images that `folder:PATH`, `zip:PATH` or the name of a TFDS data set stands for."""
    kind, _, path = dataset.partition(":")
    if kind not in ("folder", "zip"):
        if os.path.exists(dataset):
            raise UserError(f"For your own images write --dataset=folder:{dataset}")
        if path and kind.lower() in ("folder", "zip", "file", "dir", "path"):
            raise UserError(f"{dataset!r} is not known. Write --dataset=folder:{path}")
        return open_tfds(dataset, data_dir, split, labels)
    if split != "train":
        raise UserError(f"{dataset} has no split {split!r}, only 'train': all of its images.")
    file = path_of(dataset)
    is_zip = kind == "zip" or is_archive(file)
    return open_zip(file, labels) if is_zip else open_folder(file, labels)


def inspect(
    dataset: str, *, data_dir: str | None = None, split: str = "train", labels: bool = False
) -> Info:
    """Look at a data set without decoding it; what TFDS does not have yet is downloaded."""
    if dataset == "shapes":
        return Info("shapes", None, 3, len(shapes.SHAPES) if labels else 0, shapes.COUNT)
    return describe(find_collection(dataset, data_dir, split, labels))


def describe(collection: Collection) -> Info:
    """What `inspect` tells of a collection."""
    height, width, channels = collection.native_shape or _typical_shape(collection)
    num_classes, size = len(collection.class_names), (height, width)
    return Info(collection.name, size, 1 if channels == 1 else 3, num_classes, len(collection))


def _typical_shape(collection: Collection) -> tuple[int, int, int]:
    headers = [*_headers(collection.sample(_SAMPLED))]
    if not headers:
        raise UserError(
            f"Cannot guess the size of {collection.name}: nearly none of its "
            f"{len(collection):,} files is an image. Set image_size and channels."
        )
    heights, widths, grey = zip(*headers, strict=True)
    height, width = int(statistics.median(heights)), int(statistics.median(widths))
    return height, width, 1 if all(grey) and _all_grey(collection) else 3


def _all_grey(collection: Collection) -> bool:
    """Reads the headers up to the first image in color."""
    if len(collection) > _SLOW:
        say(f"Looking for images in color among {len(collection):,} files of {collection.name}")
    return all(grey for _, _, grey in _headers(collection))


def _headers(items: Iterable[Item]) -> Iterator[tuple[int, int, bool]]:
    """Those of images; why others are none is reported by `check`."""
    return (header for header in map(read_header, items) if not isinstance(header, str))


def open_source(
    dataset: str,
    *,
    image_size: int,
    channels: int,
    data_dir: str | None = None,
    split: str = "train",
    resize: str = "lanczos",
    labels: bool = False,
    background: str = "white",
    fit: str = "crop",
    on_bad_file: str = "fail",
    cache_dir: str | Path | None = None,
    progress: bool = True,
) -> Source:
    """Open a data set for training, preparing it first unless that was done before.

    Args:
        dataset: "shapes", "folder:PATH" (of a folder or zip file), "zip:PATH", or the name of
            an image data set of TFDS, such as "cifar10" or "name/config".
        image_size: height and width to give every image, in pixels.
        channels: 1 (grey) or 3 (RGB).
        data_dir: where TFDS keeps its data sets; None for its own default.
        split: of a TFDS data set.
        resize: Pillow's filter: nearest, box, bilinear, hamming, bicubic or lanczos.
        labels: whether to read classes, from TFDS or from the names of the first folders.
        background: what shows through transparent images: white, black or grey.
        fit: how images of any shape become squares, "crop" or "stretch".
        on_bad_file: "fail" raises when a file cannot be used, "skip" leaves it out.
        cache_dir: where prepared images go; None for $GANZOO_HOME, or ~/.cache/ganzoo.
        progress: whether to tell about slow work and odd files on standard error.

    Raises:
        UserError: for anything that whoever chose the data set can mend.
    """
    preparation = Preparation(image_size, channels, resize, background, fit, on_bad_file)
    if dataset == "shapes":
        return shapes.open_shapes(image_size, channels, split, labels)
    collection = find_collection(dataset, data_dir, split, labels)
    return prepared(collection, preparation, cache_dir, progress)


def prepared(
    collection: Collection,
    preparation: Preparation,
    cache_dir: str | Path | None = None,
    progress: bool = True,
) -> Source | PackedSource:
    """A collection after preparation; arguments and errors as `open_source` has them.

    Images that keep their sizes make a `PackedSource`.
    """
    entry = cache.load(collection, preparation, cache_dir, progress)
    _settle(collection, preparation, entry.report, progress)
    channels, fingerprint = preparation.channels, entry.fingerprint
    if entry.sizes is not None:
        return PackedSource(
            name=collection.name,
            channels=channels,
            fingerprint=fingerprint,
            pixels=entry.images,
            sizes=entry.sizes,
        )
    return ArraySource(
        name=collection.name,
        image_size=preparation.image_size,
        channels=channels,
        num_classes=len(collection.class_names),
        class_names=collection.class_names,
        fingerprint=fingerprint,
        preparation=preparation.record(),
        images=entry.images,
        labels=entry.labels,
    )


def _settle(
    collection: Collection, preparation: Preparation, report: Report, progress: bool
) -> None:
    """Tell what is odd, and refuse or pass over what is bad."""
    dataset = collection.name
    bad, notices = report.of_kind("bad"), report.of_kind("notice")
    if notices and progress:
        say(_listing(f"{len(notices):,} odd files in {dataset}:", notices))
    if bad and preparation.on_bad_file == "fail":
        raise UserError(
            _listing(f"{len(bad):,} of {report.count:,} files in {dataset} are bad:", bad)
            + "\nFix or remove them, or leave them out with --on_bad_file=skip. "
            f"All are listed by: {_check_command(collection, preparation)}"
        )
    if not report.usable:
        raise UserError(_listing(f"No image of {dataset} can be used:", bad))
    if bad and progress:
        say(_listing(f"Left out {len(bad):,} of {report.count:,} files in {dataset}:", bad))


def _check_command(collection: Collection, preparation: Preparation) -> str:
    """The command that judges a collection as its preparation does."""
    judged = (f"--image_size={preparation.image_size}", f"--fit={preparation.fit}")
    return shlex.join(["python", "-m", "ganzoo.data", "check", *collection.flags, *judged])


def _listing(title: str, problems: list[Problem]) -> str:
    lines = [title, *(f"  {p.path}: {p.reason}" for p in problems[:_LISTED])]
    if len(problems) > _LISTED:
        lines.append(f"  ... and {len(problems) - _LISTED:,} more")
    return "\n".join(lines)
