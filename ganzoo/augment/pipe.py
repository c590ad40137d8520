"""The augmentation pipeline of StyleGAN2-ADA.

Karras et al. 2020, https://arxiv.org/abs/2006.06676, appendix B. Each transform happens to each
image with the same probability. Those of the plane are composed to one matrix and executed as one
antialiased warp, those of color to another.
"""

import math
from collections.abc import Mapping

import numpy as np
from keras import ops

from ganzoo.augment import matrices
from ganzoo.augment.augmentation import Augmentation
from ganzoo.augment.warp import BAND_POWER, band_filters, filter_bands, warp
from ganzoo.errors import UserError, choose

BLIT = ("xflip", "rotate90", "xint")
GEOM = ("scale", "rotate_pre", "aniso", "rotate_post", "xfrac")
COLOR = ("brightness", "contrast", "lumaflip", "hue", "saturation")
PIPES = {
    "blit": BLIT,
    "geom": GEOM,
    "color": COLOR,
    "filter": ("imgfilter",),
    "noise": ("noise",),
    "cutout": ("cutout",),
    "bg": BLIT + GEOM,
    "bgc": BLIT + GEOM + COLOR,
    "bgcf": (*BLIT, *GEOM, *COLOR, "imgfilter"),
    "bgcfn": (*BLIT, *GEOM, *COLOR, "imgfilter", "noise"),
    "bgcfnc": (*BLIT, *GEOM, *COLOR, "imgfilter", "noise", "cutout"),
    "r3gan": (*BLIT, *GEOM, *COLOR, "cutout"),
}
HALF_AS_LIKELY = {"r3gan": COLOR}  # Huang et al. 2024, https://arxiv.org/abs/2501.05441
COLORED = ("hue", "saturation")  # without a meaning for grey images
NOWHERE = -1.0  # a cutout's center beyond the image

# The values of each transform for N images, with the identity that stands for its absence.
_DRAWS = {
    "xflip": (lambda random, n: _integers(random, "xflip", n, 2), 0.0),
    "rotate90": (lambda random, n: _integers(random, "rotate90", n, 4), 0.0),
    "xint": (lambda random, n: random.uniform("xint", [n, 2], -0.125, 0.125), 0.0),
    "scale": (lambda random, n: 2.0 ** (0.2 * random.normal("scale", [n])), 1.0),
    "rotate_pre": (lambda random, n: _angles(random, "rotate_pre", n), 0.0),
    "aniso": (lambda random, n: 2.0 ** (0.2 * random.normal("aniso", [n])), 1.0),
    "rotate_post": (lambda random, n: _angles(random, "rotate_post", n), 0.0),
    "xfrac": (lambda random, n: 0.125 * random.normal("xfrac", [n, 2]), 0.0),
    "brightness": (lambda random, n: 0.2 * random.normal("brightness", [n]), 0.0),
    "contrast": (lambda random, n: 2.0 ** (0.5 * random.normal("contrast", [n])), 1.0),
    "lumaflip": (lambda random, n: _integers(random, "lumaflip", n, 2), 0.0),
    "hue": (lambda random, n: _angles(random, "hue", n), 0.0),
    "saturation": (lambda random, n: 2.0 ** random.normal("saturation", [n]), 1.0),
    "imgfilter": (lambda random, n: 2.0 ** random.normal("imgfilter", [n, 4]), 1.0),
    "noise": (lambda random, n: ops.abs(0.1 * random.normal("noise", [n])), 0.0),
    "cutout": (lambda random, n: random.uniform("cutout", [n, 2]), NOWHERE),
}


class AugmentPipe(Augmentation):
    """The transforms of a pipe, for square images `[N, S, S, C]`, grey or RGB.

    Values of `draws`, each for N images, in the order of execution:

    | name | values | effect |
    |---|---|---|
    | `xflip` | `[N]`, 0 or 1 | mirrored left to right |
    | `rotate90` | `[N]`, 0 to 3 | quarter turns counterclockwise |
    | `xint` | `[N, 2]` | moved right and down by so many sides, rounded to pixels |
    | `scale` | `[N]` | enlarged |
    | `rotate_pre` | `[N]`, radians | turned counterclockwise, before `aniso` |
    | `aniso` | `[N]` | stretched along x, shrunk along y |
    | `rotate_post` | `[N]`, radians | turned, after `aniso` |
    | `xfrac` | `[N, 2]` | moved right and down by so many sides |
    | `brightness` | `[N]` | added to all channels |
    | `contrast` | `[N]` | all channels multiplied |
    | `lumaflip` | `[N]`, 0 or 1 | lightness mirrored |
    | `hue` | `[N]`, radians | colors turned about grey |
    | `saturation` | `[N]` | distances from grey multiplied |
    | `imgfilter` | `[N, 4]` | four frequency bands amplified, the lowest first |
    | `noise` | `[N]` | normal noise of this standard deviation, with `noise_field` |
    | `noise_field` | `[N, S, S, C]` | the noise before it is scaled |
    | `cutout` | `[N, 2]`, 0 to 1 | a square of half the side around x, y set to 0 |

    Args:
        pipe: a key of `PIPES`.
        **kwargs: `strength`, see `Augmentation`.

    Raises:
        UserError: for an unknown pipe.
    """

    DRAWS = (*_DRAWS, "noise_field")

    def __init__(self, pipe: str = "bgc", **kwargs):
        super().__init__(**kwargs)
        self.transforms = choose("pipe", pipe, PIPES)
        self.half_as_likely = HALF_AS_LIKELY.get(pipe, ())

    def require_size(self, size):
        if "imgfilter" in self.transforms:
            _require_room(size)

    def draw(self, random, images):
        count, _, _, channels = images.shape
        present = ops.convert_to_tensor(self.strength.value)
        draws = {}
        for name in self.transforms:
            if name in COLORED and channels == 1:
                continue
            sample, identity = _DRAWS[name]
            # Two rotations; so that one at least happens with the probability of the others.
            rotation = name.startswith("rotate_p")
            probability = present * (0.5 if name in self.half_as_likely else 1.0)
            if rotation:
                probability = 1.0 - ops.sqrt(1.0 - ops.minimum(present, 1.0))
            values = sample(random, count)
            if name == "imgfilter":  # a chance for each band
                bands = ops.split(values, 4, axis=1)
                chosen = [
                    self.choose(random, f"{name}/{i}", band, identity, probability)
                    for i, band in enumerate(bands)
                ]
                draws[name] = ops.concatenate(chosen, axis=1)
            else:
                draws[name] = self.choose(random, name, values, identity, probability)
        if "noise" in draws:
            draws["noise_field"] = random.normal("noise_field", images.shape)
        return draws

    def transform(self, images, draws: Mapping):
        images = ops.convert_to_tensor(images, "float32")
        draws = {name: ops.convert_to_tensor(values, "float32") for name, values in draws.items()}
        if any(name in draws for name in BLIT + GEOM):
            images = warp(images, _inverse(draws, images.shape))
        if any(name in draws for name in COLOR):
            images = _recolored(images, _color_matrix(draws))
        if "imgfilter" in draws:
            images = filter_bands(images, _band_gains(images, draws["imgfilter"]))
        if ("noise" in draws) != ("noise_field" in draws):
            raise UserError(
                "Draws of noise and noise_field were not both given: one scales the other"
            )
        if "noise" in draws:
            images += ops.reshape(draws["noise"], (-1, 1, 1, 1)) * draws["noise_field"]
        if "cutout" in draws:
            images *= _outside(images, draws["cutout"])
        return images


def _integers(random, name, count, high):
    return ops.cast(random.integers(name, [count], high), "float32")


def _angles(random, name, count):
    return random.uniform(name, [count], -math.pi, math.pi)


def _inverse(draws, shape):
    """From output to input pixels: the inverses of the transforms, in their order."""
    _, height, width, _ = shape
    # A turn counterclockwise on the screen, where y points down, has the inverse rotate(angle).
    steps = {
        "xflip": lambda i: matrices.scale(1.0 - 2.0 * i, ops.ones_like(i)),
        "rotate90": lambda i: matrices.rotate(math.pi / 2 * i),
        "xint": lambda t: matrices.translate(
            -ops.round(t[:, 0] * width), -ops.round(t[:, 1] * height)
        ),
        "scale": lambda s: matrices.scale(1.0 / s, 1.0 / s),
        "rotate_pre": matrices.rotate,
        "aniso": lambda s: matrices.scale(1.0 / s, s),
        "rotate_post": matrices.rotate,
        "xfrac": lambda t: matrices.translate(-t[:, 0] * width, -t[:, 1] * height),
    }
    return _composed([make(draws[name]) for name, make in steps.items() if name in draws])


def _color_matrix(draws):
    steps = {
        "brightness": matrices.color_offset,
        "contrast": matrices.color_scale,
        "lumaflip": matrices.luma_flip,
        "hue": matrices.hue,
        "saturation": matrices.saturation,
    }
    # The first to happen stands on the right.
    return _composed([make(draws[name]) for name, make in steps.items() if name in draws][::-1])


def _composed(factors):
    product, *rest = factors
    for factor in rest:
        product = ops.matmul(product, factor)
    return product


def _recolored(images, matrix):
    if images.shape[-1] == 1:  # as of RGB images with three equal channels, averaged
        matrix = ops.mean(matrix[:, :3], axis=1)
        gain, offset = ops.sum(matrix[:, :3], axis=1), matrix[:, 3]
        return images * ops.reshape(gain, (-1, 1, 1, 1)) + ops.reshape(offset, (-1, 1, 1, 1))
    linear, offset = matrix[:, None, :3, :3], matrix[:, None, None, :3, 3]
    return ops.matmul(images, ops.transpose(linear, (0, 1, 3, 2))) + offset


def _require_room(size):
    reach = band_filters().shape[1] // 2
    if size <= reach:
        raise UserError(
            f"Images of {size} pixels a side are too small for filters of bands: expected more"
            f" than {reach}. Take a pipe without them, such as bgc."
        )


def _band_gains(images, factors):
    """Each band's factor, followed by what keeps the expected power: `[N, 4]`."""
    _require_room(min(images.shape[1:3]))
    alone = np.eye(4, dtype=np.float32) * factors[:, :, None] + (1.0 - np.eye(4, dtype=np.float32))
    power = ops.sum(BAND_POWER * ops.square(alone), axis=-1, keepdims=True)
    return ops.prod(alone / ops.sqrt(power), axis=1)


def _outside(images, centers):
    """0 inside of each image's square, else 1: `[N, S, S, 1]`."""
    _, height, width, _ = images.shape
    x = (np.arange(width, dtype=np.float32) + 0.5) / width
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    in_columns = ops.abs(x - centers[:, :1]) < 0.25
    in_rows = ops.abs(y - centers[:, 1:]) < 0.25
    inside = ops.logical_and(in_rows[:, :, None], in_columns[:, None, :])
    return 1.0 - ops.cast(inside, "float32")[..., None]
