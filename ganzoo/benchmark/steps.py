"""The training steps of a config, and what they take."""

import functools
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable

import tensorflow as tf
from ml_collections import ConfigDict

from ganzoo import devices
from ganzoo.benchmark import operations
from ganzoo.callbacks import peak_memory_mb
from ganzoo.engine import Update
from ganzoo.errors import UserError
from ganzoo.trainer import Setup, StepTimer, prepare


class Steps:
    """The training steps of a config in one precision, compiled, to be timed round after round.

    Args:
        config: whose values are all set, but for those that follow from the data.
        precision: of `config.precision`.
        jit: of `config.jit`.
        profile: whether `rows` have the operations that take longest.
        where: as `ganzoo.devices.strategy` takes them.
    """

    def __init__(
        self, config: ConfigDict, precision: str, jit: str, profile: bool, *where: str | None
    ):
        config.precision, config.jit, self.profile = precision, jit, profile
        strategy = devices.strategy(*where)
        if profile and tf.config.list_logical_devices("GPU"):
            raise UserError("--profile shows the operations of a CPU: add --devices=cpu")
        self.setup = prepare(config, strategy)
        self.timer = StepTimer(self.setup)
        self.peak = peak_memory_mb()
        self.measures = _rates(self.setup.model.compute_dtype)
        self.rounds, self.rates = [], {name: [] for name in self.measures}

    def round(self) -> float:
        """Times one step of each kind, and the rates; returns the seconds of a step, the mean over
        the schedule."""
        self.rounds.append(self.timer.of_kinds())
        self.peak = max(self.peak, peak_memory_mb())
        for name, measure in self.measures.items():
            self.rates[name].append(measure())
        return self.timer.mean(self.rounds[-1])

    def rows(self) -> list[dict]:
        """What all rounds gave: for each kind of step, then for a step in the mean."""
        timer, self.pipeline = self.timer, data_rate(self.setup)
        kinds = {
            updates: operations.count(function.get_concrete_function(timer.iterator).graph)
            for updates, function in timer.functions.items()
        }
        rows = []
        for updates, counts in kinds.items():
            row = self._row(_name(updates), [one[updates] for one in self.rounds], counts)
            row["compile_seconds"] = timer.first[updates] - min(row["values"]) / 1000
            if self.profile:
                run = functools.partial(timer.functions[updates], timer.iterator)
                row["profile"] = operations.trace(run)
            rows.append(row)
        if len(rows) > 1:
            mean = Counter()
            for updates, counts in kinds.items():
                mean += {name: timer.shares[updates] * n for name, n in counts.items()}
            row = self._row("mean", [timer.mean(one) for one in self.rounds], mean)
            rows.append(row | {"compile_seconds": sum(row["compile_seconds"] for row in rows)})
        return rows

    def _row(self, name: str, seconds: list[float], counts: Counter) -> dict:
        median, batch_size = statistics.median(seconds), self.setup.config.batch_size
        rates = {name: statistics.median(values) for name, values in self.rates.items()}
        return {
            "what": name,
            "unit": "ms",
            "values": [1000 * value for value in seconds],
            "images_per_second": batch_size / median,
            "operations": dict(counts),
            "rates": rates,
            "share_of_rates": sum(counts[name] / rate for name, rate in rates.items()) / median,
            "share_of_pipeline": batch_size / self.pipeline / median,
            "peak_mib": self.peak,
        }


def data_rate(setup: Setup, seconds: float = 1.0) -> float:
    """Images per second of the input pipeline without a model, once its buffers are used up."""
    iterator, batches = iter(setup.batches(0)), 0
    for _ in range(20):
        next(iterator)
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        next(iterator)
        batches += 1
    return batches * setup.config.batch_size / elapsed


def _name(updates: Iterable[Update]) -> str:
    return " + ".join(update.name or update.player for update in updates)


def _rates(dtype: str) -> dict[str, Callable[[], float]]:
    """What measures the operations per second of a convolution, forward and backward, and of a
    product of matrices."""
    images, kernel = tf.ones([32, 32, 32, 128], dtype), tf.ones([3, 3, 128, 128], dtype)
    matrix = tf.ones([2048, 2048], dtype)

    def convolve():
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            result = tf.nn.conv2d(images, kernel, 1, "SAME")
        return [result, *tape.gradient(result, [images, kernel], output_gradients=images)]

    functions = {"convolution": convolve, "product": lambda: [matrix @ matrix]}
    compiled = {name: tf.function(run, autograph=False) for name, run in functions.items()}
    return {name: functools.partial(_rate, run) for name, run in compiled.items()}


def _rate(run: tf.types.experimental.PolymorphicFunction, seconds: float = 0.2) -> float:
    """Operations per second of a compiled function that returns tensors."""
    number = operations.count(run.get_concrete_function().graph).total()
    run()
    calls, elapsed = 1, 0.0
    while elapsed < seconds:
        calls *= 2
        start = time.perf_counter()
        for _ in range(calls):
            results = run()
        results[0].numpy()  # waits for the device
        elapsed = time.perf_counter() - start
    return calls * number / elapsed
