"""What models have in common that also classify images."""

from pathlib import Path
from types import MappingProxyType

import numpy as np
from keras import ops
from PIL import Image as Pillow

from ganzoo import files
from ganzoo import images as pictures
from ganzoo.data.decode import Preparation, prepare
from ganzoo.errors import UserError
from ganzoo.inputs import Classes, Image, Mode, Probabilities
from ganzoo.latents import BATCH_SIZE, LatentGAN


class ClassifyingGAN(LatentGAN):
    """A GAN that draws images and whose discriminator knows their classes, for inference, too."""

    NETWORKS = MappingProxyType(
        {"generator": "averaged_generator", "discriminator": "discriminator"}
    )

    @property
    def classes(self) -> Classes:
        """What it recognizes: what images are conditioned on, unless a model says otherwise."""
        return self.condition

    def class_logits(self, images):
        """Those of `classes`, `[N, K]`, float32, of images `[N, S, S, C]` in [-1, 1]."""
        return self.discriminator(images)[1]

    def modes(self):
        image = Image(self.channels, size=self.image_size)
        answer = Probabilities(self.classes)
        classify = Mode((image,), (answer,), self.probabilities, "discriminator")
        modes = super().modes() | {"classify": classify}
        return {name: mode for name, mode in modes.items() if mode.weights in self.kept}

    def probabilities(self, images):
        """Those of the classes `[N, num_classes]`, float32, of images `[N, S, S, C]` in [-1, 1]."""
        self.require_network("discriminator")
        return ops.softmax(self.class_logits(images))

    def classify(self, images) -> np.ndarray:
        """Probabilities of the classes, float32, as the discriminator sees them.

        Args:
            images: a path or a PIL image, whose middle is resized; or an array `[S, S, C]` or
                `[N, S, S, C]`, uint8 or float in [-1, 1], of the size that the model was made for.

        Returns:
            `[num_classes]`, or `[N, num_classes]` for `[N, S, S, C]`.

        Raises:
            UserError: for anything else, an unreadable file, or a model without its discriminator.
        """
        if isinstance(images, (str, Path)):
            images = pictures.opened(files.expanded(images))
        if isinstance(images, Pillow.Image):
            images = prepare(images, Preparation(self.image_size, self.channels))
        images = np.asarray(images)
        if images.ndim == 3:
            return self.classify(images[None])[0]
        size = (self.image_size, self.image_size)
        if images.ndim != 4 or images.shape[1:3] != size or not len(images):
            raise UserError(
                f"an array of shape {images.shape}; expected one or more images of"
                f" {self.image_size} x {self.image_size} pixels, a path, or a PIL image"
            )
        floats = np.stack([pictures.floats_of(image, self.channels) for image in images])
        parts = (floats[i : i + BATCH_SIZE] for i in range(0, len(floats), BATCH_SIZE))
        return np.concatenate([ops.convert_to_numpy(self.probabilities(part)) for part in parts])


def class_accuracy(labels, logits):
    """The share of images, a scalar, whose most likely class is the right one."""
    guessed = ops.cast(ops.argmax(logits, axis=-1), labels.dtype)
    return ops.mean(ops.cast(guessed == labels, "float32"))
