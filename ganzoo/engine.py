"""The one training step of all models.

A model says which networks an optimizer moves (`players`) and which losses move them, when
(`updates`); the engine executes that list and knows nothing else about the model.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ganzoo.augment import Augmentation
from ganzoo.backends import require_channels_last, require_tensorflow
from ganzoo.ema import Average
from ganzoo.errors import UserError, choose
from ganzoo.inputs import Mode
from ganzoo.schedules import is_schedule, value_at
from ganzoo.seeds import Random

Batch = Mapping[str, tf.Tensor]
RANDOM_STREAMS = 2  # the version of what keys the random numbers of updates


class Loss(NamedTuple):
    """What a loss returns.

    Attributes:
        value: the loss to be minimized, `[N]`, one number per example of this replica's batch; the
            engine averages.
        logs: scalars to record, averaged over replicas.
        reuse: tensors `[N, ...]` that later updates of the same step find in their batch, with the
            gradient stopped.
    """

    value: tf.Tensor
    logs: Mapping[str, tf.Tensor] = {}
    reuse: Mapping[str, tf.Tensor] = {}


@dataclasses.dataclass(frozen=True)
class Update:
    """One optimizer step, as data.

    Attributes:
        player: key into `GAN.players()` and `compile(optimizers=...)`.
        loss: called as `loss(batch, random)`, with this replica's batch and its random numbers.
        every: interval in steps.
        offset: the step within the interval, 0 to every - 1, at which the update happens.
        start_images: images trained on before the first such update.
        stop_images: images trained on after which there are no more; None means never.
        name: prefix of its logs and key of its random numbers; None means the player, which is
            enough unless it has two updates.
        clip_weights: the largest size of a weight of the player, to which all are clipped after the
            step, as in Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875; None for no limit.
    """

    player: str
    loss: Callable[[Batch, Random], Loss]
    every: int = 1
    offset: int = 0
    start_images: int = 0
    stop_images: int | None = None
    name: str | None = None
    clip_weights: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.player)

    def is_active(self, step: int, images: int) -> bool:
        """Whether the update happens at `step`, before which `images` images were seen."""
        started = images >= self.start_images
        stopped = self.stop_images is not None and images >= self.stop_images
        return started and not stopped and step % self.every == self.offset


class GAN(keras.Model):
    """Base class of all models: several networks, several optimizers, one training step.

    A model implements `build`, the methods that raise NotImplementedError here, and those of the
    others that it has a use for: all of them come first below. It is trained with `compile` and
    `fit` on batches that are dictionaries of tensors.

    A discriminator is shown images by way of `self.augment`, and its loss logs `real_sign` (see
    `AdversarialLoss.discriminator_logs`); so any augmentation works with any model. A loss reads
    hyperparameters that may be schedules by way of `self.current`.

    Args:
        augmentation: of the images that discriminators are shown; None shows them as they are.

    Attributes:
        DATA: the kind of its batches, a key of `ganzoo.data.FORMATS`.
        IMAGE_SIZES: the sizes it has networks for, in pixels.
        TINY: constructor arguments that make it small, for tests.
        group_size: how many images of a batch a network compares with each other.
        class_names: of the classes that labels stand for, in order; empty where they have none.
        step: training steps done, a scalar variable.
        arguments: of the constructor, as `ganzoo.models.construct` was given them, or as the
            constructor chose them.
        card: what there is to know about a model that was loaded, as Markdown.
        is_for_inference: whether the networks of training are missing.
    """

    DATA: str = "images"
    IMAGE_SIZES: tuple[int, ...]
    TINY: Mapping[str, Any]
    group_size: int = 1
    class_names: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # A class of a user's own takes no name away from one of ganzoo's.
        own = cls.__module__.partition(".")[0] == "ganzoo"
        package = "ganzoo" if own else cls.__module__
        keras.saving.register_keras_serializable(package)(cls)

    def __init__(self, augmentation: Augmentation | None = None, **kwargs):
        require_channels_last()
        super().__init__(**kwargs)
        self.augmentation, self.arguments, self.card = augmentation, {}, ""
        self.is_for_inference = False
        self.step = self.add_weight(
            name="step", shape=(), dtype="int64", initializer="zeros", trainable=False
        )

    # What a model implements: its networks and what moves them.

    def players(self) -> dict[str, list[keras.Layer]]:
        """The networks that each optimizer moves."""
        raise NotImplementedError

    def updates(self) -> tuple[Update, ...]:
        """The optimizer steps of one training step, in order."""
        raise NotImplementedError

    def generators(self) -> dict[str, keras.Layer]:
        """The networks that inference needs, averaged where the model averages."""
        raise NotImplementedError

    def build_generators(self) -> None:
        """Creates the weights of `generators()`, and no others."""
        raise NotImplementedError

    def keep_generators(self, names: Sequence[str]) -> None:
        """Leaves other generators than these out, as files do that hold only some; for inference.

        Raises:
            UserError: for a model whose generators cannot do without each other.
        """
        raise UserError(
            f"{type(self).__name__} has the generators {', '.join(self.generators())}, and cannot"
            f" be made of {', '.join(names)} alone"
        )

    def averages(self) -> tuple[Average, ...]:
        """The moving averages to keep."""
        return ()

    def initialize(self, examples: Callable[[int], Batch]) -> None:
        """Sets those initial weights that depend on data, once the model is compiled.

        The trainer calls it for a new run; who calls `fit` without it calls it first.

        Args:
            examples: from a number to as many examples of the data, as one batch.
        """

    def after_step(self, batch: Batch, logs: Mapping[str, tf.Tensor]) -> Mapping[str, tf.Tensor]:
        """Changes what a model keeps between steps, the same on all replicas; returns logs.

        Args:
            batch: this replica's batch, with all that the step's losses handed on as `reuse`. What
                depends on it has to be gathered over the replicas first (`gather`).
            logs: of the step, averaged over replicas.
        """
        return {}

    # What a model implements: its use.

    def modes(self) -> dict[str, Mode]:
        """What the model can do once it is trained, the usual thing first."""
        raise NotImplementedError

    def default_networks(self) -> dict[str, keras.Layer]:
        """What a model that was loaded whole has as `generator` and `discriminator`, where these
        are not the attributes' names already."""
        return {}

    def preview(self, batch: Batch, count: int):
        """About `count` images, float `[M, H, W, C]`, to watch training by: from the same inputs at
        each call.

        Args:
            batch: `count` examples of the data, for models that start from images.
            count: how many are wanted.
        """
        raise NotImplementedError

    def discriminator_features(self, images):
        """The discriminator's features of images `[N, H, W, C]`, to be probed: `[N, F]`."""
        raise UserError(f"{type(self).__name__} has no features to be probed")

    @classmethod
    def recommended(cls, config: Mapping[str, Any], num_replicas: int) -> dict[str, Any]:
        """Values for what a config leaves open, once the data are known, by their dotted names.

        Args:
            config: a recipe whose `config.model` has the size of the images.
            num_replicas: how many replicas will share a batch.
        """
        return {}

    def facts(self) -> dict[str, str]:
        """What training depends on besides arguments and data, to be recorded with a run."""
        return {}

    # What commands ask.

    def mode(self, name: str | None = None) -> Mode:
        """One of `modes`, the first by default; raises UserError for an unknown name."""
        modes = self.modes()
        return choose("mode", name or next(iter(modes)), modes)

    def describe(self) -> str:
        """What the model can do, in lines: its modes with what they are given and return."""
        lines = []
        for name, mode in self.modes().items():
            lines += [f"{type(self).__name__}, mode {name}", *(f"  {w}" for w in mode.words())]
        return "\n".join(lines)

    # What a model's losses use.

    def augment(self, images: tf.Tensor, random: Random, stream: str) -> tf.Tensor:
        """Images `[N, S, S, C]` as a discriminator is to see them.

        Args:
            images: real or generated ones.
            random: of the loss.
            stream: a name of its own for each call in a loss.
        """
        if self.augmentation is None:
            return images
        return self.augmentation(images, random=random.scoped(f"augment_{stream}"))

    def current(self, value: float | tuple) -> float | tf.Tensor:
        """A hyperparameter at this step: a number as it is, a schedule as a float32 scalar."""
        if not is_schedule(value):
            return value
        return value_at(value, self.step * self.batch_size)

    # What the engine does.

    def compile(
        self,
        optimizers: Mapping[str, keras.optimizers.Optimizer],
        batch_size: int,
        seed: int = 0,
        jit: bool = False,
        schedules: Mapping[str, Mapping[str, tuple]] | None = None,
        microbatch: int = 1,
        random_streams: int = RANDOM_STREAMS,
    ):
        """Prepares training; under a `tf.distribute` strategy, call it inside the strategy's scope.

        Args:
            optimizers: one per player.
            batch_size: images per step, over all replicas.
            seed: of every random number drawn in training.
            jit: whether XLA compiles the gradient computation of each update.
            schedules: per player, those of its optimizer's arguments, such as `learning_rate` and
                `beta_2`, by their names.
            microbatch: in how many parts each replica goes through its share of a batch, one after
                the other, which takes less memory. The gradient is that of the whole batch;
                statistics of batches are those of a part, as if it were a replica's.
            random_streams: what an update's random numbers are keyed by: its name (2), or, as in
                runs of before, its position among the updates (1).

        Raises:
            UserError: when Keras runs on another backend than TensorFlow, when the optimizers are
                not those of the players, when the model has no networks to be trained, when two
                updates have one name, or when the batch has no such parts.
        """
        require_tensorflow("training")
        self._require_networks()
        self._require_optimizers(optimizers)
        self._require_parts(batch_size, microbatch)
        super().compile(optimizer=next(iter(optimizers.values())), jit_compile=False)
        self.schedules = {player: dict(own) for player, own in (schedules or {}).items()}
        for player, optimizer in optimizers.items():
            for name in self.schedules.get(player, {}).keys() - {"learning_rate"}:
                _make_variable(optimizer, name)
            optimizer.build(self.player_variables(player))
            setattr(self, f"{player}_optimizer", optimizer)  # under this name in checkpoints
        self.batch_size, self.seed, self.jit, self.microbatch = batch_size, seed, jit, microbatch
        self.random_streams = random_streams

    def _require_optimizers(self, optimizers: Mapping[str, keras.optimizers.Optimizer]) -> None:
        """Raises UserError unless there is one for each player, and a name for each update."""
        players = self.players()
        given = sorted(optimizers) if isinstance(optimizers, Mapping) else [optimizers]
        if given != sorted(players):
            raise UserError(
                f"optimizers are given for {given}, but the players of {type(self).__name__} are"
                f" {sorted(players)}: pass one for each, as in"
                " {player: keras.optimizers.Adam() for player in model.players()}"
            )
        names = [update.name for update in self.updates()]
        if len(set(names)) < len(names):
            raise UserError(
                f"The updates of {type(self).__name__} are named {', '.join(names)}: give each a"
                " name of its own, as in Update(player, loss, name=...)"
            )

    def _require_parts(self, batch_size: int, microbatch: int) -> None:
        """Raises UserError unless the replicas can compute a batch in so many parts."""
        num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
        num_parts = microbatch * num_replicas
        if microbatch < 1 or batch_size % num_parts:
            raise UserError(
                f"batch_size = {batch_size} on {num_replicas} replicas cannot be computed in"
                f" microbatch = {microbatch} equal parts; change one of them"
            )
        part = batch_size // num_parts
        if part % min(part, self.group_size):
            raise UserError(
                f"{part} images, of batch_size = {batch_size} on {num_replicas} replicas with"
                f" microbatch = {microbatch}, do not make groups of {self.group_size}, in which the"
                " discriminator compares them; change one of these"
            )

    def _require_networks(self) -> None:
        """Raises UserError unless there is all that training needs."""
        name = type(self).__name__
        if self.is_for_inference:
            raise UserError(
                f"This {name} was loaded for inference, without its discriminators. Load it by"
                " models.load(RUN_DIR, discriminator=True); or train a new one that starts from its"
                " generators: models.build(NAME, **loaded.arguments), then models.start_from(new,"
                " PATH_OR_NAME)"
            )
        if not self.built:
            raise UserError(f"This {name} has no weights yet: call its build() before compile()")

    def player_variables(self, player: str) -> list[keras.Variable]:
        """The trainable variables of one player's networks."""
        return [v for network in self.players()[player] for v in network.trainable_variables]

    def optimizer_of(self, player: str) -> keras.optimizers.Optimizer:
        """The optimizer that `compile` was given for a player."""
        return getattr(self, f"{player}_optimizer")

    def active_updates(self, step: int) -> tuple[Update, ...]:
        """The updates that happen at a step."""
        return tuple(u for u in self.updates() if u.is_active(step, step * self.batch_size))

    def make_train_function(self, force: bool = False):
        """Makes `fit` run the function of the updates that are active, compiled when first needed.

        The host chooses by the step number, since MirroredStrategy refuses optimizers in `tf.cond`.
        """
        self._next_step = int(self.step.numpy())
        if self.train_function is not None and not force:
            return
        functions = {}

        def train_function(iterator):
            step, self._next_step = self._next_step, self._next_step + 1
            updates = self.active_updates(step)
            self._follow_schedules(step * self.batch_size)
            if updates not in functions:
                functions[updates] = self.function_of(updates)
            return functions[updates](iterator)

        self.train_function = train_function

    def test_step(self, batch):
        """Raises UserError: the losses of a GAN say nothing about images that are held out."""
        raise UserError(
            "A GAN has no loss on validation data. Measure it with python -m ganzoo.evaluate, or"
            " during training by config.evaluation"
        )

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing is left to build, and Keras' own would fail on dictionaries under a strategy."""

    def function_of(self, updates: tuple[Update, ...]) -> Callable:
        """One step with these updates, compiled: from an iterator over batches to logs."""
        strategy = self.distribute_strategy

        @tf.function(autograph=False)
        def run(iterator):
            logs = strategy.run(self.train_step, args=(next(iterator), updates))
            return {k: strategy.experimental_local_results(v)[0] for k, v in logs.items()}

        return run

    def _follow_schedules(self, images: int) -> None:
        """Gives optimizers the arguments that schedules have after so many images."""
        for player, schedules in self.schedules.items():
            for name, schedule in schedules.items():
                variable = getattr(_inner(self.optimizer_of(player)), name)
                variable.assign(value_at(schedule, images))

    def scheduled_values(self) -> dict[str, float]:
        """The values that the last step took of schedules, as in `{"generator/beta_2": 0.99}`;
        those of the model's arguments as `"model/r1_gamma"`."""
        schedules = {**self.schedules, "model": self.arguments}
        images = max(int(self.step.numpy()) - 1, 0) * self.batch_size
        return {
            f"{owner}/{name}": value_at(value, images)
            for owner, values in schedules.items()
            for name, value in values.items()
            if is_schedule(value)
        }

    def train_step(self, batch: Batch, updates: tuple[Update, ...] | None = None):
        """One step of one replica: the updates in order, then controllers, buffers and averages.

        Args:
            batch: this replica's share of the global batch, a dictionary of tensors `[N, ...]`.
            updates: the updates to make; all of them by default.

        Returns:
            The logs, scalars that are equal on all replicas.

        Raises:
            UserError: for a batch of another kind or size.
        """
        replica = tf.distribute.get_replica_context()
        updates = self.updates() if updates is None else updates
        batch, logs = _columns(batch, self.batch_size // replica.num_replicas_in_sync), {}
        for update in updates:
            gradients, value, more, reuse = self._gradients(update, batch, replica)
            norm = keras.ops.cast(tf.linalg.global_norm(gradients), "float32")
            optimizer = self.optimizer_of(update.player)
            scale = optimizer.scale_loss(tf.ones([]))
            variables = self.player_variables(update.player)
            optimizer.apply(gradients, variables)
            if update.clip_weights is not None:
                _clip(variables, update.clip_weights)
            more |= {"loss": value, "gradient_norm": norm * replica.num_replicas_in_sync / scale}
            logs |= {f"{update.name}/{name}": scalar for name, scalar in more.items()}
            batch |= reuse
        logs = _mean_over_replicas(replica, logs)
        logs |= self.after_step(batch, logs)
        logs |= self._adapt_augmentation(logs)
        self._share_buffers(replica, [n for player in self.players().values() for n in player])
        self._average(batch, updates, replica)
        self.step.assign_add(1)
        return logs

    def _gradients(self, update: Update, batch: Batch, replica):
        """This replica's part of the gradient of the mean loss over the global batch."""
        variables = self.player_variables(update.player)
        optimizer = self.optimizer_of(update.player)
        num_replicas = replica.num_replicas_in_sync
        scope = f"update/{update.name}/"
        if self.random_streams == 1:
            scope = f"{self.updates().index(update)}/"

        def compute(batch, step, index):
            random = Random(self.seed, step, index, num_replicas * self.microbatch, scope)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([v.value for v in variables])
                loss = update.loss(batch, random)
                value = tf.reduce_mean(tf.cast(loss.value, tf.float32))
                # Optimizers add the gradients of the replicas up.
                scaled = optimizer.scale_loss(value / num_replicas)
            gradients = tape.gradient(
                scaled, [v.value for v in variables], unconnected_gradients="zero"
            )
            reuse = {name: tf.stop_gradient(tensor) for name, tensor in loss.reuse.items()}
            return (gradients, value, dict(loss.logs)), reuse

        # The optimizer stays outside: XLA cannot compile its communication between replicas.
        if self.jit:
            compute = tf.function(compute, jit_compile=True, autograph=False)
        step = tf.convert_to_tensor(self.step)
        (gradients, value, logs), reuse = self._in_parts(
            lambda batch, index: compute(batch, step, index),
            batch,
            replica,
            [network for player in self.players().values() for network in player],
        )
        return gradients, value, logs, reuse

    def _in_parts(self, compute: Callable, batch: Batch, replica, networks):
        """What `compute(batch, index)` returns for this replica's batch, from one part of it after
        the other: means, and tensors `[N, ...]` by name.

        A part is what a replica is: all start from the same buffers of the networks, whose ends are
        averaged.
        """
        first, count = replica.replica_id_in_sync_group * self.microbatch, self.microbatch
        if count == 1:
            return compute(batch, tf.convert_to_tensor(first))
        columns = {name: tf.stack(tf.split(column, count)) for name, column in batch.items()}
        buffers = _buffers(networks)
        start = [tf.identity(buffer.value) for buffer in buffers]

        @tf.function(autograph=False)
        def compute_part(part):
            for buffer, value in zip(buffers, start, strict=True):
                buffer.assign(value)
            share = {name: column[part] for name, column in columns.items()}
            results, rows = compute(share, first + part)
            return [results, [tf.identity(buffer.value) for buffer in buffers]], rows

        compute_part = compute_part.get_concrete_function(tf.TensorSpec([], tf.int32))
        results, rows = compute_part.structured_outputs

        # A loop, since parts that need not wait for each other would be in memory together.
        def body(part, sums, arrays):
            results, rows = compute_part(part)
            arrays = {name: array.write(part, rows[name]) for name, array in arrays.items()}
            return part + 1, tf.nest.map_structure(tf.add, sums, results), arrays

        sums = tf.nest.map_structure(lambda spec: tf.zeros(spec.shape, spec.dtype), results)
        arrays = {
            name: tf.TensorArray(spec.dtype, count, element_shape=spec.shape)
            for name, spec in rows.items()
        }
        _, sums, arrays = tf.while_loop(
            lambda part, *_: part < count,
            body,
            (tf.constant(0), sums, arrays),
            parallel_iterations=1,
        )
        means, ends = tf.nest.map_structure(lambda total: total / count, sums)
        for buffer, end in zip(buffers, ends, strict=True):
            buffer.assign(end)
        return means, {name: array.concat() for name, array in arrays.items()}

    def _adapt_augmentation(self, logs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        if self.augmentation is None:
            return {}
        strength = self.augmentation.strength
        signs = [value for name, value in logs.items() if name.endswith("/real_sign")]
        strength.adapt(signs, self.step, self.batch_size)
        return {"augment/strength": tf.convert_to_tensor(strength.value)}

    def _average(self, batch: Batch, updates: tuple[Update, ...], replica) -> None:
        """Moves the averages, and runs those that want it where an update moved their source."""
        moved = [network for update in updates for network in self.players()[update.player]]
        num_parts = replica.num_replicas_in_sync * self.microbatch
        step = tf.convert_to_tensor(self.step)
        for average in self.averages():
            average.update(self.step * self.batch_size, self.batch_size)
            if average.refresh_moments and average.source in moved:

                def run(batch, index, average=average):
                    average.refresh_moments(
                        batch, Random(self.seed, step, index, num_parts, "average/")
                    )
                    return [], {}

                self._in_parts(run, batch, replica, [average.target])
                self._share_buffers(replica, [average.target])

    def _share_buffers(self, replica, networks: Iterable[keras.Layer]) -> None:
        """Averages what is not trained by gradients, such as the moments of batch normalization."""
        buffers = _buffers(networks)
        if replica.num_replicas_in_sync == 1 or not buffers:
            return
        # A copy has a device of its own, which the communication of several workers asks for.
        local = [tf.identity(variable.value) for variable in buffers]
        means = replica.all_reduce(tf.distribute.ReduceOp.MEAN, local)
        for variable, mean in zip(buffers, means, strict=True):
            variable.assign(mean)

    # How Keras saves it in a .keras archive: for inference, with what inference needs.

    def get_config(self):
        return dict(self.arguments)

    def get_build_config(self):
        return {
            "generators": list(self.generators()),
            "card": self.card,
            "class_names": list(self.class_names),
        }

    def save(self, filepath, *args, **kwargs):
        """Writes what inference needs as a .keras file; raises UserError for HDF5, which Keras
        would write and could not read."""
        if Path(filepath).suffix in (".h5", ".hdf5"):
            raise UserError(
                f"{filepath}: ganzoo's models are saved as .keras, and their weights alone by"
                ' save_weights("NAME.weights.h5")'
            )
        super().save(filepath, *args, **kwargs)

    def export(
        self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **kwargs
    ):
        """As Keras has it, of the inputs of the first mode by default."""
        own = tuple(each.spec for each in self.mode().inputs)
        signature = own if input_signature is None else input_signature
        super().export(filepath, format, verbose, signature, **kwargs)

    def get_compile_config(self):
        return None  # optimizers are in checkpoints

    def build_from_config(self, config):
        self.build_for_inference(config["generators"])
        self.card = config.get("card", "")
        self.class_names = tuple(config.get("class_names", ()))

    def load_own_variables(self, store):
        # One for inference has fewer than one in training; all have the step first.
        for index, variable in enumerate(self._trainable_variables + self._non_trainable_variables):
            variable.assign(store[str(index)])

    @property
    def layers(self):
        # Those of training alone have no weights in inference.
        return [layer for layer in super().layers if layer.built]

    def build_for_inference(self, generators: Sequence[str] | None = None) -> None:
        """Creates the weights of `generators()`, the first of which becomes `generator`, and drops
        the networks of training.

        Args:
            generators: the names of those to keep; None for all.
        """
        if generators is not None and list(generators) != list(self.generators()):
            self.keep_generators(generators)
        self.build_generators()
        unused = [n for n, p in vars(self).items() if isinstance(p, keras.Layer) and not p.built]
        for name in unused:
            delattr(self, name)
        self.generator = next(iter(self.generators().values()))
        self.is_for_inference = True
        self.built = True  # or the first call would build the rest, too


def _buffers(networks: Iterable[keras.Layer]) -> list[keras.Variable]:
    """What is not trained by gradients, each once."""
    found = {id(v): v for network in networks for v in network.non_trainable_variables}
    return list(found.values())


def _clip(variables: Iterable[keras.Variable], limit: float) -> None:
    """Clips weights to [-limit, limit]."""
    for variable in variables:
        variable.assign(keras.ops.clip(variable, -limit, limit))


def _inner(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """The optimizer itself, without what scales its loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _make_variable(optimizer: keras.optimizers.Optimizer, name: str) -> None:
    """Lets an argument of an optimizer, such as `beta_2`, change from step to step."""
    optimizer = _inner(optimizer)
    initial = keras.initializers.Constant(float(getattr(optimizer, name)))
    setattr(optimizer, name, optimizer.add_variable((), initial, "float32", name=name))


def _columns(batch: Any, count: int) -> dict[str, tf.Tensor]:
    """The tensors `[count, ...]` of a batch, by their names, if it is one to train on.

    Args:
        batch: what `fit` was given: a dictionary, alone or as the inputs beside no targets.
        count: examples that each replica has to get.
    """
    columns, *others = keras.utils.unpack_x_y_sample_weight(batch)
    if not isinstance(columns, Mapping) or any(other is not None for other in others):
        raise UserError(
            "A GAN is trained on dictionaries of arrays without targets, such as"
            ' fit({"image": images, "label": labels}), or on a tf.data.Dataset of dictionaries'
        )
    columns = {name: tf.convert_to_tensor(column) for name, column in columns.items()}
    for name, column in columns.items():
        if column.shape[:1] != [count]:
            raise UserError(
                f"The batch's {name!r} has the shape {column.shape}; expected {count} examples, as"
                " compile(batch_size=...) has it. Give fit the same batch_size and a multiple of it"
                " in examples, or use tf.data's batch(batch_size, drop_remainder=True)."
            )
        if column.shape.rank == 4 and not column.dtype.is_floating:
            raise UserError(
                f"The batch's {name!r} is of {column.dtype.name}; expected floats from -1 to 1, as"
                " x / 127.5 - 1 makes them of uint8"
            )
    return columns


def gather(tensor: tf.Tensor) -> tf.Tensor:
    """The parts `[N, ...]` of all R replicas as `[R * N, ...]` on each; for `after_step`."""
    replica = tf.distribute.get_replica_context()
    count, *rest = tensor.shape
    gathered = replica.all_gather(tensor, axis=0)
    return tf.ensure_shape(gathered, [count * replica.num_replicas_in_sync, *rest])


def _mean_over_replicas(replica, logs: dict[str, Any]) -> dict[str, tf.Tensor]:
    """The logs averaged over replicas, with one communication for all."""
    stacked = tf.stack([tf.cast(value, tf.float32) for value in logs.values()])
    mean = replica.all_reduce(tf.distribute.ReduceOp.MEAN, stacked)
    return dict(zip(logs, tf.unstack(mean), strict=True))
