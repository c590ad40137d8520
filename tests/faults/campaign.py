"""Faults, again and again, on real small trainings of every model; see CONTRIBUTING.md.

    python -m tests.faults.campaign --minutes=30 [--models=ssgan,srgan] [--points=kills,disks]

Prints each fault that was not survived, and at the end a table: fault, tries, survived, what the
user saw. The exit code is 1 if there was a fault that was not survived. Points take turns, the one
that had the least time first, until the time is up or nothing is left to be tried.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from ganzoo import models
from ganzoo.errors import choose
from tests.faults.trying import Context, Try

POINTS = ("kills", "signals", "disks", "damage", "numbers", "files", "races")
POINTS += ("endurance", "workers", "large", "security")
_WIDTH = 200  # characters of what the user saw


def parse(arguments: list[str]) -> argparse.Namespace:
    """The flags of this command; those of absl belong to the commands that it starts."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=10.0, help="nothing is begun after them")
    parser.add_argument("--models", default="all", help="keys of MODELS, with commas")
    parser.add_argument("--points", default="all", help=f"of {', '.join(POINTS)}")
    parser.add_argument("--seed", type=int, default=0, help="decides the order of the faults")
    parser.add_argument("--keep", action="store_true", help="the folder with all that was tried")
    parser.add_argument("--out", type=Path, help="a file for the table, Markdown")
    return parser.parse_args(arguments)


def chosen(kind: str, names: str, known: Iterable[str]) -> list[str]:
    """Those of a flag; raises UserError for others."""
    table = {name: name for name in known}
    return list(table) if names == "all" else [choose(kind, n, table) for n in names.split(",")]


class Turns:
    """The tries of one point, for one model if it is about models."""

    def __init__(self, point: str, model: str | None, context: Context):
        self.point, self.model, self.seconds = point, model, 0.0
        module = importlib.import_module(f"tests.faults.{point}")
        self.tries: Iterator[Try] = module.tries(context, *([model] if model else []))

    def next(self) -> Try | None:
        """The next try, None if there is no other."""
        start = time.monotonic()
        try:
            return next(self.tries, None)
        except Exception:  # the campaign continues, and reports it
            return Try("the campaign itself", False, traceback.format_exc())
        finally:
            self.seconds += time.monotonic() - start


def campaign(context: Context, points: list[str], minutes: float) -> dict[tuple, list]:
    """Tries by (point, fault), each with its model, until the time is up."""
    end, found = time.monotonic() + 60 * minutes, defaultdict(list)
    turns = [
        Turns(point, model, context)
        for point in points
        for model in (context.names if _is_about_models(point) else [None])
    ]
    context.random.shuffle(turns)
    while turns and time.monotonic() < end:
        turn = min(turns, key=lambda turn: turn.seconds)
        tried = turn.next()
        if tried is None:
            turns.remove(turn)
            continue
        found[turn.point, tried.fault].append((turn.model, tried))
        if tried.survived is False:
            print(f"NOT SURVIVED: {turn.point} {turn.model or ''}: {tried}", flush=True)
            turn.seconds += 1e9 * (tried.fault == "the campaign itself")
    return found


def _is_about_models(point: str) -> bool:
    return getattr(importlib.import_module(f"tests.faults.{point}"), "PER_MODEL", False)


def table(found: dict[tuple, list]) -> str:
    """Markdown: fault, models, tries, survived, what the user saw."""
    titles = ("point", "fault", "models", "tries", "survived", "the user saw")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for (point, fault), tries in sorted(found.items(), key=lambda item: POINTS.index(item[0][0])):
        names = ", ".join(sorted({model for model, _ in tries if model}))
        tried = [each for _, each in tries if each.survived is not None]
        survived = sum(each.survived for each in tried)
        saw = next((each for each in tried if not each.survived), tries[-1][1]).saw
        saw = " ".join(saw.split()).replace("|", "\\|")
        saw = saw if len(saw) <= _WIDTH else f"{saw[: _WIDTH // 2]} … {saw[-_WIDTH // 2 :]}"
        count = f"{len(tried)} | {survived}" if tried else "0 | cannot be tried here"
        lines.append(f"| {point} | {fault} | {names} | {count} | {saw} |")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    flags = parse(sys.argv[1:])
    points = chosen("point", flags.points, POINTS)
    names = chosen("model", flags.models, sorted(models.MODELS))
    folder = Path(tempfile.mkdtemp(prefix="ganzoo-faults-"))
    os.environ["GANZOO_HOME"] = str(folder / "home")
    try:
        found = campaign(Context(folder, names, flags.seed), points, flags.minutes)
    finally:
        if not flags.keep:
            shutil.rmtree(folder, ignore_errors=True)
    text = table(found).replace(str(folder), "")
    print(text)
    if flags.out:
        flags.out.write_text(text + "\n", encoding="utf-8")
    tries = [tried for each in found.values() for _, tried in each]
    sys.exit(1 if any(tried.survived is False for tried in tries) else 0)


if __name__ == "__main__":
    main()
