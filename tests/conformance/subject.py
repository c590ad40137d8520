"""A model under test, compiled once: every test finds it as it was made."""

import functools
import gc
from unittest import mock

import keras
import tensorflow as tf

from ganzoo import config, data, engine, models, trainer
from ganzoo.seeds import Random

BATCH = 16
ONE = tf.distribute.get_strategy()


def recipe_of(name, full=True):
    """A model's default recipe, small, on bundled data.

    Args:
        name: a key of `MODELS`.
        full: with classes and with an averaged generator, where the model can have them; else
            without them, and of one channel.
    """
    recipe, model = config.load(name), models.model_class(name)
    recipe.update(
        {
            "batch_size": BATCH,
            "total_images": 8 * BATCH,
            "tick_images": 4 * BATCH,
            "num_samples": 4,
            "precision": "float32",
            "seed": 1,  # 0 puts an activation of SRGAN on the kink of a ReLU: rounding decides
            "augment": {"pipe": "color", "strength": 0.5, "target": 0.6, "interval": 1},
            "data": {"dataset": data.KINDS[model.DATA].bundled},
            "model": dict(model.TINY),
        }
    )
    recipe.augment.speed_images = 10 * BATCH
    if full and "labels" in recipe.data:
        recipe.data.labels = True
    if full and "ema_half_life_images" in recipe.model:
        recipe.model.ema_half_life_images = 1000
    if not full:
        recipe.model.channels = 1
    return recipe


def prepared(recipe, strategy=ONE):
    """As the trainer does it, but TensorFlow's own seed, which no model uses, stays as it is: when
    it is set, all compiled functions are made again."""
    with mock.patch.object(tf.random, "set_seed"):
        return trainer.prepare(recipe, strategy)


class Repeating(Random):
    """Draws two examples and repeats them, as `Subject.repeated` does with a batch."""

    def _bits(self, stream, shape):
        one = Random(self.seed, self.step, scope=self.scope)
        pair = one._bits(stream, [min(2, shape[0]), *shape[1:]])
        return tf.tile(pair, [max(1, shape[0] // 2), *[1 for _ in shape[1:]]])


class Subject:
    """A model that trains by gradient descent: Adam would make full steps of rounding.

    A step makes all updates, whatever the schedule, and is a graph, traced once. Random numbers are
    `Repeating`, so that halves of a repeated batch have the statistics of the whole.

    Args:
        recipe: as `recipe_of` returns it.
        strategy: whose replicas share the batch.
        jit: whether XLA compiles the gradients.
        eager: whether the rest of a step runs as it is written, which is quicker for few steps.
    """

    def __init__(self, recipe, strategy=ONE, jit=False, eager=False):
        self.recipe, self.strategy = recipe, strategy
        self.setup = prepared(recipe, strategy)
        self.model = self.setup.model
        with strategy.scope():
            optimizers = {p: keras.optimizers.SGD(0.01, 0.5) for p in self.model.players()}
            self.model.compile(optimizers, BATCH, jit=jit)
        self.step = self._eager_step if eager else self.model.function_of(self.model.updates())
        self.batch = self.setup.examples(BATCH)
        self.start = self.values()

    def _eager_step(self, iterator, updates=None):
        logs = self.strategy.run(self.model.train_step, (next(iterator), updates))
        return {k: self.strategy.experimental_local_results(v)[0] for k, v in logs.items()}

    @property
    def variables(self):
        return saved_variables(self.model)

    def values(self):
        return values(self.variables)

    def restore(self):
        """Makes it what it was at first."""
        with self.strategy.scope():
            for variable, value in zip(self.variables, self.start, strict=True):
                variable.assign(value)

    def run(self, steps=1, batches=None, updates=None):
        """The logs of the last of some steps; of chosen updates, it is not compiled."""
        if batches is None:
            batches = self.setup.batches(int(self.model.step.numpy()))
        iterator = iter(batches)
        step = self.step
        if updates is not None:
            step = functools.partial(self._eager_step, updates=updates)
        with mock.patch.object(engine, "Random", Repeating):
            for _ in range(steps):
                logs = step(iterator)
        return {name: float(value) for name, value in logs.items()}

    def repeated(self):
        """Two examples, over and over: each part of such a batch has the statistics of it all."""
        count = BATCH // self.strategy.num_replicas_in_sync
        tiled = {}
        for name, tensor in self.batch.items():
            # Of one class: which labels fakes get depends on how many there are to choose from.
            pair = [0, 1] if tensor.shape.rank > 1 else [0, 0]
            tiled[name] = tf.gather(tensor, pair * (count // 2))
        dataset = tf.data.Dataset.from_tensors(tiled).repeat()
        return self.strategy.distribute_datasets_from_function(lambda context: dataset)


class Subjects:
    """The subjects of one recipe, made when first asked for."""

    def __init__(self, recipe, two_replicas):
        self.recipe, self.two_replicas, self.made = recipe, two_replicas, {}

    def graph(self) -> Subject:
        """On one device, in float32; as it was made, whatever tests did with it."""
        return self._get("graph")

    def two(self) -> Subject:
        """On two replicas."""
        return self._get("two", strategy=self.two_replicas, eager=True)

    def bfloat16(self) -> Subject:
        """In half precision."""
        return self._get("bfloat16", {"precision": "mixed_bfloat16"}, eager=True)

    def xla(self) -> Subject:
        """Compiled by XLA, without augmentation, which takes as long to compile as the rest."""
        return self._get("xla", {"augment.pipe": "none"}, eager=True, jit=True)

    def _get(self, key, changes=None, **options):
        recipe = self.recipe.copy_and_resolve_references()
        recipe.update_from_flattened_dict(changes or {})
        keras.mixed_precision.set_global_policy(recipe.precision)
        if key not in self.made:
            self.made[key] = Subject(recipe, **options)
        self.made[key].restore()
        return self.made[key]

    def close(self):
        self.made.clear()
        gc.collect()


def saved_variables(model):
    """All that a checkpoint holds."""
    owners = [model, *map(model.optimizer_of, model.players())]
    return [v for owner in owners for v in owner.variables]


def values(variables):
    return [v.numpy() for v in variables]
