"""What models that draw images from latent vectors have in common."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.seeds import Random

BATCH_SIZE = 64


class LatentGAN(GAN):
    """A GAN whose `call` takes latents `[N, latent_dim]` and, if conditional, labels `[N]`.

    Attributes:
        latent_dim: dimensions of the latent vector.
        num_classes: classes to condition on; 0 means unconditional.
    """

    latent_dim: int
    num_classes: int

    def generate(self, num: int, seed: int = 0, label: int | None = None) -> np.ndarray:
        """Draws images: float32 `[num, H, W, C]` in [-1, 1].

        Args:
            num: how many.
            seed: image i depends on (seed, i) alone.
            label: the class of all images; None draws classes at random.

        Raises:
            UserError: for a label that the model does not have.
        """
        if label is not None and not 0 <= label < self.num_classes:
            classes = f"classes 0 to {self.num_classes - 1}" if self.num_classes else "no classes"
            raise UserError(f"label {label}: the model has {classes}")
        padded = -(-num // BATCH_SIZE) * BATCH_SIZE  # one shape, compiled once
        random = Random(seed, step=0, scope="generate/")
        latents = self.draw_latents(random, padded)
        labels = random.integers("labels", [padded], max(self.num_classes, 1))
        if label is not None:
            labels = tf.fill([padded], label)
        starts = range(0, padded, BATCH_SIZE)
        parts = [slice(start, start + BATCH_SIZE) for start in starts]
        images = [self._compiled_call()(latents[part], labels[part]) for part in parts]
        return np.concatenate([image.numpy() for image in images])[:num]

    def draw_latents(self, random: Random, count: int) -> tf.Tensor:
        """Latents `[count, latent_dim]` of the standard normal distribution."""
        return random.normal("latents", [count, self.latent_dim])

    def preview(self, batch, count):
        return self.generate(count)

    def _compiled_call(self):
        if not hasattr(self, "_inference"):
            self._inference = tf.function(lambda latents, labels: self(latents, labels))
        return self._inference
