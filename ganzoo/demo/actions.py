"""What the sliders and files of the page ask of a model, as pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from ganzoo import images as pictures
from ganzoo import models, styles
from ganzoo.backends import tensor
from ganzoo.data.decode import Preparation, prepare
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.inputs import Probabilities
from ganzoo.latents import LatentGAN
from ganzoo.losses import VGGLoss
from ganzoo.runs import RunDirectory
from ganzoo.translation import ImageGAN
from ganzoo.weights import download

STEPS = 20  # of the slider from one image to another


def names(runs: Path) -> list[str]:
    """The models that can be had without a network: presets, and runs in a folder."""
    here = [
        preset.name
        for preset in models.presets().values()
        if preset.url is None or download.place_of(preset.url).exists()
    ]
    folders = sorted(path.parent for path in runs.glob("*/model"))
    trained = [str(folder) for folder in folders if RunDirectory(folder).config.exists()]
    return here + trained


def draw(model: LatentGAN, seed: int, count: int, label: int = 0, **options) -> Image.Image:
    """A grid of the first images of consecutive seeds."""
    latents = model.latents_of(range(seed, seed + count))
    return _grid(model.decode(latents, [label] * count, **options))


def between(
    model: LatentGAN, first: int, second: int, step: int, label: int = 0, **options
) -> Image.Image:
    """The image on the great circle from one seed's latent to another's, at a step of `STEPS`."""
    ends = model.latents_of([first, second])
    way = styles.walk(ends, STEPS, spherical=True)
    return _picture(model.decode(way[step][None], [label], **options)[0])


def mix(
    model: styles.StyleGAN, coarse: int, fine: int, crossover: int, label: int = 0, **options
) -> Image.Image:
    """One seed's image, that with the fine styles of another's, and the other's, side by side.

    Args:
        model: any of styles.
        coarse: the seed whose styles come first, up to `crossover`.
        fine: the seed whose styles come after.
        crossover: how many layers are coarse.
        label: the class of both.
        **options: of `StyleGAN.styles`.
    """
    latents = model.latents_of([coarse, fine])
    both = tensor(model.styles(latents, tf.fill([2], label), **options))
    first, second = tf.split(both, 2)
    mixture = styles.mixed(first, second, range(crossover, first.shape[1]))
    return _grid(styles.images_of(model, tf.concat([first, mixture, second], axis=0)), columns=3)


def num_styles(model: styles.StyleGAN) -> int:
    """Layers that have a style of their own."""
    return model.styles(model.latents_of([0]), tf.zeros([1], tf.int32)).shape[1]


def convert(
    model: ImageGAN, path: str | None, mode: str, side: int, **others
) -> tuple[Image.Image, Image.Image]:
    """A photo, and what the model makes of it.

    Args:
        model: any that converts images.
        path: of the photo.
        mode: one of the model's.
        side: the photo is reduced first, where one of its sides is longer.
        others: the mode's other inputs by their names.

    Raises:
        UserError: when the file is no image, or an input is missing.
    """
    photo = pictures.flatten(_opened(path)).convert("L" if model.channels == 1 else "RGB")
    photo.thumbnail((side, side))
    pixels, _ = pictures.pixels_of(photo, model.channels)
    return photo, _picture(model.convert(pixels / np.float32(127.5) - 1.0, mode, **others))


def classify(model: GAN, path: str | None) -> dict[str, float]:
    """The probabilities of a photo's classes, by their names; errors as `convert` has them."""
    mode = next(m for m in model.modes().values() if isinstance(m.outputs[0], Probabilities))
    pixels = prepare(_opened(path), Preparation(model.image_size, model.channels))
    (row,) = tensor(mode.run(tf.constant(pixels[None] / np.float32(127.5) - 1.0))).numpy()
    classes = mode.outputs[0].classes
    return {classes.title(label): float(value) for label, value in enumerate(row)}


def project(
    model: styles.StyleGAN,
    path: str | None,
    steps: int,
    vgg_weights: str,
    on_step: Callable[[int, float], None],
) -> Image.Image:
    """The middle of a photo, and beside it the image that the model can make of it.

    What is transparent is laid on white.

    Args:
        model: any of styles.
        path: of the photo.
        steps: of the search.
        vgg_weights: a file with the weights of VGG19, by whose features images are compared.
        on_step: called with the number of steps done and the distance.

    Raises:
        UserError: when the file is no image, or the weights are none of VGG19.
    """
    pixels = prepare(_opened(path), Preparation(model.image_size, model.channels))
    target = pixels[None] / np.float32(127.5) - 1.0
    distance = VGGLoss("vgg22", vgg_weights)
    found = styles.project(model, tf.constant(target), distance, steps, on_step=on_step)
    return _grid(np.concatenate([target, styles.images_of(model, found)]), columns=2)


def _opened(path: str | None) -> Image.Image:
    if path is None:
        raise UserError("There is no photo yet: drop one first.")
    try:
        return pictures.opened(Path(path))
    except pictures.UnreadableImage as error:
        raise UserError(
            f"{Path(path).name} is no image, or damaged. Drop a file that other programs can show,"
            " such as a PNG, a JPEG or a WebP."
        ) from error


def _grid(images: np.ndarray, columns: int | None = None) -> Image.Image:
    return pictures.picture_of(pictures.grid(pictures.to_uint8(images), columns=columns))


def _picture(image: np.ndarray) -> Image.Image:
    """Of an image `[H, W, C]` in [-1, 1]."""
    return pictures.picture_of(pictures.to_uint8(image))
