"""From a config to a trained model: what `python -m ganzoo.train` and the benchmark do.

The same call resumes a run that was stopped.
"""

import dataclasses
import functools
import itertools
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from ml_collections import ConfigDict

from ganzoo import augment, checkpoints, data, devices, evaluation, files, models
from ganzoo import config as configs
from ganzoo.callbacks import (
    HealthMonitor,
    LogWriter,
    Measuring,
    Progress,
    SampleWriter,
    StopOnSignal,
    Ticks,
    peak_memory_mb,
)
from ganzoo.engine import GAN, RANDOM_STREAMS, Update
from ganzoo.errors import UserError
from ganzoo.optimizers import arguments_of, make_optimizer
from ganzoo.recipes import ADAM
from ganzoo.runs import RunDirectory, read_lines
from ganzoo.schedules import is_schedule, value_at

_INFERRED = ("image_size", "channels", "num_classes")  # arguments of models that follow from data
_SHARED = (
    "image_size",
    "channels",
    "out_channels",
    "scale",
)  # arguments of models that their data go by


@dataclasses.dataclass(frozen=True)
class Setup:
    """A run ready to start: everything but the run directory."""

    config: ConfigDict
    strategy: tf.distribute.Strategy
    stream: data.ExampleStream
    model: GAN
    facts: dict

    def batches(self, start_step: int):
        """The data from a step on, in this worker's share."""
        replicas = self.strategy.num_replicas_in_sync

        def worker_batches(context):
            local = replicas // context.num_input_pipelines
            return data.batches(
                self.stream,
                batch_size=self.config.batch_size,
                seed=self.config.seed,
                start_step=start_step,
                num_replicas=replicas,
                first_replica=context.input_pipeline_id * local,
                local_replicas=local,
            )

        return self.strategy.distribute_datasets_from_function(worker_batches)

    def words_of(self, step: int) -> str:
        """Which images the step that ended as `step` saw, and the seed that chose them."""
        size, seed = self.config.batch_size, self.config.seed
        found = self.stream.indices(seed, np.arange((step - 1) * size, step * size))
        named = (f"{name} {' '.join(map(str, indices))}" for name, indices in found.items())
        return f"{', '.join(named)} of the data, seed {seed}"

    def examples(self, count: int) -> dict[str, tf.Tensor]:
        """The first examples of the data, as one batch on the host."""
        return next(iter(data.batches(self.stream, batch_size=count, seed=self.config.seed)))


def train(
    config: ConfigDict,
    run: RunDirectory,
    strategy: tf.distribute.Strategy,
    restart: bool = False,
) -> int | None:
    """Trains until `config.total_images`, going on from the last checkpoint in `run`.

    Args:
        config: as a config file returns it; values left open are inferred from the data.
        run: where everything is written.
        strategy: from `ganzoo.devices.strategy`.
        restart: whether an earlier run in the directory is set aside.

    Returns:
        The number of the signal that ended training early, or None.

    Raises:
        UserError: for anything that the user can fix.
    """
    if not devices.is_chief(strategy):
        return _train(prepare(config, strategy, run), run, chief=False)
    config = inferred(config, strategy.num_replicas_in_sync)
    if restart:
        with run.locked():
            run.set_aside()
    with run.locked():
        run.refuse_changes(config, {})  # before the data are prepared, which may take long
        setup = prepare(config, strategy, run)
        run.refuse_changes(config, setup.facts)
        return _train(setup, run, chief=True)


def prepare(
    config: ConfigDict, strategy: tf.distribute.Strategy, run: RunDirectory | None = None
) -> Setup:
    """Builds the model, with the weights to start from, and opens the data; prints what was
    inferred.

    Args:
        config: as a config file returns it.
        strategy: from `ganzoo.devices.strategy`.
        run: to be resumed: the meaning of "auto" stays, and so do the weights, if it has some.
    """
    replicas = strategy.num_replicas_in_sync
    config = inferred(config, replicas)
    data.require_divisible(config.batch_size, replicas, config.microbatch)
    facts = run.read_facts() if run else {}
    precision = facts.get("precision") or devices.resolve_precision(config.precision)
    jit = facts.get("jit", devices.resolve_jit(config.jit))
    streams = _random_streams(run, facts)
    keras.mixed_precision.set_global_policy(precision)
    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        augmentation = augment.make(**config.augment)
        model = models.build(config.model_name, augmentation, **config.model)
        model.compile(
            optimizers(config, precision),
            config.batch_size,
            seed=config.seed,
            jit=jit,
            schedules=optimizer_schedules(config),
            microbatch=config.microbatch,
            random_streams=streams,
        )
        if config.init_from and not (run and run.has_weights):
            models.start_from(model, config.init_from)
    stream = open_stream(config)  # takes long, so weights that do not fit were refused before
    model.class_names = tuple(_class_names(config, stream))
    facts = {
        "precision": precision,
        "jit": jit,
        "random_streams": streams,
        "data_fingerprint": stream.fingerprint,
        **model.facts(),
    }
    if model.class_names:
        facts["class_names"] = list(model.class_names)
    setup = Setup(config, strategy, stream, model, facts)
    if not config.init_from and not (run and run.has_weights):
        with strategy.scope():
            model.initialize(setup.examples)
    return setup


def _random_streams(run: RunDirectory | None, facts: dict) -> int:
    """The version of what keys the random numbers of updates, which a run keeps."""
    if not facts or "random_streams" in facts:
        return facts.get("random_streams", RANDOM_STREAMS)
    print(
        f"{run.path} was begun when random numbers were keyed by the positions of updates, and"
        " keeps its numbers. In a new run they are keyed by names, and are others."
    )
    return 1


def inferred(config: ConfigDict, num_replicas: int) -> ConfigDict:
    """A copy with what the config leaves to the data and the model, which is printed."""
    config = config.copy_and_resolve_references()
    model = models.model_class(config.model_name)
    open_keys = [key for key in _INFERRED if config.model.get(key, 0) is None]
    if open_keys:
        for line in configs.fill(config, _inferred_from_data(config, model, open_keys)):
            print(f"Inferred from the data: {line}")
    for line in configs.fill(config, model.recommended(config, num_replicas)):
        print(f"Chosen for this size: {line}")
    _drop_unused_arguments(config)
    return config


def _drop_unused_arguments(config: ConfigDict) -> None:
    """Takes out what a recipe has for Adam, where another optimizer was chosen that lacks it."""
    for player, options in config.optimizers.items():
        known = {"name", *arguments_of(options.name)}
        unused = [key for key in ADAM if key not in known and key in options]
        for key in unused:
            with options.unlocked():
                del options[key]
        if unused:
            print(f"{options.name} of {player} has no {', '.join(unused)}: left out")


def _inferred_from_data(config: ConfigDict, model: type[GAN], open_keys: list[str]) -> dict:
    """The arguments of the model that are open, by their dotted names."""
    options = config.data
    info = data.FORMATS[model.DATA].inspect(
        options.dataset,
        data_dir=options.data_dir,
        split=options.split,
        labels=_with_labels(config),
    )
    fitting = [s for s in model.IMAGE_SIZES if info.size is None or s <= min(info.size)]
    size = min(model.IMAGE_SIZES) if info.size is None or not fitting else max(fitting)
    values = {"image_size": size, "channels": info.channels, "num_classes": info.num_classes}
    return {f"model.{key}": values[key] for key in open_keys}


def open_stream(config: ConfigDict) -> data.ExampleStream:
    """The data of a config whose values are all set."""
    kind = data.FORMATS[models.model_class(config.model_name).DATA]
    options = {key: config.model[key] for key in _SHARED if key in config.model}
    if "num_classes" in config.model:
        options["labels"] = _with_labels(config)
    return kind.open(**{**config.data, **options})


def _with_labels(config: ConfigDict) -> bool:
    """Whether the data have labels: as the recipe says, or always where it leaves no choice, for
    models that are conditional by their nature."""
    return config.data.get("labels", "num_classes" in config.model)


def _class_names(config: ConfigDict, stream: data.ExampleStream) -> list[str]:
    """The names of the model's classes, which are printed with their numbers.

    Raises:
        UserError: if the data have other classes.
    """
    classes = config.model.get("num_classes", 0)
    if classes and classes != stream.source.num_classes:
        raise UserError(
            f"config.model.num_classes is {classes}, and {stream.source.name} has"
            f" {stream.source.num_classes} classes. Give --config.data.labels=true and the number"
            " of classes there are, or --config.model.num_classes=0 to train without labels."
        )
    names = list(stream.source.class_names) if classes else []
    if names:
        print(f"Classes: {data.numbered(names)}")
    return names


def optimizers(config: ConfigDict, precision: str) -> dict[str, keras.optimizers.Optimizer]:
    """One for each player; with float16, one that scales the loss."""

    def made(options):
        optimizer = make_optimizer(**{key: value_at(v, 0) for key, v in options.items()})
        if precision == "mixed_float16":
            # Keras' 2**15 overflows with penalties; the scale grows where it can.
            return keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=2.0**8)
        return optimizer

    return {player: made(options) for player, options in config.optimizers.items()}


def optimizer_schedules(config: ConfigDict) -> dict[str, dict[str, tuple]]:
    """For each player, the arguments of its optimizer that are schedules."""
    return {
        player: {key: value for key, value in options.items() if is_schedule(value)}
        for player, options in config.optimizers.items()
    }


def _train(setup: Setup, run: RunDirectory, chief: bool) -> int | None:
    config, model = setup.config, setup.model
    with setup.strategy.scope():
        step = _resumed_step(setup, run, chief)
    total_steps = configs.steps(config.total_images, config.batch_size)
    with files.explain_write_errors(run.path, "give another --workdir"):
        if chief:
            run.record(config, setup.facts)
        if step >= total_steps:
            print(f"{run.path} is complete: {step:,} steps. Raise --config.total_images to go on.")
            return None
        stop = StopOnSignal(devices.any_worker(setup.strategy))
        progress = Progress(total_steps * config.batch_size)
        seconds = run.rewind_log(step) if chief else 0.0
        actions = [*_writers(setup, run), progress] if chief else []
        ticks = Ticks(configs.steps(config.tick_images, config.batch_size), actions, seconds)
        with devices.explain_lost_workers(setup.strategy):
            model.fit(
                setup.batches(step),
                steps_per_epoch=total_steps - step,
                callbacks=[ticks, *([progress] if chief else []), stop],
                shuffle=False,  # the data set shuffles itself
                verbose=0,
            )
    return stop.received


def _resumed_step(setup: Setup, run: RunDirectory, chief: bool) -> int:
    """Gives the model the weights of the last checkpoint, if there is one; returns its step."""
    model, origin = setup.model, setup.config.init_from
    step = checkpoints.restore_latest(model, run.checkpoints, set_aside=chief)
    if origin and step and run.origin != origin:
        print(f"--init_from={origin} has no effect: {run.path} resumes from its checkpoint.")
    elif not step and run.log.exists():
        print(f"{run.path} has no checkpoint: its training begins again.")
    return step


def _writers(setup: Setup, run: RunDirectory) -> list[Callable]:
    """What the chief does at each tick."""
    config, model = setup.config, setup.model
    writer = tf.summary.create_file_writer(str(run.path))
    examples = setup.examples(config.num_samples)

    def save(folder):
        models.save(model, config.model_name, config.model.to_dict(), folder)

    @functools.lru_cache(maxsize=1)
    def sample(step):
        return model.preview(examples, config.num_samples)

    health = HealthMonitor(sample, setup.words_of, read_lines(run.log))
    return [
        LogWriter(run.log, model, writer, [health, *_measuring(setup, run, save)]),
        lambda tick: checkpoints.require_finite(model, run.checkpoints),
        SampleWriter(run.samples, sample, writer),
        lambda tick: save(run.model),
        # Last: with the last checkpoint a run is complete, wherever it is killed.
        lambda tick: checkpoints.save(model, run.checkpoints, config.keep_checkpoints),
    ]


def _measuring(setup: Setup, run: RunDirectory, save: Callable) -> list[Measuring]:
    """What measures the model in between, if the config wants it."""
    config, model = setup.config, setup.model
    if not config.evaluate_images:
        return []
    evaluations = evaluation.of_config(config, model, setup.stream, setup.strategy)
    total = configs.steps(config.total_images, config.batch_size) * config.batch_size
    return [
        Measuring(
            lambda: evaluation.measured(evaluations, model),
            evaluation.higher_is_better(config.evaluation.metrics.split(",")[0]),
            config.evaluate_images,
            total,
            run.log,
            save,
            run.best,
        )
    ]


def dry_run(setup: Setup, memory_gib: float | None = None) -> None:
    """Prints the config, the networks, the schedule, and what one real step of each kind takes.

    Args:
        setup: from `prepare`.
        memory_gib: the memory to stay within, by a `config.microbatch` that is found by trying.
    """
    config, model = setup.config, setup.model
    print(configs.to_json(config))
    for key, value in setup.facts.items():
        print(f"{key}: {value}")
    for player, networks in model.players().items():
        for network in networks:
            print(f"{player}: {network.name}, {trainable_parameters(network):,} parameters")
    print(f"Replicas: {setup.strategy.num_replicas_in_sync}")
    for update in model.updates():
        print(
            f"Update of {update.player}: at {update.offset} modulo {update.every} of the steps,"
            f" from image {update.start_images:,}"
            f" to {'the last' if update.stop_images is None else f'{update.stop_images:,}'}"
        )
    if memory_gib is not None:
        model.microbatch = _fitting_microbatch(setup, memory_gib)
    timer = StepTimer(setup)
    seconds = statistics.median(timer.seconds() for _ in range(3))
    steps = configs.steps(config.total_images, config.batch_size)
    print(f"Seconds per step, averaged over the schedule: {seconds:.3f}")
    print(f"Estimated for {steps:,} steps: {seconds * steps / 3600:.1f} hours")
    print(f"Peak memory: {peak_memory_mb():.0f} MiB")


def _fitting_microbatch(setup: Setup, limit: float) -> int:
    """The fewest parts of a batch with which training stays within so many GiB.

    It tries 16 parts first and 1 last, since the peak of a process never falls.
    """
    tf.get_logger().setLevel("ERROR")  # it warns of what is traced often, as it is meant here
    model, peaks, fitting = setup.model, [], None
    share = setup.config.batch_size // setup.strategy.num_replicas_in_sync
    for microbatch in (16, 8, 4, 2, 1):
        part, rest = divmod(share, microbatch)
        if rest or not part or part % min(part, model.group_size):
            continue
        # Half as many parts take twice the memory of one, which the last two peaks show.
        if len(peaks) > 1 and peaks[-1] + 2 * (peaks[-1] - peaks[-2]) > limit:
            break
        model.microbatch = microbatch
        StepTimer(setup)
        peaks.append(peak_memory_mb() / 1024)
        print(f"config.microbatch={microbatch}: {peaks[-1]:.2f} GiB")
        if peaks[-1] > limit:
            break
        fitting = microbatch
    if fitting is None:
        raise UserError(
            f"Training takes {peaks[0]:.2f} GiB in parts of {share // model.microbatch}"
            f" images, more than the {limit:g} GiB of --memory. Choose narrower networks or smaller"
            " images."
        )
    print(f"--config.microbatch={fitting} stays within {limit:g} GiB")
    return fitting


def trainable_parameters(network: keras.Layer) -> int:
    """How many numbers an optimizer moves."""
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


class StepTimer:
    """Times steps on real data, each kind of the schedule; compiles when it is made.

    Attributes:
        shares: which sets of updates steps have, and the share of the steps that has each.
        functions: the compiled step of each.
        first: seconds of their first calls, in which they were compiled.
    """

    def __init__(self, setup: Setup):
        config, model = setup.config, setup.model
        total = configs.steps(config.total_images, config.batch_size)
        self.shares = shares(model, total)
        self.functions = {updates: model.function_of(updates) for updates in self.shares}
        self.iterator = iter(setup.batches(0))
        self.first = self.of_kinds()

    def seconds(self) -> float:
        """Seconds of a step, the mean over the whole schedule, from one step of each kind."""
        return self.mean(self.of_kinds())

    def mean(self, seconds: dict[tuple[Update, ...], float]) -> float:
        """Over the whole schedule, of the seconds of each kind."""
        return sum(share * seconds[updates] for updates, share in self.shares.items())

    def of_kinds(self) -> dict[tuple[Update, ...], float]:
        """Seconds of one step of each kind."""
        return {updates: self._time(updates) for updates in self.functions}

    def _time(self, updates: tuple[Update, ...]) -> float:
        start = time.perf_counter()
        logs = self.functions[updates](self.iterator)
        float(next(iter(logs.values())))  # waits for the device
        return time.perf_counter() - start


def shares(model: GAN, total_steps: int) -> dict[tuple[Update, ...], float]:
    """Which sets of updates the steps of a run have, and the share of the steps that has each."""
    ends = {0, total_steps}
    for update in model.updates():
        for images in (update.start_images, update.stop_images):
            if images is not None:
                ends.add(min(total_steps, configs.steps(images, model.batch_size)))
    found = defaultdict(float)
    for first, last in itertools.pairwise(sorted(ends)):
        # Between two ends the schedule repeats itself.
        period = min(last - first, math.lcm(*(update.every for update in model.updates())))
        for step in range(first, first + period):
            found[model.active_updates(step)] += (last - first) / period / total_steps
    return dict(found)
