"""What models that draw images from latent vectors have in common."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from ganzoo.backends import inference
from ganzoo.engine import GAN
from ganzoo.errors import UserError, unknown
from ganzoo.seeds import Random

BATCH_SIZE = 64


class LatentGAN(GAN):
    """A GAN whose `call` takes latents `[N, latent_dim]` and, if conditional, labels `[N]`.

    Attributes:
        generator, averaged_generator, discriminator: the networks; a model that has others says so
            in `players` and `generators`.
        OPTIONS: names of what else `call` takes in inference.
        latent_dim: dimensions of the latent vector.
        num_classes: classes to condition on; 0 means unconditional.
    """

    OPTIONS: tuple[str, ...] = ()
    latent_dim: int
    num_classes: int

    def players(self):
        return {"discriminator": [self.discriminator], "generator": [self.generator]}

    def generators(self):
        return {"generator": self.averaged_generator}

    def build_generators(self):
        for network in self.generators().values():
            network.build((None, self.latent_dim))

    def generate(self, num: int, seed: int = 0, label: int | None = None, **options) -> np.ndarray:
        """Draws images: float32 `[num, H, W, C]` in [-1, 1].

        Args:
            num: how many.
            seed: image i depends on (seed, i) alone.
            label: the class of all images; None draws classes at random.
            **options: of the model, see its `OPTIONS`.

        Raises:
            UserError: for a label or an option that the model does not have, or no image at all.
        """
        if num < 1:
            raise UserError(f"num = {num}; expected 1 or more")
        if label is not None:
            self.require_known([label])
        random = random_of(seed)
        labels = self.draw_labels(random, num) if label is None else [label] * num
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
            labels: classes `[N]`, for conditional models.
            seed: of anything random that is not in the latents.
            **options: of the model, see its `OPTIONS`.

        Raises:
            UserError: for a label or an option that the model does not have, or no latents at all.
        """
        self.require_options(**options)
        self.require_classes(() if labels is None else labels)
        count = len(latents)
        if not count:
            raise UserError("There are no latents; expected 1 or more")
        latents = tf.cast(latents, tf.float32)
        labels = tf.zeros([count], tf.int32) if labels is None else tf.cast(labels, tf.int32)
        draw, seed = self._compiled_call(**options), seed_tensor(seed)
        for step, start in enumerate(range(0, count, BATCH_SIZE)):
            part = slice(start, start + BATCH_SIZE)
            yield draw(latents[part], labels[part], seed, tf.constant(step))

    def signature(self) -> tuple[tf.TensorSpec, ...]:
        """What `call` takes, as an exported file does."""
        latents = tf.TensorSpec([None, self.latent_dim], tf.float32, name="latents")
        labels = tf.TensorSpec([None], tf.int32, name="labels")
        return (latents, labels) if self.num_classes else (latents,)

    def latents_of(self, seeds: Sequence[int]) -> tf.Tensor:
        """For each seed the latent vector of its first image: `[len(seeds), latent_dim]`."""
        draws = [self.draw_latents(random_of(seed), 1) for seed in seeds]
        return tf.concat(draws, axis=0)

    def labels_of(self, seeds: Sequence[int]) -> tf.Tensor:
        """For each seed the class of its first image: `[len(seeds)]`, 0 without classes."""
        draws = [self.draw_labels(random_of(seed), 1) for seed in seeds]
        return tf.concat(draws, axis=0)

    def draw_latents(self, random: Random, count: int) -> tf.Tensor:
        """Latents `[count, latent_dim]` of the standard normal distribution."""
        return random.normal("latents", [count, self.latent_dim])

    def draw_labels(self, random: Random, count: int) -> tf.Tensor:
        """Classes `[count]`, each as likely as any other."""
        return random.integers("labels", [count], max(self.num_classes, 1))

    def draw(self, latents, labels, random: Random, **options) -> tf.Tensor:
        """What `decode` compiles: images of one batch."""
        return self(latents, labels)

    def preview(self, batch, count):
        return self.generate(count)

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

    def require_known(self, labels: Sequence[int]) -> None:
        """As `require_classes`, of labels that somebody has chosen: where there are no classes,
        none has an effect."""
        if not self.num_classes:
            raise UserError(
                f"label {labels[0]}: the model has no classes; leave the label out, and choose"
                " images by their seeds"
            )
        self.require_classes(labels)

    def require_classes(self, labels: Sequence[int]) -> None:
        """Raises UserError for a label that is none of the model's classes."""
        for label in set(np.asarray(labels).tolist()):
            if not 0 <= label < max(self.num_classes, 1):
                names = f"classes 0 to {self.num_classes - 1}" if self.num_classes else "no classes"
                raise UserError(f"label {label}: the model has {names}")

    def _compiled_call(self, **options):
        def draw(latents, labels, seed, step):
            return self.draw(latents, labels, random_of(seed, step), **options)

        inputs = tf.TensorSpec([None, self.latent_dim]), tf.TensorSpec([None], tf.int32)
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
