"""Point 8: long training with evaluation and checkpoints, in even memory, files and speed.

How long a try is follows from GANZOO_ENDURANCE, in minutes: two by default; 120 are two hours.
"""

import os
import signal
import time
from pathlib import Path

import numpy as np

from ganzoo.runs import RunDirectory, read_lines
from tests.faults.trying import BATCH, Try

PER_MODEL = True
MINUTES = float(os.environ.get("GANZOO_ENDURANCE", "2"))
EVERY = 1.0  # seconds between two looks
GROWTH = 0.05  # of memory over the second half, at most
MOMENTARY = 2  # files that are open now and then
SLOWING = 0.2  # of images in a second of the processor: other programs disturb those of the clock


def tries(context, name):
    """A training that is watched, then stopped."""
    training = context.training(name)
    workdir = context.fresh(f"{name}-endurance")
    child = training.start(
        workdir, "--config.total_images=100000000", f"--config.tick_images={8 * BATCH}",
        f"--config.evaluate_images={32 * BATCH}", "--config.keep_checkpoints=2",
    )  # fmt: skip
    seen, log = [], RunDirectory(workdir).log
    while not log.exists() and not child.wait(EVERY):
        pass
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end and not child.wait(EVERY):
        seen.append((time.monotonic(), *_resources(child.pid), read_lines(log)[-1]["images"]))
    os.kill(child.pid, signal.SIGTERM)
    done = child.finish()
    lines = read_lines(log)
    yield Try(f"{MINUTES:g} minutes of training", *_judged(done, np.array(seen), lines))


def _resources(pid) -> tuple[float, int, float]:
    """Resident memory in MiB, open files, seconds of the processor."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    seconds = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    handles = len(os.listdir(f"/proc/{pid}/fd"))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, handles, seconds


def _judged(done, seen, lines) -> tuple[bool, str]:
    """Of the second half, when all that happens now and then has happened."""
    if done.code != 143 or len(seen) < 10 or len(lines) < 8:
        return False, f"{done.saw}, {len(seen)} looks, {len(lines)} ticks"
    seconds, memory, handles, _, _ = seen[len(seen) // 2 :].T
    hours = (seconds - seconds[0]) / 3600
    slopes = [np.polyfit(hours, values, 1)[0] for values in (memory, handles)]
    marks = seen[[len(seen) // 4, len(seen) * 5 // 8, -1], 3:]  # processor's seconds, and images
    first, last = (images / used for used, images in np.diff(marks, axis=0))
    growth = slopes[0] * hours[-1] / memory[0]
    before, after = np.array_split(handles, 2)
    steady = np.median(after) <= np.median(before) + MOMENTARY
    survived = growth < GROWTH and steady and last > (1 - SLOWING) * first
    return bool(survived), (
        f"{lines[-1]['step']:,} steps; memory {memory[0]:.0f} to {memory[-1]:.0f} MiB"
        f" ({slopes[0]:+.0f} an hour), open files {handles[0]:.0f} to {handles[-1]:.0f}"
        f" ({slopes[1]:+.1f} an hour), {first:.0f} to {last:.0f} images in a second of the"
        " processor"
    )
