"""What models that turn images into images have in common."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image as Pillow

from ganzoo import files
from ganzoo import images as pictures
from ganzoo.backends import inference
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.inputs import Image, Mode
from ganzoo.latents import random_of, seed_tensor
from ganzoo.tiles import tiled

TILE = 512


class ImageGAN(GAN):
    """A GAN with modes that turn images `[N, H, W, C]` into images, made by `converting`.

    Attributes:
        channels: of the images, 1 (grey) or 3 (RGB).
        scale: side of an output over that of its input.
        multiple: what the sides of an input must be multiples of, in pixels.
        least: what they must at least be; a multiple of `multiple`.
        overlap: pixels of context that a tile of a large input needs on each side.
    """

    channels: int
    scale: int = 1
    multiple: int = 1
    least: int = 1
    overlap: int

    def converting(
        self, run: Callable, weights: str, *others, channels: int | None = None, **settings
    ) -> Mode:
        """A mode that turns images of any size into images.

        Args:
            run: from images, and what else it is given, to images.
            weights: the key of the network in `generators`.
            others: more inputs; an `Image` that is `aligned` has the size of the image.
            channels: of the result; None for as many as the image has.
            settings: of `Mode`, such as `options`; `columns` are ("a", "b") by default.
        """
        given = Image(self.channels, multiple=self.multiple, least=self.least)
        result = Image(self.channels if channels is None else channels, scale=self.scale)
        settings = {"columns": ("a", "b"), **settings}
        return Mode((given, *others), (result,), run, weights, **settings)

    def convert(
        self,
        image: np.ndarray,
        mode: str | None = None,
        tile: int = TILE,
        batch: int = 1,
        seed: int = 0,
        **others,
    ) -> np.ndarray:
        """Sends one image of any size through a generator.

        Args:
            image: `[H, W, C]`, float in [-1, 1].
            mode: one of `modes`; None for the usual one.
            tile: largest side of what the network sees at once, in pixels; larger images are cut
                into overlapping tiles.
            batch: how many tiles it sees at once.
            seed: of what is random about the mode.
            others: the mode's other inputs and its options, by their names.

        Returns:
            `[scale * H, scale * W, C]`, float32 in [-1, 1].

        Raises:
            UserError: for an unknown mode, inputs that it does not have or that are missing, or a
                tile that is too small.
        """
        return np.concatenate([*self._rows(image, mode, tile, batch, seed, others)])

    def convert_picture(
        self,
        image: Pillow.Image,
        mode: str | None = None,
        tile: int = TILE,
        batch: int = 1,
        seed: int = 0,
        **others,
    ) -> Pillow.Image:
        """`convert` of a PIL image as `images.normalized` makes it; transparency stays."""
        pixels, alpha = pictures.pixels_of(image, self.channels)
        floats = pixels / np.float32(127.5) - 1.0
        rows = self._rows(floats, mode, tile, batch, seed, others)
        converted = np.concatenate([pictures.to_uint8(some) for some in rows])
        return pictures.picture_of(converted, alpha, image.info.get("icc_profile"))

    def _rows(self, image, name: str | None, tile, batch, seed, others) -> Iterator[np.ndarray]:
        """What `convert` returns, from the top on."""
        mode, name = self.mode(name), name or next(iter(self.modes()))
        options = {key: others[key] for key in others if key in mode.options}
        others = mode.read_others({key: others[key] for key in others if key not in options})
        aligned = [each for each in others if getattr(each, "aligned", False)]
        layers = [np.asarray(image, np.float32), *(others.pop(each)[0] for each in aligned)]
        if any(layer.shape[:2] != layers[0].shape[:2] for layer in layers):
            sizes = " and ".join(f"{layer.shape[1]}x{layer.shape[0]}" for layer in layers)
            raise UserError(f"images of {sizes} pixels, which lie over each other: resize one")
        splits = np.cumsum([layer.shape[2] for layer in layers])[:-1]
        steps, seed = itertools.count(), seed_tensor(seed)

        def run(part):
            parts = [tf.constant(layer) for layer in np.split(part, splits, axis=-1)]
            given = [*parts, *(tf.repeat(rows, len(part), axis=0) for rows in others.values())]
            return self.run_mode(name, given, seed, next(steps), **options).numpy()

        return tiled(
            run,
            np.concatenate(layers, axis=-1),
            tile=tile,
            overlap=self.overlap,
            scale=self.scale,
            multiple=self.multiple,
            least=self.least,
            batch=batch,
        )

    def _answer(self, image, mode: str | None = None, **others):
        """As `convert` does it, of whatever a person has at hand."""
        if isinstance(image, (str, Path)):
            image = pictures.opened(files.expanded(image))
        if isinstance(image, Pillow.Image):
            return self.convert_picture(pictures.normalized(image), mode, **others)
        image = np.asarray(image)
        if image.ndim == 4 and len(image):
            return np.stack([self._answer(one, mode, **others) for one in image])
        converted = self.convert(pictures.floats_of(image, self.channels), mode, **others)
        return pictures.to_uint8(converted) if image.dtype == np.uint8 else converted

    def run_mode(
        self, name: str, inputs: Sequence[tf.Tensor], seed=0, step: int = 0, **options
    ) -> tf.Tensor:
        """What a mode makes of the tensors of its inputs.

        It is a graph that is traced once for all sizes, but for each number of images: a number
        that is known is normalized faster.
        """
        mode, kept = self.mode(name), self.__dict__.setdefault("_inference", {})
        key = name, len(inputs[0]), *sorted(options.items())
        if key not in kept:

            def run(seed, step, *inputs):
                random = {"random": random_of(seed, step)} if mode.is_random else {}
                return mode.run(*inputs, **random, **options)

            signature = [tf.TensorSpec([], tf.int64), tf.TensorSpec([], tf.int32)]
            for each in mode.inputs:
                shape = [len(inputs[0]), *each.spec.shape[1:]]
                signature.append(tf.TensorSpec(shape, each.spec.dtype))
            kept[key] = inference(run, signature)
        return kept[key](tf.cast(seed, tf.int64), tf.constant(step), *inputs)
