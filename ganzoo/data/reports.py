"""What is bad or odd about the files of a data set: found while they are decoded, and reported."""

import contextlib
import dataclasses
import itertools
import os
import shlex
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ganzoo.data.decode import Decoded, Preparation, decode
from ganzoo.data.sources import Collection, Item
from ganzoo.errors import UserError

_WINDOW = 256  # images decoded ahead, which bounds memory
_LISTED = 20  # problems shown before training


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
