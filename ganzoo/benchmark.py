"""Measures a training step: python -m ganzoo.benchmark --model=ssgan --dataset=shapes

Every combination of `--precisions` and `--jits` is timed in turns, round after round, so that the
ratios hold on a machine whose speed drifts. A step is the mean over the run's schedule of updates.
The data pipeline is timed alone, too.
"""

from __future__ import annotations

import itertools
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import flags

from ganzoo import cli, devices
from ganzoo.callbacks import peak_memory_mb
from ganzoo.trainer import Setup, StepTimer, prepare

FLAGS = flags.FLAGS
cli.define_config_flags()
cli.define_device_flags()
flags.DEFINE_list("precisions", ["float32", "mixed_bfloat16"], "values of config.precision")
flags.DEFINE_list("jits", ["off"], "values of config.jit")
flags.DEFINE_integer("rounds", 5, "how often each combination is timed", lower_bound=1)


def main(argv):
    """The command line."""
    config = cli.from_flags()
    strategy = devices.strategy(FLAGS.devices, FLAGS.tpu)
    timers = {}
    for precision, jit in itertools.product(FLAGS.precisions, FLAGS.jits):
        config.precision, config.jit = precision, jit
        setup = prepare(config, strategy)
        timers[f"{precision}, jit {jit}"] = StepTimer(setup)
    seconds = {name: [] for name in timers}
    for _ in range(FLAGS.rounds):
        for name, timer in timers.items():
            seconds[name].append(timer.seconds())
    _print_steps(seconds, config.batch_size)
    print(f"data pipeline alone: {_data_rate(setup):,.0f} images/s")
    print(f"peak memory, all combinations together: {peak_memory_mb():,.0f} MiB")


def _print_steps(seconds: dict[str, list[float]], batch_size: int) -> None:
    """One line per combination, with its time over that of the first one, round by round."""
    first = next(iter(seconds.values()))
    for name, values in seconds.items():
        median = statistics.median(values)
        ratio = statistics.median(a / b for a, b in zip(values, first, strict=True))
        print(
            f"{name}: {1000 * median:.1f} ms/step"
            f" ({1000 * min(values):.1f} to {1000 * max(values):.1f}),"
            f" {batch_size / median:.1f} images/s, {ratio:.2f} x the first"
        )


def _data_rate(setup: Setup, batches: int = 200) -> float:
    """Images per second of the input pipeline without a model, after a start."""
    iterator = iter(setup.batches(0))
    for _ in range(20):
        next(iterator)
    start = time.perf_counter()
    for _ in range(batches):
        next(iterator)
    return batches * setup.config.batch_size / (time.perf_counter() - start)


if __name__ == "__main__":
    cli.run(main)
