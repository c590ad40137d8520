"""Data sets by name: look at one, or open it for training."""

import dataclasses
import hashlib
import json
import os
import shlex
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo.data import cache, drawn
from ganzoo.data.cache import Problem, Report, say
from ganzoo.data.decode import Preparation, read_header
from ganzoo.data.drawn import DrawnSource
from ganzoo.data.files import is_archive, open_folder, open_zip, path_of
from ganzoo.data.sources import (
    ArraySource,
    Collection,
    Column,
    Item,
    PackedSource,
    Source,
    image_columns,
)
from ganzoo.data.tfds import open_tfds
from ganzoo.errors import UserError, choose

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
        attribute_names: one name per attribute, where they were asked for.
    """

    name: str
    size: tuple[int, int] | None
    channels: int
    num_classes: int
    count: int
    attribute_names: tuple[str, ...] = ()


def find(
    dataset: str,
    data_dir: str | None = None,
    split: str = "train",
    labels: bool = False,
    columns: Sequence[str] = (),
) -> Collection | DrawnSource:
    """The images that the name of a data set stands for; `columns` as `open_source` has them."""
    if dataset == "shapes":
        return drawn.find_shapes(split, labels, columns)
    attributes = "attributes" in columns
    others = [name for name in columns if name != "attributes"]
    if others:
        raise UserError(f"{dataset} has no column {others[0]!r}; shapes has it.")
    kind, _, path = dataset.partition(":")
    if kind not in ("folder", "zip"):
        if os.path.exists(dataset):
            raise UserError(f"For your own images write --dataset=folder:{dataset}")
        if path and kind.lower() in ("folder", "zip", "file", "dir", "path"):
            raise UserError(f"{dataset!r} is not known. Write --dataset=folder:{path}")
        wanted = {"labels": labels, "attributes": attributes}
        return open_tfds(dataset, data_dir, split, *(name for name, yes in wanted.items() if yes))
    if split != "train":
        raise UserError(f"{dataset} has no split {split!r}, only 'train': all of its images.")
    file = path_of(dataset)
    opened = open_zip if kind == "zip" or is_archive(file) else open_folder
    return opened(file, labels, attributes)


def inspect(
    dataset: str,
    *,
    data_dir: str | None = None,
    split: str = "train",
    labels: bool = False,
    columns: Sequence[str] = (),
) -> Info:
    """Look at a data set without decoding it; what TFDS does not have yet is downloaded."""
    return describe(find(dataset, data_dir, split, labels, columns))


def describe(collection: Collection | DrawnSource) -> Info:
    """What `inspect` returns for a collection."""
    if isinstance(collection, DrawnSource):
        size, channels = None, 3
        found = collection.columns.get("attributes")
        attributes = found.names if found else ()
    else:
        *size, channels = collection.native_shape or _typical_shape(collection)
        size, attributes = tuple(size), collection.attribute_names
    num_classes, channels = len(collection.class_names), 1 if channels == 1 else 3
    return Info(collection.name, size, channels, num_classes, len(collection), attributes)


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
    """Those of images, both of a pair; why others are none is reported by `check`."""
    images = (one for item in items for one in (item, item.partner) if one)
    return (header for header in map(read_header, images) if not isinstance(header, str))


def open_source(
    dataset: str,
    *,
    image_size: int,
    channels: int,
    data_dir: str | None = None,
    split: str = "train",
    resize: str = "lanczos",
    labels: bool = False,
    columns: Sequence[str] = (),
    attributes: str | None = None,
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
        columns: what to read besides images and classes: "attributes", from TFDS or from a table
            beside the images, or of shapes one of its looks: "striped", "outline", "mask".
        attributes: names of those to read, separated by commas; None for all, if any.
        background: what shows through transparent images: white, black or grey.
        fit: how images of any shape become squares, "crop" or "stretch".
        on_bad_file: "fail" raises when a file cannot be used, "skip" leaves it out.
        cache_dir: where prepared images go; None for $GANZOO_HOME, or ~/.cache/ganzoo.
        progress: whether to report slow work and odd files on standard error.

    Raises:
        UserError: for anything that whoever chose the data set can fix.
    """
    preparation = Preparation(image_size, channels, resize, background, fit, on_bad_file)
    columns = dict.fromkeys((*columns, "attributes")) if attributes else columns
    collection = find(dataset, data_dir, split, labels, columns)
    source = prepared(collection, preparation, cache_dir, progress)
    return _with_attributes(source, attributes.split(",")) if attributes else source


def source_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What `open_source` takes of a recipe's `config.data`; the rest is about streams."""
    known = signature(open_source).parameters
    return {key: value for key, value in options.items() if key in known}


def _with_attributes(source: Source, names: list[str]) -> Source:
    """With some of its attributes alone."""
    known = {name: i for i, name in enumerate(source.columns["attributes"].names)}
    chosen = [choose(f"attribute of {source.name}", name, known) for name in names]
    column = Column((len(names),), "attributes", tuple(names))
    fingerprint = hashlib.sha256(json.dumps([source.fingerprint, names]).encode()).hexdigest()
    changes = {"fingerprint": fingerprint, "columns": {**source.columns, "attributes": column}}
    if isinstance(source, ArraySource):
        values = source.arrays["attributes"][:, chosen]
        changes["arrays"] = {**source.arrays, "attributes": values}
    return dataclasses.replace(source, **changes)


def prepared(
    collection: Collection | DrawnSource,
    preparation: Preparation,
    cache_dir: str | Path | None = None,
    progress: bool = True,
) -> Source | PackedSource:
    """A collection after preparation; arguments and errors as `open_source` has them.

    Images that keep their sizes make a `PackedSource`; pairs have the columns "a" and "b".
    """
    if isinstance(collection, DrawnSource):
        return collection.sized(preparation.image_size, preparation.all_channels)
    entry = cache.load(collection, preparation, cache_dir, progress)
    _settle(collection, preparation, entry.report, progress)
    found, channels = entry.arrays, preparation.channels
    about = {"name": collection.name, "fingerprint": entry.fingerprint}
    if "sizes" in found:
        return PackedSource(
            **about, channels=channels, pixels=found["images"], sizes=found["sizes"]
        )
    columns = image_columns(preparation.image_size, channels, collection.class_names)
    arrays = {"image": found["images"], "label": found["labels"]}
    if preparation.pair_channels is not None:
        arrays = {"a": found["images"][..., :channels], "b": found["images"][..., channels:]}
        columns = {n: Column(array.shape[1:], "image") for n, array in arrays.items()}
    if "attributes" in found:
        arrays["attributes"], names = found["attributes"], collection.attribute_names
        columns["attributes"] = Column((len(names),), "attributes", names)
    return ArraySource(**about, columns=columns, preparation=preparation.record(), arrays=arrays)


def _settle(
    collection: Collection, preparation: Preparation, report: Report, progress: bool
) -> None:
    """Report what is odd, and refuse or pass over what is bad."""
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
    """The command that checks a collection as its preparation does."""
    settings = (f"--image_size={preparation.image_size}", f"--fit={preparation.fit}")
    return shlex.join(["python", "-m", "ganzoo.data", "check", *collection.flags, *settings])


def _listing(title: str, problems: list[Problem]) -> str:
    lines = [title, *(f"  {p.path}: {p.reason}" for p in problems[:_LISTED])]
    if len(problems) > _LISTED:
        lines.append(f"  ... and {len(problems) - _LISTED:,} more")
    return "\n".join(lines)
