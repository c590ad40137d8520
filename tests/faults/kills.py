"""Point 1: kill -9 at random moments of a start, and at writes of every kind."""

import functools
import itertools
import os
import re
import signal
import sys
import time
from pathlib import Path

from tests.faults.trying import Try

PER_MODEL = True
KILLS = 3  # of a run, before it is left to finish
CHANGES = {"open", "os.rename", "os.mkdir", "os.remove", "os.truncate"}  # audit events
KINDS = {
    **{"checkpoints": "a checkpoint", "samples": "samples", "model": "the model"},
    **{"best": "an evaluation", "log.jsonl": "the log", "config.json": "the config"},
    **{"run.json": "the config", "data": "the cache"},
}


def tries(context, name):
    """Runs that are killed three times and then left to finish."""
    training = context.training(name)
    writes, seconds = _measured(training, context.fresh(f"{name}-kill"))
    while True:
        workdir, draw = context.fresh(f"{name}-kill"), context.random
        kills = (
            _kill(training, workdir, draw.randint(1, writes), draw.uniform(1, seconds))
            for _ in range(KILLS)
        )
        killed = list(itertools.takewhile(bool, kills))
        done = training.run(workdir, fault=functools.partial(_home, workdir))
        trouble = training.outcome(workdir) if done.code == 0 else done.saw
        for where in killed:
            saw = trouble or "the same command resumes; every bit is that of a run left alone"
            yield Try(f"kill -9 {where}", not trouble, saw)


def _measured(training, workdir) -> tuple[int, float]:
    """How often a run writes something, and how many seconds it takes."""
    start = time.monotonic()
    done = training.run(workdir, fault=lambda: _kill_at_write(workdir, 0))
    return done.text.count("written: "), time.monotonic() - start


def _kill(training, workdir, number, seconds) -> str | None:
    """Where it was killed, by the clock or at a write; None if it was faster."""
    if number % 3 == 0:
        child = training.start(workdir, fault=lambda: _home(workdir))
        if child.wait(seconds):
            return None
        child.kill()
        child.finish()
        return "at a random moment"
    done = training.start(workdir, fault=lambda: _kill_at_write(workdir, number)).finish()
    if done.code != -signal.SIGKILL:
        return None
    kind = re.findall(r"written: (.*)", done.text)[-1]
    return f"while {kind} is written"


def _home(workdir: Path) -> Path:
    """Prepared data of this run's own, so that their writes are interrupted, too."""
    home = workdir.with_name(f"{workdir.name}-home")
    os.environ["GANZOO_HOME"] = str(home)
    return home


def _kill_at_write(workdir: Path, number: int) -> None:
    """Dies at that one of all changes of the run directory and of the prepared data, which are
    told; 0 for none."""
    places, left = (workdir, _home(workdir)), [number]

    def hook(event, arguments):
        if event not in CHANGES or (event == "open" and not _writes(arguments)):
            return
        path = Path(os.fsdecode(arguments[-1 if event == "os.rename" else 0]))
        place = next((place for place in places if path.is_relative_to(place)), None)
        if place is None:
            return
        left[0] -= 1
        first = (path.relative_to(place).parts or ("folder",))[0].removeprefix("unfinished-")
        os.write(1, f"\nwritten: {KINDS.get(first, 'something else')}\n".encode())
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _writes(arguments) -> bool:
    path, mode, flags = arguments
    return isinstance(path, str | bytes | os.PathLike) and bool(
        set(mode or "") & set("wax+") or (mode is None and flags & (os.O_WRONLY | os.O_RDWR))
    )
