"""The run directory: what it holds, who may write to it, and what may be resumed.

config.json    the recipe              log.jsonl      one line per tick
run.json       what "auto" became      events*        the same for TensorBoard
samples/       grids of fixed latents  checkpoints/   all that resuming needs
model/         the generator, for `ganzoo.models.load` and `ganzoo.generate`
best/          likewise, that which measured best, if config.evaluate_images is set
metrics.jsonl  what `ganzoo.evaluate` measured, with its protocol
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
from ml_collections import ConfigDict

from ganzoo import config as configs
from ganzoo import files
from ganzoo.errors import UserError


class RunDirectory:
    """The paths inside a run directory, and the rules of resuming.

    Args:
        path: the directory; it is created when the run is opened.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.facts = self.path / "run.json"
        self.log = self.path / "log.jsonl"
        self.metrics = self.path / "metrics.jsonl"
        self.samples = self.path / "samples"
        self.checkpoints = self.path / "checkpoints"
        self.model = self.path / "model"
        self.best = self.path / "best"

    @property
    def begun(self) -> bool:
        """Whether there is something to resume: a start that failed early left a recipe alone."""
        return self.config.exists() and (self.log.exists() or self.checkpoints.exists())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the directory for one trainer, until its process ends in whatever way."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.path / ".lock", timeout=0)
            lock.acquire()
        except filelock.Timeout:
            raise UserError(
                f"Another trainer is at work in {self.path}. Wait for it, or give another"
                " --workdir."
            ) from None
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be written ({error.strerror}). Give another --workdir."
            ) from error
        with lock:
            try:
                yield
            finally:
                self._remove_if_empty()

    def set_aside(self) -> None:
        """Moves an earlier run to `<name>.1`, `.2`, ...: `--restart` loses nothing.

        Call it while the directory is `locked`, so that nobody is at work in what is moved.
        """
        if not self.config.exists():
            return
        path, number = Path(os.path.abspath(self.path)), 1
        while (old := path.with_name(f"{path.name}.{number}")).exists():
            number += 1
        try:
            if path == Path.cwd():
                raise OSError(errno.EBUSY, "it is the folder you are in")
            path.rename(old)
        except OSError as error:
            raise UserError(
                f"{self.path} cannot be set aside ({error.strerror}). Give another --workdir."
            ) from error
        print(f"The earlier run is now {old}")

    def refuse_changes(self, config: ConfigDict, facts: Mapping[str, Any]) -> None:
        """Compares `config` and `facts` with those of the run to be resumed, if there is one.

        Raises:
            UserError: when what differs would change the result.
        """
        if not self.begun:
            return
        before = self.read_facts()
        same_data = before.get("data_fingerprint") == facts.get("data_fingerprint")
        unrecorded = "not recorded; folder 10 came before folder 2 then"  # by older versions
        before.setdefault("class_names", facts.get("class_names") if same_data else unrecorded)
        changes = configs.harmful(configs.read(self.config), config) + [
            f"{key}: {before.get(key)!r} -> {value!r}"
            for key, value in facts.items()
            if before.get(key) != value
        ]
        if changes:
            raise UserError(
                "\n  ".join([f"{self.path} holds a run of another recipe:", *changes])
                + "\nResume with the old values, give another --workdir, or give --restart to set"
                " it aside and begin anew."
            )

    def record(self, config: ConfigDict, facts: Mapping[str, Any]) -> None:
        """Writes what the run is made of."""
        files.write_text(self.facts, json.dumps(facts, indent=2) + "\n")
        configs.save(config, self.config)  # last: while it is missing, there is no run here

    def read_facts(self) -> dict:
        """What an earlier start recorded; empty for a new run."""
        return json.loads(self.facts.read_text()) if self.begun else {}

    def _remove_if_empty(self) -> None:
        """Leaves no trace of a start that failed."""
        if self.path.exists() and [e.name for e in self.path.iterdir()] == [".lock"]:
            (self.path / ".lock").unlink()
            self.path.rmdir()

    def rewind_log(self, step: int) -> float:
        """Drops log lines later than `step`, which will be written again.

        Returns:
            The seconds of training that the remaining lines tell of.
        """
        if not self.log.exists():
            return 0.0
        lines = self.log.read_text().splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= step]
        files.write_text(self.log, "".join(kept))
        return json.loads(kept[-1])["seconds"] if kept else 0.0


def read_lines(path: Path) -> list[dict]:
    """What a `.jsonl` file says, line by line; without the last line if it is being written.

    A file that does not exist has no lines.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
