"""Measures a training step: python -m ganzoo.benchmark --model=ssgan --dataset=shapes

Every combination of `--precisions` and `--jits` is timed in turns, round after round, so that the
ratios hold on a machine whose speed drifts. A step is the mean over the run's schedule of updates.
The data pipeline is timed alone, too.

With --metric it measures, instead, what a metric takes beside its generator and feature network:

    python -m ganzoo.benchmark --model=dcgan --dataset=mnist --metric=fd50k_lenet-mnist
"""

from __future__ import annotations

import itertools
import statistics
import time

import numpy as np
import tensorflow as tf
from absl import flags

from ganzoo import cli, devices, metrics
from ganzoo.callbacks import peak_memory_mb
from ganzoo.evaluation.extraction import Extractor
from ganzoo.latents import BATCH_SIZE, random_of
from ganzoo.metrics import FeatureSet
from ganzoo.trainer import Setup, StepTimer, prepare

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this command."""
    cli.define_config_flags()
    cli.define_device_flags()
    flags.DEFINE_list("precisions", ["float32", "mixed_bfloat16"], "values of config.precision")
    flags.DEFINE_list("jits", ["off"], "values of config.jit")
    flags.DEFINE_string(
        "metric", None, "time a metric such as fd50k_lenet-mnist instead of training"
    )
    flags.DEFINE_list("weights", [], "the file of the metric's feature network")
    flags.DEFINE_integer("batches", 16, "of a metric's images in each round", lower_bound=1)
    flags.DEFINE_integer("rounds", 5, "how often each combination is timed", lower_bound=1)


def main(argv):
    """The command line."""
    config = cli.from_flags()
    strategy = devices.strategy(FLAGS.devices, FLAGS.tpu)
    if FLAGS.metric is not None:
        _time_metric(config, strategy)
        return
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


def _time_metric(config, strategy) -> None:
    """Drawing alone, looking alone, and the metric up to its statistics, in turns."""
    config.precision, config.jit = FLAGS.precisions[0], FLAGS.jits[0]
    model = prepare(config, strategy).model
    protocol = metrics.parse(FLAGS.metric)
    extractor = Extractor(metrics.open_network(protocol.network, *FLAGS.weights), strategy)
    parts = _parts_of_metric(model, extractor)
    seconds = {name: [] for name in parts}
    for part in parts.values():
        part()  # compiles it
    for _ in range(FLAGS.rounds):
        for name, part in parts.items():
            started = time.perf_counter()
            part()
            seconds[name].append(time.perf_counter() - started)
    images = FLAGS.batches * BATCH_SIZE * extractor.replicas
    for name, values in seconds.items():
        rate = images / statistics.median(values)
        print(f"{name}: {rate:,.0f} images/s, {protocol.count:,} in {protocol.count / rate:,.0f} s")
    ratios = [whole / (draw + look) for draw, look, whole in zip(*seconds.values(), strict=True)]
    print(f"{FLAGS.metric} over the sum of the other two: {statistics.median(ratios):.3f}")


def _parts_of_metric(model, extractor: Extractor) -> dict:
    """What is timed, by name: each draws or looks at as many images."""
    size = BATCH_SIZE * extractor.replicas
    latents = model.draw_latents(random_of(0), FLAGS.batches * size)
    labels, steps = np.zeros([len(latents)], np.int32), tf.range(extractor.replicas)
    images = tf.zeros([size, model.image_size, model.image_size, model.channels], tf.uint8)

    def draw_part(step, latents, labels):
        return (model.draw(latents, labels, random_of(0, step[0])),)

    draw = devices.spread(extractor.strategy, draw_part)
    look = devices.spread(extractor.strategy, extractor.network)

    def draw_all():
        batches = (draw(steps, latents[:size], labels[:size]) for _ in range(FLAGS.batches))
        return [batch[0][0, 0, 0, 0].numpy() for batch in batches]

    def look_at_all():
        return [look(images)[0][0, 0].numpy() for _ in range(FLAGS.batches)]

    def measure():
        return FeatureSet.of(extractor.of_model(model, latents, labels, 0)).statistics()

    return {"generator": draw_all, "network": look_at_all, FLAGS.metric: measure}


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
    cli.run(main, define_flags)
