"""What is in a data set, at a glance or file by file: what is bad, what is odd."""

import contextlib
import dataclasses
import itertools
import os
import shlex
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ganzoo.data import catalog, drawn
from ganzoo.data.decode import MIN_SIDE, Decoded, Preparation, decode, read_header
from ganzoo.data.drawn import DrawnSource
from ganzoo.data.sources import Collection, Item
from ganzoo.errors import UserError

_WINDOW = 256  # images decoded ahead, which bounds memory
_LISTED = 20  # problems shown before training
_SAMPLED = 64  # headers read to guess the size
_SLOW = 10_000  # headers that take long to read


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


def inspect(
    dataset: str,
    *,
    kind: str = "images",
    data_dir: str | None = None,
    split: str = "train",
    labels: bool = False,
    columns: Sequence[str] = (),
) -> Info:
    """Look at a data set without decoding it; what TFDS does not have yet is downloaded.

    Of "unpaired" domains, it is the smaller size, RGB if either is, and the larger count; of
    "paired" images, the size of one, and RGB if either is.
    """
    collections = _found(kind, dataset, data_dir, split, labels, columns)
    first, size, channels = collections[0], None, 3
    if not isinstance(first, DrawnSource):
        shapes = [found.native_shape or _typical_shape(found) for found in collections]
        size = min((tuple(shape[:2]) for shape in shapes), key=min)
        channels = 1 if all(shape[2] == 1 for shape in shapes) else 3
        if kind == "paired" and first.sample(1)[0].partner is None:  # side by side
            size = (size[0], size[1] // 2)
    classes, attributes = (names_of(first, name) for name in ("label", "attributes"))
    return Info(dataset, size, channels, len(classes), max(map(len, collections)), attributes)


def _found(
    kind: str, dataset: str, data_dir: str | None, split: str, labels: bool, columns: Sequence[str]
) -> tuple[Collection | DrawnSource, ...]:
    """The collections of a data set, two of "unpaired" domains, else one."""
    if kind == "unpaired":
        return catalog.find_domains(dataset, data_dir, split)
    if kind == "paired":
        return (catalog.find_pairs(dataset, data_dir, split),)
    return (catalog.find(dataset, data_dir, split, labels, columns),)


def names_of(collection: Collection | DrawnSource, column: str) -> tuple[str, ...]:
    """What its classes or attributes are called; () where it has none."""
    return collection.columns[column].names if column in collection.columns else ()


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
    collection: Collection, preparation: Preparation, report: Report
) -> Iterator[tuple[np.ndarray, Item]]:
    """Yield the pixels of every usable item in order, and write the rest into `report`."""
    report.problems += [Problem(path, reason, "notice") for path, reason in collection.notices]
    title, total = f"Reading {collection.name}", len(collection)
    with _progress(title, total, preparation.progress) as bar:
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


def check(
    dataset: str,
    *,
    image_size: int | None = None,
    data_dir: str | None = None,
    split: str = "train",
    labels: bool = False,
    columns: Sequence[str] = (),
    paired: bool = False,
    fit: str = "crop",
    progress: bool = True,
) -> Report:
    """Decode every image of a data set, keep none, and report what is bad or odd.

    Bad is what cannot be read to its end, what is smaller than 8 px or a quarter of `image_size`
    on a side, what has too many pixels or none of a fixed range, and what lacks a class with
    `labels`, a value for one of `columns`, a partner with `paired`. Where images keep their sizes
    (`fit="keep"`, as for SRGAN), the whole `image_size` is needed. Odd, but used: several frames,
    16 bits, and, where squares are cut out, a side more than four times the other. Files that
    neither are images nor are named so are odd as well, and not used.
    """
    prefix, kind = dataset.partition(":")[0], "images"
    if prefix == "paired" or paired:
        kind = "paired"
    elif prefix == "unpaired" or dataset in (*catalog.TFDS_DOMAINS, *drawn.DOMAINS):
        kind = "unpaired"
    collections = _found(kind, dataset, data_dir, split, labels, columns)
    second = 3 if kind == "paired" else None
    size = image_size or MIN_SIDE
    preparation = Preparation(size, 3, fit=fit, pair_channels=second, progress=progress)
    report = Report(dataset, sum(map(len, collections)))
    for collection in collections:
        found = Report(collection.name, len(collection))
        if isinstance(collection, DrawnSource):
            found.usable = len(collection)
        else:
            for _ in scan(collection, preparation, found):
                pass
        side = f"{os.path.basename(collection.name)}/" if prefix == "unpaired" else ""
        report.problems += [p._replace(path=side + p.path) for p in found.problems]
        report.usable += found.usable
        report.class_names = names_of(collection, "label")
    return report


def settle(collection: Collection, preparation: Preparation, report: Report) -> None:
    """Report what is odd, and refuse or pass over what is bad."""
    dataset = collection.name
    bad, notices = report.of_kind("bad"), report.of_kind("notice")
    if notices and preparation.progress:
        say(_listing(f"{len(notices):,} odd files in {dataset}:", notices))
    if bad and preparation.on_bad_file == "fail":
        raise UserError(
            _listing(f"{len(bad):,} of {report.count:,} files in {dataset} are bad:", bad)
            + "\nFix or remove them, or leave them out with --on_bad_file=skip. "
            f"All are listed by: {_check_command(collection, preparation)}"
        )
    if not report.usable:
        raise UserError(_listing(f"No image of {dataset} can be used:", bad))
    if bad and preparation.progress:
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
