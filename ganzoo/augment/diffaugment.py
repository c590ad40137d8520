"""Differentiable augmentation, always on.

Zhao et al. 2020, https://arxiv.org/abs/2006.10738.
"""

from collections.abc import Mapping

import numpy as np
from keras import ops

from ganzoo.augment.augmentation import Augmentation
from ganzoo.augment.matrices import resample
from ganzoo.errors import unknown

POLICIES = {
    "color": ("brightness", "saturation", "contrast"),
    "translation": ("translation",),
    "cutout": ("cutout",),
}
SHIFT, HOLE = 1 / 8, 1 / 2  # of the image's side


class DiffAugment(Augmentation):
    """Color, translation and cutout, in this order, of square images `[N, S, S, C]`.

    Values of `draws`, each for N images:

    | name | values | effect |
    |---|---|---|
    | `brightness` | `[N]`, -0.5 to 0.5 | added |
    | `saturation` | `[N]`, 0 to 2 | distances from the pixel's mean multiplied |
    | `contrast` | `[N]`, 0.5 to 1.5 | distances from the image's mean multiplied |
    | `translation` | `[N, 2]`, pixels | moved right and down, zeros move in |
    | `cutout` | `[N, 2]`, pixels | a square of half the side, centered at x, y, set to 0 |

    Args:
        policy: keys of `POLICIES`, separated by commas.
        **kwargs: `strength`, see `Augmentation`; the paper's is 1.

    Raises:
        UserError: for an unknown key.
    """

    DRAWS = tuple(name for names in POLICIES.values() for name in names)

    def __init__(self, policy: str = "color,translation,cutout", **kwargs):
        super().__init__(**kwargs)
        parts = policy.split(",")
        for part in parts:
            if part not in POLICIES:
                raise unknown("part of a DiffAugment policy", part, POLICIES)
        self.transforms = [name for key in POLICIES if key in parts for name in POLICIES[key]]

    def draw(self, random, images):
        count, size = images.shape[0], images.shape[1]
        shift, hole = int(size * SHIFT + 0.5), int(size * HOLE + 0.5)
        centers = size + 1 - hole % 2
        samples = {
            "brightness": (lambda: random.uniform("brightness", [count], -0.5, 0.5), 0.0),
            "saturation": (lambda: random.uniform("saturation", [count], 0.0, 2.0), 1.0),
            "contrast": (lambda: random.uniform("contrast", [count], 0.5, 1.5), 1.0),
            "translation": (
                lambda: random.integers("translation", [count, 2], 2 * shift + 1) - shift,
                0,
            ),
            "cutout": (lambda: random.integers("cutout", [count, 2], centers), -2 * size),
        }
        present = ops.convert_to_tensor(self.strength.value)
        return {
            name: self.choose(random, name, samples[name][0](), samples[name][1], present)
            for name in self.transforms
        }

    def transform(self, images, draws: Mapping):
        images = ops.convert_to_tensor(images, "float32")
        draws = {name: ops.convert_to_tensor(values, "float32") for name, values in draws.items()}
        if "brightness" in draws:
            images += _factors(draws["brightness"])
        if "saturation" in draws:
            images = _stretched(images, draws["saturation"], axis=3)
        if "contrast" in draws:
            images = _stretched(images, draws["contrast"], axis=(1, 2, 3))
        if "translation" in draws:
            columns, rows = (_shifting(images.shape[1], draws["translation"][:, i]) for i in (0, 1))
            images = resample(images, rows, columns)
        if "cutout" in draws:
            images *= _outside(images.shape[1], draws["cutout"])
        return images


def _factors(values):
    return ops.reshape(values, (-1, 1, 1, 1))


def _stretched(images, factors, axis):
    mean = ops.mean(images, axis=axis, keepdims=True)
    return (images - mean) * _factors(factors) + mean


def _shifting(size, pixels):
    """Matrices `[N, size, size]` that move along an axis."""
    source = np.arange(size)[:, None] - ops.cast(pixels, "int32")[:, None, None]
    return ops.cast(ops.equal(source, np.arange(size)), "float32")


def _outside(size, centers):
    """0 inside of each image's square, else 1: `[N, size, size, 1]`."""
    hole = int(size * HOLE + 0.5)
    first = ops.cast(centers, "int32")[:, None, :] - hole // 2
    steps = np.arange(size)[None, :, None] - first  # [N, size, 2]
    x, y = ops.split(ops.logical_and(steps >= 0, steps < hole), 2, axis=2)
    inside = ops.logical_and(y, ops.transpose(x, (0, 2, 1)))
    return 1.0 - ops.cast(inside, "float32")[..., None]
