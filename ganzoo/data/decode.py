"""From a file of any format, size and mode to a uint8 array."""

import dataclasses
import io
import mimetypes
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from ganzoo.data.sources import Item
from ganzoo.errors import UserError, unknown
from ganzoo.photos import eight_bit, flatten, oddities, upright

FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
BACKGROUNDS = {"white": 255, "black": 0, "grey": 128}
FITS = {"crop": "center square", "stretch": "none, stretched", "keep": "none, kept as it is"}
MIN_SIDE = 8  # pixels; what is smaller shows nothing
MAX_ENLARGEMENT = 4  # an image that needs more to reach the image size is a blur
ODD_ASPECT = 4  # the center square of a longer image shows less than a quarter of it
_INSIDE = 128  # of a mask
MAX_BYTES = 1 << 29  # of a file; one in a zip file needs twice as much memory while it is read
_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Preparation:
    """How all images of a data set are brought into one form.

    Orientation from EXIF, transparency over `background`, 8 bits, grey or RGB; then by `fit`:

    - "crop": the center square, by the filter `resize` to `image_size`;
    - "stretch": the whole image, by the filter `resize` to a square of `image_size`;
    - "keep": the image as it is, which must not be smaller than `image_size`.

    `resize` is the name of one of Pillow's antialiased filters. What cannot be used makes
    `on_bad_file` "fail", or is left out by "skip". `pair_channels` are the channels of a second
    image, where each item is a pair: two files, or one that holds them side by side. Prepared
    images go into `cache_dir`, by default $GANZOO_HOME or ~/.cache/ganzoo; `progress` reports slow
    work and odd files on standard error.
    """

    image_size: int
    channels: int
    resize: str = "lanczos"
    background: str = "white"
    fit: str = "crop"
    on_bad_file: str = "fail"
    pair_channels: int | None = None
    cache_dir: str | Path | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise UserError(f"image_size must be positive, got {self.image_size}.")
        for channels in self.all_channels:
            if channels not in (1, 3):
                raise UserError(f"channels must be 1 (grey) or 3 (RGB), got {channels}.")
        for title, value, known in (
            ("resize filter", self.resize, FILTERS),
            ("background", self.background, BACKGROUNDS),
            ("fit", self.fit, FITS),
            ("value of on_bad_file", self.on_bad_file, ("fail", "skip")),
        ):
            if value not in known:
                raise unknown(title, value, known)

    @property
    def all_channels(self) -> tuple[int, ...]:
        """Of each image of an item."""
        pair = self.pair_channels
        return (self.channels,) if pair is None else (self.channels, pair)

    @property
    def smallest(self) -> float:
        """The least side that an image may have, in pixels."""
        needed = self.image_size if self.fit == "keep" else self.image_size / MAX_ENLARGEMENT
        return max(MIN_SIDE, needed)

    def record(self) -> dict:
        """Everything that decides the pixels, for logs and fingerprints."""
        names = ["image_size", "channels", "resize", "background"]
        names += [] if self.pair_channels is None else ["pair_channels"]
        fixed = {"orientation": "exif", "crop": FITS[self.fit], "version": _VERSION}
        return {name: getattr(self, name) for name in names} | fixed


class Decoded(NamedTuple):
    """One item after preparation.

    Attributes:
        pixels: uint8 `[H, W, channels]`, of a pair both images' channels, with a mask its 0 and 1
            last; None when there is no usable image.
        bad: why an image cannot be used, or "".
        notice: what is odd about an image that is used, or a file that is passed over, or "".
    """

    pixels: np.ndarray | None
    bad: str = ""
    notice: str = ""


class _BadImage(Exception):
    """Carries the reason."""


def decode(item: Item, preparation: Preparation) -> Decoded:
    """Read, check and prepare one item; whatever is wrong with it is in the result."""
    try:
        images = [_opened(one) for one in (item, item.partner) if one]
        for image in images:
            _require_usable(image, item, preparation.smallest)
        notice = _oddities(images[0], preparation.fit)
        pairs, channels = preparation.pair_channels is not None, preparation.all_channels
        masked = not pairs and item.partner is not None
        if pairs or masked:
            images = _pair(images)
        channels += (1,) * masked
        planes = [prepare(i, preparation, c) for i, c in zip(images, channels, strict=True)]
        if masked:
            planes[1] = _inside(planes[1], images[1])
        return Decoded(np.concatenate(planes, axis=2) if planes[1:] else planes[0], notice=notice)
    except UnidentifiedImageError:
        return _no_image(item)
    except _BadImage as error:
        return Decoded(None, bad=str(error))
    except Exception as error:  # Pillow's readers raise nearly everything on broken files
        return Decoded(None, bad=f"unreadable: {error or type(error).__name__}")


def _opened(item: Item) -> Image.Image:
    if item.size > MAX_BYTES:
        raise _BadImage(f"{item.size:,} bytes, more than an image has")
    return Image.open(io.BytesIO(item.read()))


def _pair(images: list[Image.Image]) -> list[Image.Image]:
    """Two images of one size, upright: of two files, or the halves of one."""
    images = [upright(eight_bit(image)) for image in images]
    sizes = [f"{image.width}x{image.height}" for image in images]
    if images[1:]:
        if images[0].size != images[1].size:
            raise _BadImage(f"the images of a pair have two sizes: {' and '.join(sizes)}")
        return images
    width, height = images[0].size
    if width % 2 or width <= height:
        raise _BadImage(
            f"{sizes[0]}: its width must be even, and more than its height, to hold two"
            " images side by side"
        )
    return [images[0].crop((x, 0, x + width // 2, height)) for x in (0, width // 2)]


def _inside(plane: np.ndarray, mask: Image.Image) -> np.ndarray:
    """1 inside of a mask, 0 outside, from what it became when it was resized."""
    brightest = mask.convert("L").getextrema()[1]
    if 0 < brightest < _INSIDE:
        raise _BadImage(f"its mask is {brightest} where it is brightest; expected 255 inside")
    return np.uint8(plane >= _INSIDE)


def read_header(item: Item) -> tuple[int, int, bool] | str:
    """Height, width and whether it is grey, of an image by its header; else why it is none."""
    try:
        with item.open() as stream, Image.open(stream) as image:
            return image.height, image.width, image.mode[0] in "1LI" and image.mode != "LAB"
    except UnidentifiedImageError:
        return "not an image"
    except Exception as error:  # Pillow's readers raise nearly everything on broken files
        return str(error) or type(error).__name__


def is_image(item: Item) -> bool:
    """By content; only the header is read."""
    return not isinstance(read_header(item), str)


def _no_image(item: Item) -> Decoded:
    """A text among the images is passed over; a .jpg that is no image is a damaged one."""
    if not named_as_image(item.path):
        return Decoded(None, notice="not an image, passed over")
    reason = "not an image that Pillow reads, in spite of its name"
    return Decoded(None, bad=reason if item.size else "empty")


def named_as_image(path: str) -> bool:
    """Also true of formats that Pillow lacks, such as .heic: they are meant to be used."""
    format = Image.registered_extensions().get(os.path.splitext(path)[1].lower())
    return format in Image.OPEN or (mimetypes.guess_type(path)[0] or "").startswith("image/")


def _require_usable(image: Image.Image, item: Item, smallest: float) -> None:
    width, height = image.size
    if min(width, height) < smallest:
        raise _BadImage(f"tiny: {width}x{height}, at least {smallest:g} px a side are needed")
    if Image.MAX_IMAGE_PIXELS and width * height > Image.MAX_IMAGE_PIXELS:
        raise _BadImage(f"{width}x{height} is more than {Image.MAX_IMAGE_PIXELS:,} pixels")
    if image.mode == "F":
        raise _BadImage("floating-point pixels have no fixed range")
    if item.bad:
        raise _BadImage(item.bad)


def _oddities(image: Image.Image, fit: str) -> str:
    found = oddities(image)
    if fit == "crop" and max(image.size) > ODD_ASPECT * min(image.size):
        found.append(f"{image.width}x{image.height}, only the center square is used")
    return "; ".join(found)


def prepare(
    image: Image.Image, preparation: Preparation, channels: int | None = None
) -> np.ndarray:
    """An image as uint8 `[H, W, channels]`, by default those of the `Preparation`."""
    channels = channels or preparation.channels
    image = flatten(upright(eight_bit(image)), BACKGROUNDS[preparation.background])
    image = image.convert("L" if channels == 1 else "RGB")
    if preparation.fit == "crop":  # before: the filter of `resize(box=...)` would reach beyond it
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        image = image.crop((left, top, left + side, top + side))
    size = (preparation.image_size, preparation.image_size)
    if preparation.fit != "keep" and image.size != size:
        image = image.resize(size, Image.Resampling[preparation.resize.upper()])
    return np.asarray(image).reshape(image.height, image.width, channels)
