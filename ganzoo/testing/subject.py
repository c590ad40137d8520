"""A model under test, compiled once: every test finds it as it was made."""

from unittest import mock

import keras
import tensorflow as tf

from ganzoo import config, data, engine, models, trainer
from ganzoo.engine import GAN
from ganzoo.optimizers import SGD
from ganzoo.schedules import values_of
from ganzoo.seeds import Random
from ganzoo.testing.processes import free

BATCH = 16
ONE = tf.distribute.get_strategy()


def recipe_of(name, full=True):
    """A model's default recipe, small, on bundled data.

    Args:
        name: what `config.load` takes: a key of `MODELS`, "module:Class" or a config file.
        full: with classes and with an averaged generator, where the model can have them; else
            without them, and of one channel.
    """
    recipe = config.load(name)
    model = models.model_class(recipe.model_name)
    recipe.update(
        {
            "batch_size": BATCH,
            "total_images": 8 * BATCH,
            "tick_images": 4 * BATCH,
            "num_samples": 4,
            "precision": "float32",
            "seed": 1,  # 0 puts an activation of SRGAN on the kink of a ReLU: rounding decides
            "augment": {"pipe": "color", "strength": 0.5, "target": 0.6, "interval": 1},
            "data": {"dataset": data.FORMATS[model.DATA].bundled},
            "model": dict(model.TINY),
        }
    )
    recipe.augment.speed_images = 10 * BATCH
    for arguments in recipe.optimizers.values():  # which SGD, see `prepared`, would have to have
        betas = {name: value for name, value in arguments.items() if name.startswith("beta")}
        arguments.update({name: values_of(value)[-1] for name, value in betas.items()})
    if full and "labels" in recipe.data:
        recipe.data.labels = True
    if full and "ema_half_life_images" in recipe.model:
        recipe.model.ema_half_life_images = 1000
    if not full:
        recipe.model.channels = 1
    return recipe


def prepared(recipe, strategy, momentum):
    """As the trainer does it, but for the optimizers: Adam would make full steps of rounding."""

    def descents(config, precision):
        return {player: SGD(0.01, momentum) for player in config.optimizers}

    # TensorFlow's own seed, which no model uses, stays: to set it makes all compiled functions new.
    with (
        mock.patch.object(tf.random, "set_seed"),
        mock.patch.object(trainer, "optimizers", descents),
    ):
        return trainer.prepare(recipe, strategy)


class Repeating(Random):
    """Draws two examples and repeats them, as `Subject.repeated` does with a batch."""

    def _bits(self, stream, shape):
        one = Random(self.seed, self.step, scope=self.scope)
        pair = one._bits(stream, [min(2, shape[0]), *shape[1:]])
        return tf.tile(pair, [max(1, shape[0] // 2), *[1 for _ in shape[1:]]])


class Subject:
    """A model that trains by gradient descent.

    A step makes all updates, whatever the schedule. Random numbers are `Repeating`, so that halves
    of a repeated batch have the statistics of the whole.

    Args:
        recipe: as `recipe_of` returns it.
        strategy: whose replicas share the batch.
        compiled: whether a step is a graph, traced once; else it runs as it is written, which is
            quicker for few steps.
        momentum: of the optimizers, which acts from the second step on.
    """

    def __init__(self, recipe, strategy=ONE, compiled=False, momentum=0.0):
        self.recipe, self.strategy = recipe, strategy
        keras.mixed_precision.set_global_policy(recipe.precision)
        self.setup = prepared(recipe, strategy, momentum)
        self.model = self.setup.model
        self.step = self.model.function_of(self.model.updates()) if compiled else self._eager_step
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

    def run(self, steps=1, batches=None):
        """The logs of the last of some steps."""
        if batches is None:
            batches = self.setup.batches(int(self.model.step.numpy()))
        iterator = iter(batches)
        with mock.patch.object(engine, "Random", Repeating):
            for _ in range(steps):
                logs = self.step(iterator)
        return {name: float(value) for name, value in logs.items()}

    def run_main(self, batches, under_xla=None):
        """The logs of one step, as it is written, with the main update of each player, without
        augmentation, which takes as long as the rest; XLA may compute the gradients of one player.
        """
        model = self.model
        compute = model._gradients

        def gradients(update, batch, replica):
            with mock.patch.object(model, "jit", update.player == under_xla):
                return compute(update, batch, replica)

        with (
            mock.patch.object(model, "_gradients", gradients),
            mock.patch.object(GAN, "augment", lambda model, images, random, stream: images),
            mock.patch.object(engine, "Random", Repeating),
        ):
            logs = self._eager_step(iter(batches), main_updates(model))
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
    """The subjects of one recipe, made when first asked for; each is as it was made, whatever tests
    did with it.

    Args:
        recipe: as `recipe_of` returns it.
        fixture: gives a fixture of pytest by its name.
    """

    def __init__(self, recipe, fixture):
        self.recipe, self.fixture, self.made = recipe, fixture, {}
        self._main = None

    def graph(self) -> Subject:
        """On one device, in float32, compiled."""
        return self._get("graph", compiled=True, momentum=0.5)

    def main_step(self):
        """The logs of a step of main updates on a repeated batch, as `run_main` has it, and what it
        makes of the model's variables."""
        if self._main is None:
            one = self.graph()
            self._main = one.run_main(one.repeated()), values(one.model.variables)
        return self._main

    def other(self) -> Subject:
        """From another seed."""
        return self._get("other", {"seed": 2}, momentum=0.5)

    def two(self) -> Subject:
        """On two replicas."""
        return self._get("two", strategy=self.fixture("two_replicas"))

    def bfloat16(self) -> Subject:
        """In half precision."""
        return self._get("bfloat16", {"precision": "mixed_bfloat16"})

    def _get(self, key, changes=None, **options):
        if key not in self.made:
            recipe = self.recipe.copy_and_resolve_references()
            recipe.update_from_flattened_dict(changes or {})
            self.made[key] = Subject(recipe, **options)
        subject = self.made[key]
        keras.mixed_precision.set_global_policy(subject.recipe.precision)
        subject.restore()
        return subject

    def close(self):
        for subject in self.made.values():  # which the last test still holds
            vars(subject).clear()
        self.made.clear()
        self._main = None
        keras.backend.clear_session()
        free()


def main_updates(model):
    """The first update of each player."""
    updates = model.updates()
    players = [update.player for update in updates]
    return tuple(u for index, u in enumerate(updates) if u.player not in players[:index])


def saved_variables(model):
    """All that a checkpoint holds."""
    owners = [model, *map(model.optimizer_of, model.players())]
    return [v for owner in owners for v in owner.variables]


def values(variables):
    return [v.numpy() for v in variables]
