"""What models that turn images into images have in common."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from ganzoo import files
from ganzoo import images as pictures
from ganzoo.backends import inference
from ganzoo.engine import GAN
from ganzoo.errors import UserError, unknown
from ganzoo.tiles import tiled

TILE = 512
ROUNDING = 1e-3  # beyond [-1, 1], of floats that were resized or are half as precise


class ImageGAN(GAN):
    """A GAN whose `call` takes images `[N, H, W, C]` and the name of one of its generators.

    Attributes:
        DIRECTIONS: the names of the generators, the usual one first.
        channels: of the images, 1 (grey) or 3 (RGB).
        scale: side of an output over that of its input.
        multiple: what the sides of an input must be multiples of, in pixels.
        least: what they must at least be; a multiple of `multiple`.
        overlap: pixels of context that a tile of a large input needs on each side.
    """

    DIRECTIONS: tuple[str, ...]
    channels: int
    scale: int = 1
    multiple: int = 1
    least: int = 1
    overlap: int

    def convert(
        self, image: np.ndarray, direction: str | None = None, tile: int = TILE, batch: int = 1
    ) -> np.ndarray:
        """Sends one image of any size through a generator.

        Args:
            image: `[H, W, C]`, float in [-1, 1].
            direction: one of `DIRECTIONS`; None for the usual one.
            tile: largest side of what the network sees at once, in pixels; larger images are cut
                into overlapping tiles.
            batch: how many tiles it sees at once.

        Returns:
            `[scale * H, scale * W, C]`, float32 in [-1, 1].

        Raises:
            UserError: for an unknown direction, or a tile that is too small.
        """
        return np.concatenate([*self._rows(image, direction, tile, batch)])

    def convert_picture(
        self, image: Image.Image, direction: str | None = None, tile: int = TILE, batch: int = 1
    ) -> Image.Image:
        """`convert` of a PIL image as `images.normalized` makes it; transparency stays."""
        pixels, alpha = pictures.pixels_of(image, self.channels)
        rows = self._rows(pixels / np.float32(127.5) - 1.0, direction, tile, batch)
        converted = np.concatenate([pictures.to_uint8(some) for some in rows])
        return pictures.picture_of(converted, alpha, image.info.get("icc_profile"))

    def _rows(self, image, direction: str | None, tile: int, batch: int) -> Iterator[np.ndarray]:
        """What `convert` returns, from the top on."""
        direction = direction or self.DIRECTIONS[0]
        if direction not in self.DIRECTIONS:
            raise unknown("direction", direction, self.DIRECTIONS)
        return tiled(
            lambda part: self._compiled_call(tf.constant(part, tf.float32), direction).numpy(),
            np.asarray(image, np.float32),
            tile=tile,
            overlap=self.overlap,
            scale=self.scale,
            multiple=self.multiple,
            least=self.least,
            batch=batch,
        )

    def signature(self) -> tuple[tf.TensorSpec, ...]:
        """What `call` takes, as an exported file does."""
        return (tf.TensorSpec([None, None, None, self.channels], tf.float32, name="images"),)

    def keep_generators(self, names):
        self.DIRECTIONS = tuple(names)

    def _answer(self, image, direction: str | None):
        """As `convert` does it, of whatever a person has at hand."""
        if isinstance(image, (str, Path)):
            return self.convert_picture(pictures.opened(files.expanded(image)), direction)
        if isinstance(image, Image.Image):
            return self.convert_picture(pictures.normalized(image), direction)
        image = np.asarray(image)
        if image.ndim not in (3, 4) or image.shape[-1] != self.channels or not image.size:
            raise UserError(
                f"an array of shape {image.shape}; expected [H, W, {self.channels}] or"
                f" [N, H, W, {self.channels}] with pixels in it, a path, or a PIL image"
            )
        if image.ndim == 4:
            return np.stack([self._answer(one, direction) for one in image])
        if image.dtype == np.uint8:
            return pictures.to_uint8(self.convert(image / np.float32(127.5) - 1.0, direction))
        if not tf.as_dtype(image.dtype).is_floating:
            raise UserError(f"an array of {image.dtype}; expected uint8, or floats from -1 to 1")
        image = image.astype(np.float32)
        if not np.abs(image).max() <= 1.0 + ROUNDING:  # nor where a number is none
            raise UserError(
                f"an array of floats from {image.min():.7g} to {image.max():.7g}; expected"
                " floats from -1 to 1"
            )
        return self.convert(np.clip(image, -1.0, 1.0), direction)

    def _compiled_call(self, images: tf.Tensor, direction: str) -> tf.Tensor:
        """`call` as a graph that is traced once for all sizes, but for each number of images: a
        number that is known is normalized faster."""
        kept = self.__dict__.setdefault("_inference", {})
        key = direction, len(images)
        if key not in kept:
            signature = [tf.TensorSpec([len(images), None, None, self.channels])]
            kept[key] = inference(lambda images: self(images, direction=direction), signature)
        return kept[key](images)
