"""What happens besides training: ticks, log, sample grids, progress, and stopping early."""

import dataclasses
import json
import math
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from ganzoo import files
from ganzoo import images as pictures
from ganzoo.runs import append_lines, read_lines


@dataclasses.dataclass(frozen=True)
class Tick:
    """The state of training at the end of a tick.

    Attributes:
        step: steps trained.
        images: images trained on.
        seconds: of training since the run began, without what was done at ticks.
        images_per_second: over this tick.
        logs: means over this tick of what the updates logged.
        broken: its first step at which a logged number was not finite, if there was one.
    """

    step: int
    images: int
    seconds: float
    images_per_second: float
    logs: dict[str, float]
    broken: int | None = None


class Ticks(keras.callbacks.Callback):
    """Calls the actions every `tick_steps` steps, counted from the run's beginning, and at its end.

    Args:
        tick_steps: steps between ticks.
        actions: called in order with a `Tick`.
        seconds: trained in earlier starts of the run.
    """

    def __init__(
        self, tick_steps: int, actions: Sequence[Callable[[Tick], None]], seconds: float = 0.0
    ):
        super().__init__()
        self.tick_steps, self.actions = tick_steps, actions
        self.logs, self.seconds = [], seconds  # of the steps since the last tick

    def on_train_begin(self, logs=None):
        self.step = int(self.model.step.numpy())
        self.ticked = self.step
        self.tick_seconds, self.started = 0.0, time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        self.logs.append(logs)
        if self.step % self.tick_steps == 0:
            self._tick()

    def on_train_end(self, logs=None):
        if self.step > self.ticked:
            self._tick()

    def _tick(self):
        means, broken = self._means()
        elapsed = time.perf_counter() - self.started
        self.seconds += elapsed
        images, speed = self.step * self.model.batch_size, len(self.logs) / elapsed
        speed *= self.model.batch_size
        tick = Tick(self.step, images, self.seconds, speed, means, broken)
        for action in self.actions:
            action(tick)
        self.logs.clear()
        self.ticked, self.started = self.step, time.perf_counter()

    def _means(self) -> tuple[dict[str, float], int | None]:
        """Over the steps that logged a value; and the first step with one that is not finite."""
        columns, broken = defaultdict(dict), []
        for step, logs in enumerate(self.logs, start=self.ticked + 1):
            for name, value in logs.items():
                columns[name][step] = value
        means = {}
        for name, column in columns.items():
            values = np.asarray(tf.stack(list(column.values())), np.float64)
            means[name] = float(values.mean())
            broken += [s for s, v in zip(column, values, strict=True) if not np.isfinite(v)][:1]
        return means, min(broken, default=None)


class HealthMonitor:
    """Says in words when training goes wrong; each trouble once, until it has passed: "health".

    Args:
        sample: from the step to float images `[N, H, W, C]` in [-1, 1].
        batch: from the step to the words for the examples that it saw.
        lines: of the run's log; what they report is not reported again.
    """

    ALIKE = 0.02  # deviation over images of a pixel, whose values span 2
    RECOGNIZED = 0.98  # E[sign D(real)], for two ticks

    def __init__(
        self,
        sample: Callable[[int], tf.Tensor],
        batch: Callable[[int], str],
        lines: Sequence[dict] = (),
    ):
        self.sample, self.batch = sample, batch
        self.known, self.recognized = set(), {}
        for line in lines[-2:]:
            logs = {name: value for name, value in line.items() if isinstance(value, float)}
            self.known = set(self._found(Tick(line["step"], line["images"], 0.0, 0.0, logs)))

    def __call__(self, tick: Tick) -> dict[str, list[str]]:
        """The troubles that are new at this tick, also printed."""
        found = self._found(tick)
        new = [words for trouble, words in found.items() if trouble not in self.known]
        self.known = set(found)
        for words in new:
            print(f"Health: {words}", flush=True)
        return {"health": new} if new else {}

    def _found(self, tick: Tick) -> dict[str, str]:
        return {**self._not_finite(tick), **self._recognized(tick), **self._alike(tick)}

    def _not_finite(self, tick: Tick) -> dict[str, str]:
        broken = sorted(name for name, value in tick.logs.items() if not math.isfinite(value))
        if not broken:
            return {}
        since = f", since step {tick.broken:,} ({self.batch(tick.broken)})" if tick.broken else ""
        return {
            "not finite": f"{', '.join(broken)} not finite at {tick.images:,} images{since}. If"
            " this lasts, try --precision=float32 or a lower learning rate."
        }

    def _recognized(self, tick: Tick) -> dict[str, str]:
        """Of discriminators that know all real images; one tick alone may be the start."""
        signs = {n: v for n, v in tick.logs.items() if n.endswith("/real_sign")}
        high = {name: value for name, value in signs.items() if value > self.RECOGNIZED}
        both = {name: value for name, value in high.items() if name in self.recognized}
        self.recognized = high
        return {
            name: f"{name} = {value:.3f}: the discriminator recognizes all real images, and may"
            " have learned them by heart. With few of them, try --config.augment.pipe=bgc"
            " --config.augment.target=0.6."
            for name, value in both.items()
        }

    def _alike(self, tick: Tick) -> dict[str, str]:
        images = np.asarray(self.sample(tick.step))
        deviation = float(images.std(axis=0).mean())
        if len(images) < 2 or not deviation < self.ALIKE:
            return {}
        return {
            "alike": f"the samples are nearly alike (they differ by {deviation:.4f} of 2): the"
            " generator has collapsed."
        }


class Measuring:
    """Measures the model every so many images and at the end, and keeps the best one.

    Args:
        measure: gives the values of metrics by name, the one to go by first.
        higher_is_better: of that one.
        every: images between two measurements.
        total_images: at the end of the run.
        log: of the run, with what was measured before.
        keep: saves the model in a folder.
        best: the folder for the best model so far.
    """

    def __init__(
        self,
        measure: Callable[[], dict[str, float]],
        higher_is_better: bool,
        every: int,
        total_images: int,
        log: Path,
        keep: Callable[[Path], None],
        best: Path,
    ):
        self.measure, self.sign = measure, 1.0 if higher_is_better else -1.0
        self.every, self.total, self.log = every, total_images, log
        self.keep, self.best = keep, best
        lines = read_lines(self.log)
        self.images = lines[-1]["images"] if lines else 0

    def __call__(self, tick: Tick) -> dict[str, float]:
        """The values, also printed; empty when it is not yet time."""
        before, self.images = self.images, tick.images
        if tick.images // self.every == before // self.every and tick.images < self.total:
            return {}
        values = self.measure()
        print(", ".join(f"{name} {value:.4f}" for name, value in values.items()), flush=True)
        first = next(iter(values))
        earlier = [self.sign * line[first] for line in read_lines(self.log) if first in line]
        if not earlier or self.sign * values[first] > max(earlier):
            self.keep(self.best)
            facts = {"images": tick.images, **values}
            files.write_text(self.best / "metrics.json", json.dumps(facts, indent=2) + "\n")
        return values


class LogWriter:
    """Appends a line to `log.jsonl` and the same scalars to TensorBoard's events.

    Args:
        path: the log.
        model: whose learning rates and schedules are recorded.
        writer: a `tf.summary` writer.
        monitors: give more of what goes into the line.
    """

    def __init__(self, path: Path, model, writer, monitors: Sequence[Callable[[Tick], dict]] = ()):
        self.path, self.model, self.writer, self.monitors = path, model, writer, monitors

    def __call__(self, tick: Tick) -> None:
        rates = {
            f"{player}/learning_rate": float(self.model.optimizer_of(player).learning_rate.numpy())
            for player in self.model.players()
        }
        scalars = {
            "seconds": round(tick.seconds, 3),
            "images_per_second": round(tick.images_per_second, 2),
            "peak_memory_mb": round(peak_memory_mb(), 1),
            **tick.logs,
            **self.model.scheduled_values(),
            **rates,
        }
        for monitor in self.monitors:
            scalars |= monitor(tick)
        line = {"step": tick.step, "images": tick.images, **scalars}
        append_lines(self.path, [line])
        with self.writer.as_default(step=tick.images):
            for name, value in scalars.items():
                if not isinstance(value, list):
                    tf.summary.scalar(name, value)
        self.writer.flush()


class SampleWriter:
    """Writes a grid of images made from the same inputs each time, as PNG and for TensorBoard.

    Args:
        folder: of the PNG files, which are named by the number of images trained on.
        sample: from the step to float images `[N, H, W, C]` in [-1, 1].
        writer: a `tf.summary` writer.
    """

    def __init__(self, folder: Path, sample: Callable[[int], tf.Tensor], writer):
        self.folder, self.sample, self.writer = folder, sample, writer

    def __call__(self, tick: Tick) -> None:
        grid = pictures.grid(pictures.to_uint8(self.sample(tick.step)))
        pictures.save(grid, self.folder / f"{tick.images:09d}.png")
        with self.writer.as_default(step=tick.images):
            tf.summary.image("samples", grid[None])
        self.writer.flush()


class Progress(keras.callbacks.Callback):
    """A progress bar with ETA on a terminal; elsewhere a line per tick, for which it is an action.

    Args:
        total_images: at the end of the run.
    """

    def __init__(self, total_images: int):
        super().__init__()
        self.total = total_images
        self.terminal = sys.stderr.isatty()

    def on_train_begin(self, logs=None):
        done = int(self.model.step.numpy()) * self.model.batch_size
        self.bar = tqdm(
            total=self.total,
            initial=done,
            unit=" images",
            disable=not self.terminal,
            unit_scale=True,
        )

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(self.model.batch_size)

    def on_train_end(self, logs=None):
        self.bar.close()

    def __call__(self, tick: Tick) -> None:
        losses = ", ".join(
            f"{name} {value:.3f}" for name, value in tick.logs.items() if name.endswith("/loss")
        )
        if self.terminal:
            self.bar.set_postfix_str(losses)
            return
        left = max(0.0, (self.total - tick.images) / tick.images_per_second)
        print(
            f"{tick.images:,} of {self.total:,} images, {tick.images_per_second:.1f} images/s, "
            f"{left / 60:.1f} minutes left, {losses}",
            flush=True,
        )


class StopOnSignal(keras.callbacks.Callback):
    """Ends training after the current step at SIGTERM or Ctrl-C; a second signal ends it at once.

    Args:
        any_worker: whether a flag is set in the process of any worker, from whether it is in this
            one: all stop at the same step, since none can go on alone.

    Attributes:
        received: the signal's number, SIGTERM if it was sent to another worker, or None.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self, any_worker: Callable[[bool], bool] = bool):
        super().__init__()
        self.any_worker = any_worker
        self.received = None

    def on_train_begin(self, logs=None):
        self.before = {number: signal.signal(number, self._handle) for number in self.SIGNALS}

    def on_train_batch_end(self, batch, logs=None):
        if self.any_worker(self.received is not None):
            self.received = self.received or signal.SIGTERM
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _handle(self, number, frame):
        self.received = number
        signal.signal(number, self.before[number])
        print(f"{signal.Signals(number).name}: saving after this step", file=sys.stderr, flush=True)


def peak_memory_mb() -> float:
    """The most memory this process has held, in MiB; on a GPU, the most of the device's."""
    gpus = tf.config.list_logical_devices("GPU")
    if gpus:
        return (
            tf.config.experimental.get_memory_info(gpus[0].name.split("/device:")[-1])["peak"]
            / 2**20
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
