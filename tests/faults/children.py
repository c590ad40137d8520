"""Commands of ganzoo in processes of their own, as a person starts them, with faults inside.

They are forked from a process that has imported TensorFlow and used it for nothing yet, which saves
each of them five seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import tensorflow as tf

import ganzoo.train  # noqa: F401  (so that forked processes need not import it)
from ganzoo import cli

PATIENCE = 900.0  # seconds until a command is taken to hang
_FORK = multiprocessing.get_context("fork")


class Done(NamedTuple):
    """What came of a command: its exit code, negative for a signal, None if it hung; all that it
    wrote; the most memory that it held, in MiB."""

    code: int | None
    text: str
    peak: float = 0.0

    @property
    def saw(self) -> str:
        """The line that a person looks at: the error, or the last one."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error: ")]
        line = (errors or lines or ["nothing"])[-1] if self.code != 0 else "it went on"
        return f"exit code {self.code}: {line}" if self.code else line

    @property
    def is_explained(self) -> bool:
        """Whether it ended as it should where it cannot go on: in words, not by a traceback."""
        return self.code == 2 and "error: " in self.text and "Traceback" not in self.text


class Child:
    """A process that runs `work` after `fault`; what it writes goes into the file `output`."""

    def __init__(self, output: Path, work: Callable[[], None], fault: Callable = lambda: None):
        self.output = output
        self.process = _FORK.Process(target=_run, args=(output, work, fault))
        self.process.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait(self, seconds: float) -> bool:
        """Whether it ends within some seconds."""
        self.process.join(seconds)
        return self.process.exitcode is not None

    def kill(self) -> None:
        self.process.kill()

    def finish(self, patience: float = PATIENCE) -> Done:
        """Waits for its end; one that hangs is killed."""
        code = self.process.exitcode if self.wait(patience) else None
        self.process.kill()
        self.process.join()
        text = self.output.read_text(encoding="utf-8", errors="replace")
        peak = re.search(r"\npeak (\d+)\n$", text)
        return Done(code, text[: peak.start()] if peak else text, int(peak[1]) if peak else 0.0)


def _run(output: Path, work: Callable[[], None], fault: Callable) -> None:
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    # Graphs run a few times: to optimize them takes longer than to run them.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    fault()
    try:
        work()
    finally:
        status = Path("/proc/self/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024
        sys.stdout.flush()
        print(f"\npeak {peak}", flush=True)


def command(module: str, *arguments) -> Callable[[], None]:
    """What `python -m ganzoo.MODULE ARGUMENTS` does."""

    def work():
        sys.modules.pop(f"ganzoo.{module}", None)
        with mock.patch.object(sys, "argv", [module, *map(str, arguments)]):
            runpy.run_module(f"ganzoo.{module}", run_name="__main__", alter_sys=True)

    return work


def as_command(function: Callable[[], object]) -> Callable[[], None]:
    """A call in Python, whose UserErrors are printed as commands print theirs."""

    def work():
        with mock.patch.object(sys, "argv", ["call"]):
            cli.run(lambda argv: function() and None)

    return work
