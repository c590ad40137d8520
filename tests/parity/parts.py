"""What a training step is made of, and what surrounds it.

    python tests/parity/parts.py --part=operations --model=dcgan --dataset=shapes
    python tests/parity/parts.py --part=load --preset=dcgan_mnist
    python tests/parity/parts.py --part=evaluate --config=dcgan_mnist --metric=fd50k_lenet-mnist

Each part yields what it measures, round after round: values by what they are of and their unit.
"""

import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import tensorflow as tf
from absl import flags as absl_flags
from absl.flags import FlagValues
from ml_collections import ConfigDict

sys.path.insert(0, str(Path(__file__).parents[2]))

from ganzoo import checkpoints, cli, devices, metrics, models
from ganzoo.benchmark import tables
from ganzoo.benchmark.steps import Worker, data_rate, name_of
from ganzoo.errors import UserError
from ganzoo.evaluation.extraction import Extractor
from ganzoo.latents import BATCH_SIZE, LatentGAN, random_of
from ganzoo.metrics import FeatureSet
from ganzoo.trainer import Setup, StepTimer, prepare
from tests.parity import operations

Values = Iterator[dict[tuple[str, str], float]]
FLAGS = absl_flags.FLAGS
PIXELS = 128  # of an image that is converted
TOP = 10  # operations of a trace


def operating(config: ConfigDict, flags: FlagValues) -> Values:
    """Operations of each kind of step, counted in its graph, and the time that they take at the
    rates of a large convolution and a large product, measured at the same time, over the step's."""
    setup = _setup(config, flags)
    timer, measures = StepTimer(setup), operations.rates(setup.model.compute_dtype)
    counts = {
        updates: operations.count(function.get_concrete_function(timer.iterator).graph)
        for updates, function in timer.functions.items()
    }
    while True:
        values, rates = {}, {name: measure() for name, measure in measures.items()}
        for updates, seconds in timer.of_kinds().items():
            alone = sum(counts[updates][name] / rate for name, rate in rates.items())
            step = {"GFLOP": counts[updates].total() / 1e9, "of rates": alone / seconds}
            values |= {(name_of(updates), unit): value for unit, value in step.items()}
        yield values | {(f"{name}s", "TFLOP/s"): rate / 1e12 for name, rate in rates.items()}


def profiling(config: ConfigDict, flags: FlagValues) -> Values:
    """The operations of each kind of step that take longest on a CPU."""
    if not (flags.devices or "cpu").startswith("cpu"):
        raise UserError("--part=profile traces the operations of a CPU: add --devices=cpu")
    timer = StepTimer(prepare(config, devices.strategy("cpu")))
    longest = {}
    while True:
        values = {}
        for updates, function in timer.functions.items():
            lines = operations.trace(lambda run=function: run(timer.iterator))
            found = {line["operation"]: line["milliseconds"] for line in lines}
            for name in longest.setdefault(updates, list(found)[:TOP]):
                values[f"{name_of(updates)}: {name}", "ms"] = found.get(name, 0.0)
        yield values


def importing(config: ConfigDict, flags: FlagValues) -> Values:
    """From nothing to the package, and to the logs of a first step."""
    code = "import time; t = time.perf_counter(); import ganzoo; print(time.perf_counter() - t)"
    while True:
        imported = float(subprocess.check_output([sys.executable, "-c", code]))
        seconds, worker = _timed(Worker, first_step, config, flags.devices, flags.tpu)
        worker.close()
        yield {("import", "ms"): 1000 * imported, ("command to first step", "s"): seconds}


def first_step(config: ConfigDict, *where: str | None) -> None:
    """Makes the first step of a training."""
    setup = prepare(config, devices.strategy(*where))
    run = setup.model.function_of(setup.model.active_updates(0))
    logs = run(iter(setup.batches(0)))
    float(next(iter(logs.values())))  # waits for the device


def loading(preset: str, flags: FlagValues) -> Values:
    """A trained model, and its first image."""
    while True:
        load, model = _timed(models.load, preset)
        first, _ = _timed(_make, model, 1)
        yield {("load", "ms"): 1000 * load, ("first image", "ms"): 1000 * first}


def generating(preset: str, flags: FlagValues) -> Values:
    """Images of a trained model that is compiled."""
    model = models.load(preset)
    count, what = 1, f"convert {PIXELS} px"
    if model.mode().draws:
        count, what = 4 * BATCH_SIZE, "generate"
    _make(model, count)
    while True:
        yield {(what, "images/s"): count / _timed(_make, model, count)[0]}


def checkpointing(config: ConfigDict, flags: FlagValues) -> Values:
    """A checkpoint, written and read."""
    model = _setup(config, flags).model
    with tempfile.TemporaryDirectory() as name:
        while True:
            save, path = _timed(checkpoints.save, model, Path(name), keep=1)
            restore, _ = _timed(checkpoints.restore_latest, model, Path(name))
            times = {("save", "ms"): 1000 * save, ("restore", "ms"): 1000 * restore}
            yield times | {("size", "MiB"): path.stat().st_size / 2**20}


def piping(config: ConfigDict, flags: FlagValues) -> Values:
    """The input pipeline without a model."""
    setup = _setup(config, flags)
    while True:
        yield {("input pipeline", "images/s"): data_rate(setup)}


def evaluating(config: ConfigDict, flags: FlagValues) -> Values:
    """Drawing alone, looking alone, and a metric up to its statistics."""
    setup = _setup(config, flags)
    if flags.metric is None or not isinstance(setup.model, LatentGAN):
        raise UserError(
            "--part=evaluate needs --metric, such as fd50k_lenet-mnist, and a model that draws"
        )
    protocol = metrics.parse(flags.metric)
    network = metrics.open_network(protocol.network, *flags.weights)
    extractor = Extractor(network, setup.strategy)
    images = flags.batches * BATCH_SIZE * extractor.replicas
    functions = _functions_of_metric(setup.model, extractor, flags.batches)
    for function in functions:
        function()  # compiles it
    while True:
        draw, look, both = (_timed(function)[0] for function in functions)
        yield {
            ("generator", "images/s"): images / draw,
            (protocol.network, "images/s"): images / look,
            (protocol.name, "images/s"): images / both,
            (f"{protocol.name} over the sum of the other two", "times"): both / (draw + look),
        }


def _functions_of_metric(model: LatentGAN, extractor: Extractor, batches: int) -> list[Callable]:
    """What draws, what looks at as many images, and what does both."""
    size = BATCH_SIZE * extractor.replicas
    latents = model.draw_latents(random_of(0), batches * size)
    labels, steps = np.zeros([len(latents)], np.int32), tf.range(extractor.replicas)
    images = tf.zeros([size, model.image_size, model.image_size, model.channels], tf.uint8)

    def draw_part(step, latents, labels):
        return (model.draw(latents, labels, random_of(0, step[0])),)

    draw = devices.run_on_replicas(extractor.strategy, draw_part)
    look = devices.run_on_replicas(extractor.strategy, extractor.network)

    def draw_all():
        drawn = (draw(steps, latents[:size], labels[:size]) for _ in range(batches))
        return [batch[0][0, 0, 0, 0].numpy() for batch in drawn]

    def look_at_all():
        return [look(images)[0][0, 0].numpy() for _ in range(batches)]

    def measure():
        return FeatureSet.of(extractor.of_model(model, latents, labels, 0)).statistics()

    return [draw_all, look_at_all, measure]


OF_PRESETS = MappingProxyType({"load": loading, "generate": generating})
OF_CONFIGS = MappingProxyType(
    {
        "operations": operating,
        "profile": profiling,
        "import": importing,
        "evaluate": evaluating,
        "checkpoint": checkpointing,
        "data": piping,
    }
)


def define_flags() -> None:
    """The flags of this command."""
    cli.define_config_flags()
    cli.define_device_flags()
    parts = [*OF_CONFIGS, *OF_PRESETS]
    absl_flags.DEFINE_enum("part", None, parts, "what is measured", required=True)
    absl_flags.DEFINE_integer("rounds", 5, "how often everything is timed", lower_bound=1)
    absl_flags.DEFINE_string("json", None, "the file to write everything to")
    absl_flags.DEFINE_string("preset", None, "a trained model, for load and generate; None: all")
    absl_flags.DEFINE_string("metric", None, "such as fd50k_lenet-mnist, for evaluate")
    absl_flags.DEFINE_list("weights", [], "the file of the metric's feature network")
    absl_flags.DEFINE_integer("batches", 16, "of a metric's images in each round", lower_bound=1)


def main(argv: list[str]) -> None:
    """The command line."""
    if FLAGS.part in OF_PRESETS:
        bundled = [name for name, preset in models.presets().items() if preset.url is None]
        presets = bundled if FLAGS.preset is None else [FLAGS.preset]
        rows = [row for one in presets for row in _rows(one, OF_PRESETS[FLAGS.part], one)]
    else:
        rows = _rows(cli.run_name(), OF_CONFIGS[FLAGS.part], cli.from_flags())
    print(tables.shown(rows))
    if FLAGS.json is not None:
        tables.save(rows, FLAGS.json)


def _rows(name: str, part: Callable[..., Values], subject) -> list[dict]:
    """The values of a part, round after round."""
    rounds = list(itertools.islice(part(subject, FLAGS), FLAGS.rounds))
    return [
        {"of": name, "what": what, "unit": unit, "values": [one[what, unit] for one in rounds]}
        for what, unit in rounds[0]
    ]


def _setup(config: ConfigDict, flags: FlagValues) -> Setup:
    return prepare(config, devices.strategy(flags.devices, flags.tpu))


def _make(model, count: int) -> np.ndarray:
    """So many images of a model that draws, or one that it converts."""
    if model.mode().draws:
        return model.generate(count)
    return model.convert(np.zeros([PIXELS, PIXELS, model.channels], np.float32))


def _timed(function: Callable, *arguments, **named) -> tuple[float, Any]:
    """The seconds that a call takes, and what it returns."""
    start = time.perf_counter()
    result = function(*arguments, **named)
    return time.perf_counter() - start, result


if __name__ == "__main__":
    cli.run(main, define_flags)
