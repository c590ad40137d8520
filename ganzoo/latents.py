"""What models that draw images from latent vectors have in common."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

import keras
import numpy as np
import tensorflow as tf

from ganzoo.backends import inference
from ganzoo.ema import average_of_generator
from ganzoo.engine import GAN, Loss, Update
from ganzoo.errors import UserError, choose, unknown
from ganzoo.inputs import Classes, Image, Latents, Mode, Option
from ganzoo.losses import AdversarialLoss
from ganzoo.seeds import Random

BATCH_SIZE = 64


class LatentGAN(GAN):
    """A GAN whose `call` takes latents `[N, latent_dim]` and, if conditional, labels `[N]`.

    A model makes `discriminator` and, by `ganzoo.ema.make_generators`, `generator` and
    `averaged_generator`. Its losses are those of `adversarial`, or of its own `discriminator_loss`
    and `generator_loss`. One that is made otherwise overrides what it has otherwise.

    Attributes:
        NETWORKS: the attributes of the networks that inference needs, by their names in files.
        OPTIONS: what else `call` takes in inference, by the names of its arguments.
        latent_dim: dimensions of the latent vector.
        num_classes: classes to condition on; 0 means unconditional.
        adversarial: the losses.
        discriminator_steps: updates of the discriminator for one of the generator, each on new
            images.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.
        kept: the names of those of `NETWORKS` that are there.
    """

    NETWORKS: Mapping[str, str] = MappingProxyType({"generator": "averaged_generator"})
    OPTIONS: Mapping[str, Option] = MappingProxyType({})
    latent_dim: int
    num_classes: int = 0
    adversarial: AdversarialLoss
    discriminator_steps: int = 1
    ema_half_life_images: int | tuple = 0

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.kept = tuple(self.NETWORKS)

    def build(self, input_shape=None):
        self.build_generators()
        self._build(self.generator)
        self._build(self.discriminator)
        for average in self.averages():
            average.start()

    def modes(self):
        inputs = (self.latents, self.condition) if self.num_classes else (self.latents,)
        outputs = (Image(self.channels, size=self.image_size),)
        return {"generate": Mode(inputs, outputs, self, "generator", options=self.OPTIONS)}

    @property
    def latents(self) -> Latents:
        """What images are made from."""
        return Latents(self.latent_dim)

    @property
    def condition(self) -> Classes:
        """What images are conditioned on: `labels`; classes, of which there may be none."""
        return Classes(self.num_classes, self.class_names)

    def players(self):
        return {"discriminator": [self.discriminator], "generator": [self.generator]}

    def updates(self):
        every = self.discriminator_steps
        if every < 1:
            raise UserError(f"discriminator_steps = {every}; expected 1 or more")
        return (
            Update("discriminator", self.discriminator_loss),
            Update("generator", self.generator_loss, every=every, offset=every - 1),
        )

    def discriminator_loss(self, batch, random):
        real = batch["image"]
        latents = self.draw_latents(random, real.shape[0])
        fake = self.generator(latents, training=True)
        # Separately, since each batch is normalized by its own statistics
        real_logits = self.discriminator(self.augment(real, random, "real"), training=True)
        fake_logits = self.discriminator(self.augment(fake, random, "fake"), training=True)
        return Loss(
            self.adversarial.discriminator(real_logits, fake_logits),
            logs=self.adversarial.discriminator_logs(real_logits, fake_logits),
            reuse={"latents": latents},
        )

    def generator_loss(self, batch, random):
        fake = self.generator(batch["latents"], training=True)  # the discriminator's last fakes
        logits = self.discriminator(self.augment(fake, random, "fake"), training=True)
        return Loss(self.adversarial.generator(logits))

    def averages(self):
        return average_of_generator(self, self._refresh_moments)

    def _refresh_moments(self, batch, random):
        network, count = self.averaged_generator, batch["image"].shape[0]
        if network.non_trainable_variables:
            latents, labels = self.draw_latents(random, count), self.draw_labels(random, count)
            network(*self._inputs(latents, labels), training=True)

    def _inputs(self, latents, labels) -> tuple:
        """What the generator takes."""
        return (latents, labels) if self.num_classes else (latents,)

    def generators(self):
        return {name: getattr(self, self.NETWORKS[name]) for name in self.kept}

    def keep_generators(self, names):
        for name in names:
            choose("network", name, self.NETWORKS)
        self.kept = tuple(names)

    def build_generators(self):
        for network in self.generators().values():
            self._build(network)

    def _build(self, network: keras.Layer) -> None:
        """Creates its weights, if it has none yet."""
        if not network.built:
            images = (None, self.image_size, self.image_size, self.channels)
            judges = network is self.discriminator or "discriminator" in network.name
            network.build(images if judges else (None, self.latent_dim))

    def require_network(self, name: str) -> None:
        """Raises UserError for one of `NETWORKS` that was not loaded."""
        if name not in self.kept:
            raise UserError(
                f"This {type(self).__name__} was loaded without its {name}: a file of one network,"
                " or a run of before they were saved together. Load all of a run by"
                " models.load(RUN_DIR, discriminator=True)"
            )

    def call(self, latents, labels=None, training=False):
        self.require_network("generator")
        self.require_labels(labels)
        return self.averaged_generator(*self._inputs(latents, labels), training=training)

    def generate(
        self, num: int, seed: int = 0, label: int | str | None = None, **options
    ) -> np.ndarray:
        """Draws images: float32 `[num, H, W, C]` in [-1, 1].

        Args:
            num: how many.
            seed: image i depends on (seed, i) alone.
            label: the class of all images, its number or its name; None draws classes at random.
            **options: of the model, see its `OPTIONS`.

        Raises:
            UserError: for a label or an option that the model does not have, or no image at all.
        """
        if num < 1:
            raise UserError(f"num = {num}; expected 1 or more")
        random = random_of(seed)
        labels = self.draw_labels(random, num)
        if label is not None:
            labels = self.condition.read(label) * num
        return self.decode(self.draw_latents(random, num), labels, seed, **options)

    def decode(self, latents, labels=None, seed: int = 0, **options) -> np.ndarray:
        """Images of latents: float32 `[N, H, W, C]` in [-1, 1]; arguments as `decode_batches`."""
        batches = self.decode_batches(latents, labels, seed, **options)
        return np.concatenate([batch.numpy() for batch in batches])

    def decode_batches(
        self, latents, labels: Sequence[int] | None = None, seed: int = 0, **options
    ) -> Iterator[tf.Tensor]:
        """Images of latents, in batches on the device: float32 `[n, H, W, C]` in [-1, 1].

        Args:
            latents: `[N, latent_dim]`.
            labels: what `condition` describes, classes `[N]`; all 0 by default.
            seed: of anything random that is not in the latents.
            **options: of the model, see its `OPTIONS`.

        Raises:
            UserError: for a label or an option that the model does not have, or no latents at all.
        """
        self.require_options(**options)
        self.condition.require(() if labels is None else labels)
        count = len(latents)
        if not count:
            raise UserError("There are no latents; expected 1 or more")
        latents, spec = tf.cast(latents, tf.float32), self.condition.spec
        if labels is None:
            labels = tf.zeros([count, *spec.shape[1:]], spec.dtype)
        labels = tf.cast(labels, spec.dtype)
        draw, seed = self._compiled_call(**options), seed_tensor(seed)
        for step, start in enumerate(range(0, count, BATCH_SIZE)):
            part = slice(start, start + BATCH_SIZE)
            yield draw(latents[part], labels[part], seed, tf.constant(step))

    def latents_of(self, seeds: Sequence[int]) -> tf.Tensor:
        """For each seed the latent vector of its first image: `[len(seeds), latent_dim]`."""
        draws = [self.draw_latents(random_of(seed), 1) for seed in seeds]
        return tf.concat(draws, axis=0)

    def labels_of(self, seeds: Sequence[int]) -> tf.Tensor:
        """For each seed the label of its first image: `[len(seeds), ...]`, 0 without classes."""
        draws = [self.draw_labels(random_of(seed), 1) for seed in seeds]
        return tf.concat(draws, axis=0)

    def draw_latents(self, random: Random, count: int) -> tf.Tensor:
        """Latents `[count, latent_dim]`."""
        return self.latents.draw(random, count)

    def draw_labels(self, random: Random, count: int) -> tf.Tensor:
        """Labels `[count, ...]`, as `condition` draws them."""
        return self.condition.draw(random, count)

    def draw_fakes(self, random: Random, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Images of the generator in training, and the labels they were asked for."""
        latents, labels = self.draw_latents(random, count), self.draw_labels(random, count)
        return self.generator(latents, labels, training=True), labels

    def draw(self, latents, labels, random: Random, **options) -> tf.Tensor:
        """What `decode` compiles: images of one batch."""
        return self(latents, labels)

    def preview(self, batch, count):
        return self.generate(count)

    def discriminator_features(self, images):
        if hasattr(self.discriminator, "features"):
            return self.discriminator.features(images)
        return super().discriminator_features(images)

    def require_labels(self, labels) -> None:
        """Raises UserError where classes are missing that the images depend on."""
        if self.num_classes and labels is None:
            raise UserError(
                f"labels are missing: {type(self).__name__} needs a class for each image here, from"
                f" 0 to {self.num_classes - 1}"
            )

    def require_options(self, **options) -> None:
        """Raises UserError for an option that the model does not have, or cannot follow."""
        for name in options:
            if name not in self.OPTIONS:
                raise unknown(f"option of {type(self).__name__}", name, self.OPTIONS)

    def _compiled_call(self, **options):
        def draw(latents, labels, seed, step):
            return self.draw(latents, labels, random_of(seed, step), **options)

        inputs = self.latents.spec, self.condition.spec
        return self.keep_compiled("draw", sorted(options.items()), draw, *inputs)

    def keep_compiled(self, name: str, options, function: Callable, *inputs) -> Callable:
        """`function` of inputs as `tf.TensorSpec`s, a seed and a step as `inference` makes it, kept
        under its name until other options are asked for."""
        kept = self.__dict__.setdefault("_inference", {})
        if name not in kept or kept[name][0] != options:
            seed_and_step = tf.TensorSpec([], tf.int64), tf.TensorSpec([], tf.int32)
            kept[name] = options, inference(function, [*inputs, *seed_and_step])
        return kept[name][1]


def random_of(seed: int | tf.Tensor, step: int | tf.Tensor = 0) -> Random:
    """The random numbers of images drawn with a seed; `step` counts batches."""
    return Random(seed, step, scope="generate/")


def seed_tensor(seed: int) -> tf.Tensor:
    """A seed as the input of a graph, which is traced once for all seeds; raises UserError for one
    out of range."""
    return tf.constant(random_of(seed).seed, tf.int64)
