"""The run directory: what it holds, who may write to it, and what may be resumed.

config.json    the recipe              log.jsonl      one line per tick
run.json       what "auto" became      events*        the same for TensorBoard
samples/       grids of fixed latents  checkpoints/   all that resuming needs
model/         the generator, for `ganzoo.models.load` and `ganzoo.generate`
best/          likewise, that which measured best, if config.evaluate_images is set
metrics.jsonl  what `ganzoo.evaluate` measured, with its protocol
"""

import contextlib
import errno
import functools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
from ml_collections import ConfigDict

from ganzoo import config as configs
from ganzoo import files
from ganzoo.errors import UserError

# What a line must have; a damaged one may be JSON, too.
_KEYS = {
    "log.jsonl": ("step", "images", "seconds", "images_per_second", "peak_memory_mb"),
    "metrics.jsonl": ("metric", "value"),
}


class RunDirectory:
    """The paths inside a run directory, and the rules of resuming.

    Args:
        path: the directory; it is created when the run is opened.
    """

    def __init__(self, path: str | Path):
        self.path = files.expanded(path)
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
        lock = filelock.FileLock(self.path / ".lock", timeout=0)
        try:
            with files.explain_write_errors(self.path, "give another --workdir"):
                self.path.mkdir(parents=True, exist_ok=True)
                lock.acquire()
        except filelock.Timeout:
            raise UserError(
                f"Another trainer is at work in {self.path}. Wait for it, or give another"
                " --workdir."
            ) from None
        with lock:
            try:
                yield
            finally:  # a start that failed leaves no trace
                if self.path.exists() and [e.name for e in self.path.iterdir()] == [".lock"]:
                    (self.path / ".lock").unlink()
                    self.path.rmdir()

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
            UserError: when what differs would change the result, or is not known any more.
        """
        if self.has_weights and not self.config.exists():
            raise UserError(
                f"{self.path} has checkpoints, but no {self.config.name} with their recipe. Copy it"
                " from a backup, or give another --workdir."
            )
        if not self.begun:
            return
        before = self.read_facts()
        data = facts.get("data_fingerprint")
        if before.get("data_fingerprint", data) != data:  # by an older version, perhaps
            unrecorded = "not recorded; folder 10 came before folder 2 then"
            before.setdefault("class_names", unrecorded)
        differing = [
            f"{key}: {before[key]!r} -> {value!r}"
            for key, value in facts.items()
            if before.get(key, value) != value
        ]
        same = set() if differing else self._judged_by_content(config, before)
        changes = (
            configs.blocking_changes(configs.read(self.config), config, ignore=same) + differing
        )
        if changes:
            raise UserError(
                "\n  ".join([f"{self.path} holds a run of another recipe:", *changes])
                + "\nResume with the old values, give another --workdir, or give --restart to set"
                " it aside and begin again."
            )

    def _judged_by_content(self, config: ConfigDict, before: Mapping[str, Any]) -> set[str]:
        """The keys that say where something lies, if facts say what it is, or it is not needed."""
        needless = {
            "data.dataset": "data_fingerprint" in before
            and config.data.dataset.startswith(("folder:", "zip:", "unpaired:", "paired:")),
            "model.vgg_weights": "vgg_fingerprint" in before,
            "init_from": self.has_weights,
        }
        return {key for key, value in needless.items() if value}

    @property
    def has_weights(self) -> bool:
        """Whether there is a checkpoint, sound or not: nothing else is started from then."""
        return any(self.checkpoints.glob("step-*"))

    def record(self, config: ConfigDict, facts: Mapping[str, Any]) -> None:
        """Writes what the run is made of; what its weights were started from stays."""
        if self.begun and self.has_weights:
            config = config.copy_and_resolve_references()
            config.init_from = self.origin
        files.write_text(self.facts, json.dumps(facts, indent=2) + "\n")
        configs.save(config, self.config)  # last: while it is missing, there is no run here

    @property
    def origin(self) -> str | None:
        """The `init_from` that the run has recorded."""
        return configs.read(self.config).get("init_from") if self.begun else None

    def read_facts(self) -> dict:
        """What an earlier start recorded; empty for a new run, or if the file was removed.

        Raises:
            UserError: when the file is damaged.
        """
        if not self.begun or not self.facts.exists():
            return {}
        advice = (
            'It says what "auto" became in this run, how its random numbers are drawn, and which'
            " data it was trained on. Copy it from a backup; or remove it, if you know that data,"
            " devices and ganzoo's version are the same: the same command then writes it again."
        )
        with files.explain_damage(self.facts, advice):
            return dict(json.loads(self.facts.read_text(encoding="utf-8")))

    def rewind_log(self, step: int) -> float:
        """Drops log lines later than `step`, which will be written again.

        Returns:
            The seconds of training up to the last remaining line.
        """
        if not self.log.exists():
            return 0.0
        kept = [line for line in read_lines(self.log) if line["step"] <= step]
        files.write_text(self.log, _as_text(kept))
        return kept[-1]["seconds"] if kept else 0.0


def run_of(model: str | Path) -> RunDirectory | None:
    """The run that a trained model belongs to, also of one of the folders in it; None for a model
    by name, or a file."""
    path = files.expanded(model)
    if not path.is_dir():
        return None
    return RunDirectory(path.parent if path.name in ("model", "best") else path)


def read_lines(path: Path) -> list[dict]:
    """What a `.jsonl` file says, line by line; a file that does not exist has no lines.

    The last line is left out if it is being written, and so are damaged ones, which is said.
    """
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    found = []
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            read = dict(json.loads(line)) if line.strip() else {}
            if read and not read.keys() >= set(_KEYS.get(path.name, ())):
                raise ValueError
            found += [read] if read else []
        except (ValueError, TypeError):
            _say_once(f"{path}: line {number} is damaged and left out.")
    return found


def append_lines(path: Path, lines: Iterable[dict]) -> None:
    """Adds lines to a `.jsonl` file, below what was left of a line that was cut.

    Raises:
        UserError: when the disk is full or the file read-only.
    """
    with files.explain_write_errors(path, "copy the run elsewhere"), path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            file.write(b"" if file.read(1) == b"\n" else b"\n")
        file.write(_as_text(lines).encode())


def _as_text(lines: Iterable[dict]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


@functools.cache
def _say_once(text: str) -> None:
    print(text, file=sys.stderr)
