"""What the points of the campaign share: a try, and the trainings that faults happen to."""

from __future__ import annotations

import functools
import itertools
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from PIL import Image

from ganzoo import checkpoints, models, report
from ganzoo.runs import RunDirectory
from ganzoo.testing.subject import BATCH, recipe_of
from ganzoo.translation import ImageGAN
from tests.faults.children import Child, Done, command

STEPS, HALF = 6, 2
IMAGES = 24  # of each class of the data
TIMES = ("seconds", "images_per_second", "peak_memory_mb")


class Try(NamedTuple):
    """A fault, whether the training or the user came out of it well, None if it cannot be tried on
    this machine, and what the user saw."""

    fault: str
    survived: bool | None
    saw: str


class Context:
    """Where the campaign works: a folder, its random numbers, a training for each model."""

    def __init__(self, folder: Path, names: list[str], seed: int = 0):
        self.folder, self.names, self.random = folder, names, random.Random(seed)
        self._numbers = itertools.count()
        self.images = self._made_images()

    def _made_images(self) -> Path:
        """Images for every kind of data: two folders, which are classes or domains, and pairs."""
        root, rng = self.folder / "images", np.random.default_rng(0)
        for folder, width in (("trainA", 32), ("trainB", 32), ("test", 64)):
            (root / folder).mkdir(parents=True)
            for index in range(IMAGES if width == 32 else 4):
                pixels = rng.integers(0, 256, (4, width // 8, 3), np.uint8)
                picture = Image.fromarray(pixels).resize((width, 32), Image.Resampling.BICUBIC)
                picture.save(root / folder / f"{index}.png")
        (self.folder / "pairs").mkdir()
        shutil.move(root / "test", self.folder / "pairs" / "test")
        return root

    @functools.cache  # noqa: B019  the context lives as long as the campaign
    def training(self, name: str) -> Training:
        return Training(self, name)

    def fresh(self, title: str) -> Path:
        """A path that nothing is at."""
        return self.folder / f"{title}-{next(self._numbers):04d}"


class Training:
    """Small trainings of a model, which take a tick after each of six steps, and measure thrice."""

    def __init__(self, context: Context, name: str):
        self.context, self.name = context, name
        recipe, model = recipe_of(name), models.model_class(name)
        kind = "unpaired" if model.DATA == "unpaired" else "folder"
        recipe.data.dataset = f"{kind}:{context.images}"
        recipe.batch_size, recipe.tick_images, recipe.total_images = BATCH, BATCH, STEPS * BATCH
        recipe.evaluate_images = HALF * BATCH
        if issubclass(model, ImageGAN):
            recipe.evaluation.metrics = "psnr_rgb"
            kind = "paired" if kind == "unpaired" else kind
            recipe.evaluation.dataset = f"{kind}:{context.folder / 'pairs'}"
        else:
            recipe.evaluation.metrics = "fd16_convnet-shapes"
        self.flags = report.arguments(recipe)

    def start(self, workdir: Path, *flags: str, fault: Callable = lambda: None) -> Child:
        """Starts or resumes a training."""
        work = command("train", *self.flags, f"--workdir={workdir}", "--devices=cpu", *flags)
        return Child(self.context.fresh("out"), work, fault)

    def run(self, workdir: Path, *flags: str, fault: Callable = lambda: None) -> Done:
        return self.start(workdir, *flags, fault=fault).finish()

    @functools.cached_property
    def straight(self) -> Path:
        """A run to which nothing happened."""
        return self._made(self.context.fresh(f"{self.name}-straight"))

    @functools.cached_property
    def half(self) -> Path:
        """The first two steps of it."""
        images = f"--config.total_images={HALF * BATCH}"
        return self._made(self.context.fresh(f"{self.name}-half"), images)

    def _made(self, workdir: Path, *flags: str) -> Path:
        done = self.run(workdir, *flags)
        if done.code != 0:
            raise RuntimeError(f"{self.name} does not even train without faults: {done.text}")
        return workdir

    def copy(self, source: Path, parent: Path | None = None) -> Path:
        """A copy of a run."""
        target = self.context.fresh(self.name)
        target = target if parent is None else parent / target.name
        return shutil.copytree(source, target)

    def outcome(self, workdir: Path, log: bool = True) -> str:
        """How a run differs from the straight one; empty where it does not by a bit."""
        expected, found = content(self.straight, log), content(workdir, log)
        names = sorted(expected.keys() | found.keys())
        differing = [n for n in names if not _same(expected.get(n), found.get(n))]
        shown = ", ".join(differing[:3])
        return f"{len(differing)} differ, such as {shown}" if differing else ""


def content(workdir: Path, log: bool = True) -> dict:
    """All that a run came to: arrays of its last checkpoint and its models, log, samples; and what
    was left behind by writes that were cut off."""
    run = RunDirectory(workdir)
    steps = checkpoints.saved_steps(run.checkpoints)
    files = [checkpoints.path_of(run.checkpoints, step) for step in steps[-1:]]
    found = {"steps": steps}
    for path in [*files, *run.model.glob("*.h5"), *(run.best.glob("*.h5") if log else ())]:
        found |= {f"{path.relative_to(workdir)} {k}": v for k, v in arrays(path).items()}
    if log:
        found["log"] = [
            {k: v for k, v in json.loads(line).items() if k not in TIMES}
            for line in run.log.read_text().splitlines()
        ]
        found |= {path.name: path.read_bytes() for path in run.samples.iterdir()}
        found["best"] = (run.best / "metrics.json").read_text()
    found["left"] = sorted(path.name for path in workdir.rglob("unfinished-*"))
    return found


def arrays(path: Path) -> dict[str, np.ndarray]:
    """What a weights file holds."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]} if hasattr(item, "shape") else {})
        )
    return found


def _same(one, other) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    return one == other


def at_step(step: int, action: Callable[[], None]) -> Callable[[], None]:
    """A fault: something happens before a step, once."""

    def fault():
        from ganzoo.engine import GAN

        before = GAN._follow_schedules
        happened = []

        def acting(model, images):
            if images >= step * model.batch_size and not happened:
                happened.append(True)
                action()
            return before(model, images)

        GAN._follow_schedules = acting

    return fault
