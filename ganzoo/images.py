"""From the tensors of a model to pictures that people look at, and back."""

import functools
import io
import math
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import imageio
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ganzoo.errors import UserError
from ganzoo.photos import flatten, normalized, visible_colors

# The modes that a picture may be written in, the best first.
_MODES = {"L": ("L", "RGB"), "LA": ("LA", "RGBA", "L", "RGB"), "RGB": ("RGB",)}
_MODES["RGBA"] = ("RGBA", "RGB")
_PROBE, _ERROR = (200, 100, 50, 128), 16  # a color, and how far a lossy format may be off
_ROUNDING = 1e-3  # beyond [-1, 1], of floats that were resized or are half as precise
_TITLE = 14  # height of a line of text, in pixels
_ICON = 256  # the largest side that a format for icons has, in pixels

# Raw files of cameras, of which Pillow reads the preview: a small TIFF.
RAW = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2")


def to_uint8(images) -> np.ndarray:
    """Float images in [-1, 1] to uint8, clipped; inverts x / 127.5 - 1 exactly."""
    return np.clip(np.asarray(images, np.float32) * 127.5 + 128.0, 0, 255).astype(np.uint8)


def grid(images: np.ndarray, padding: int = 2, columns: int | None = None) -> np.ndarray:
    """Images `[N, H, W, C]`, uint8, in a grid with white between them; about square by default."""
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count * height / width))
    rows = math.ceil(count / columns)
    cell = (height + padding, width + padding)
    shape = (rows * cell[0] + padding, columns * cell[1] + padding, channels)
    canvas = np.full(shape, 255, np.uint8)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        top, left = row * cell[0] + padding, column * cell[1] + padding
        canvas[top : top + height, left : left + width] = image
    return canvas


def titled_rows(grids: Sequence[np.ndarray], titles: Sequence[str]) -> np.ndarray:
    """Grids `[H, W, C]`, uint8, one below the other, each with its title to its left."""
    stacked = np.concatenate(grids)
    if not any(titles):
        return stacked
    font = ImageFont.load_default(_TITLE)
    margin = _TITLE + max(math.ceil(font.getlength(title)) for title in titles)
    tops = np.cumsum([0, *(max(len(grid), 2 * _TITLE) for grid in grids)])
    channels = stacked.shape[-1]
    sheet = Image.new(
        "L" if channels == 1 else "RGB", (margin + stacked.shape[1], int(tops[-1])), "white"
    )
    for grid, title, top in zip(grids, titles, tops, strict=False):
        sheet.paste(picture_of(grid), (margin, int(top)))
        place = _TITLE // 2, int(top) + len(grid) // 2
        ImageDraw.Draw(sheet).text(place, title, "black", font, anchor="lm")
    return np.asarray(sheet).reshape(*sheet.size[::-1], channels)


class UnreadableImage(UserError):
    """A file that is no image, or a damaged one."""


def opened(path: str | Path, tell: Callable[[str], None] = warnings.warn) -> Image.Image:
    """`normalized` of an image file; `tell` is called with the path and what is odd about it.

    Raises:
        UnreadableImage: when the file is missing, damaged, no image, or has pixels without range.
    """
    if Path(path).suffix.lower() in RAW:
        raise UnreadableImage(f"{path} is a camera's raw file; develop it to a TIFF, PNG or JPEG")
    try:
        notices: list[str] = []
        with Image.open(path) as file:
            image = normalized(file, notices.append).copy()
    except Exception as error:  # Pillow's readers raise nearly everything on broken files
        raise UnreadableImage(f"{path} cannot be read as an image ({error})") from error
    for notice in notices:
        tell(f"{path}: {notice}")
    return image


def read(path: str | Path, channels: int) -> tuple[np.ndarray, Image.Image | None]:
    """`pixels_of` an image file; errors are those of `opened`."""
    return pixels_of(opened(path), channels)


def pixels_of(image: Image.Image, channels: int) -> tuple[np.ndarray, Image.Image | None]:
    """uint8 `[H, W, channels]` of a normalized image, and its alpha channel where it has one.

    What is fully transparent continues the colors beside it: what a network makes of the visible
    part must not depend on colors that nobody sees.

    Raises:
        UserError: for other channels than 1 (grey) or 3 (RGB).
    """
    if channels not in (1, 3):
        raise UserError(
            f"The model takes images of {channels} channels; ganzoo reads images as 1 (grey) or 3"
            " (RGB). Pass an array of that many channels to the model in Python instead."
        )
    alpha = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = visible_colors(image)
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels), alpha


def floats_of(image, channels: int) -> np.ndarray:
    """Float32 `[H, W, channels]` in [-1, 1] of whatever a person has at hand.

    Args:
        image: a path, a PIL image, or an array `[H, W, channels]`, uint8 or float in [-1, 1].
        channels: 1 (grey) or 3 (RGB); of an array any number.

    Raises:
        UserError: for an unreadable file, or an array of another shape, type or range.
    """
    if isinstance(image, (str, os.PathLike)):
        image = opened(image)
    if isinstance(image, Image.Image):
        return pixels_of(normalized(image), channels)[0] / np.float32(127.5) - 1.0
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != channels or not image.size:
        raise UserError(
            f"an array of shape {image.shape}; expected [H, W, {channels}] or [N, H, W, {channels}]"
            " with pixels in it, a path, or a PIL image"
        )
    if image.dtype == np.uint8:
        return image / np.float32(127.5) - 1.0
    if "float" not in image.dtype.name:  # that of bfloat16, too, which NumPy does not know
        raise UserError(f"an array of {image.dtype}; expected uint8, or floats from -1 to 1")
    image = image.astype(np.float32)
    if not np.abs(image).max() <= 1.0 + _ROUNDING:  # nor where a number is none
        raise UserError(
            f"an array of floats from {image.min():.7g} to {image.max():.7g}; expected floats from"
            " -1 to 1"
        )
    return np.clip(image, -1.0, 1.0)


def picture_of(
    image: np.ndarray, alpha: Image.Image | None = None, profile: bytes | None = None
) -> Image.Image:
    """An image `[H, W, C]`, uint8, with the alpha channel resized to it, and a color profile."""
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    if profile is not None and picture.mode == "RGB":
        picture.info["icc_profile"] = profile
    if alpha is not None:
        picture.putalpha(alpha.resize(picture.size, Image.Resampling.BICUBIC))
    return picture


def save(
    image: np.ndarray | Image.Image,
    path: str | Path,
    alpha: Image.Image | None = None,
    background: int = 255,
) -> None:
    """Writes a picture in the format of the file's name; PNG without one.

    Args:
        image: `[H, W, C]`, uint8, of 1 (grey) or 3 (RGB) channels; or what `picture_of` gives.
        path: its folder is created.
        alpha: of an array, resized to it.
        background: 0 to 255; shows where the picture is transparent and the format cannot be.

    Raises:
        UserError: as `written_mode` does.
    """
    path = Path(path)
    picture = image if isinstance(image, Image.Image) else picture_of(image, alpha)
    mode = written_mode(path, picture.mode, picture.size)
    options = {"quality": 95} if _format(path) == "JPEG" else {}
    if "icc_profile" in picture.info and mode.startswith("RGB"):
        options["icc_profile"] = picture.info["icc_profile"]
    if not mode.endswith("A"):
        picture = flatten(picture, background)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = picture if picture.mode == mode else picture.convert(mode)  # a copy may be large
    picture.save(path, _format(path), **options)


def written_mode(path: str | Path, mode: str, size: tuple[int, int]) -> str:
    """The mode that a picture is written in, without "A" where the format has no transparency.

    Args:
        path: of the file; PNG is written without a suffix.
        mode: of the picture, "L", "LA", "RGB" or "RGBA".
        size: its width and height, in pixels.

    Raises:
        UserError: when the format is unknown, cannot be written, or has no room for the picture.
    """
    suffix, format = Path(path).suffix, _format(path)
    for candidate in _MODES[mode] if format else ():
        if _holds(format, candidate, size):
            return candidate
    if format and any(_holds(format, candidate, (_ICON, _ICON)) for candidate in _MODES[mode]):
        width, height = size
        raise UserError(f"{path}: a {suffix} file cannot hold {width}x{height} pixels; use .png")
    raise UserError(
        f"{path}: no picture can be written as {suffix}; expected a name that ends with .png, .jpg,"
        " .webp, .tif, .bmp or the like"
    )


def require_writable(path: str | Path) -> None:
    """Raises UserError unless a path is a file's, and of a format that can be written."""
    if Path(path).is_dir() or str(path).endswith(("/", os.sep)):
        raise UserError(f"{path} is a folder; expected a file, as in {Path(path, 'images.png')}")
    written_mode(path, "RGB", (_ICON, _ICON))


def _format(path: str | Path) -> str | None:
    """Pillow's name for the format of a file; None for an unknown suffix."""
    suffix = Path(path).suffix.lower()
    return Image.registered_extensions().get(suffix) if suffix else "PNG"


@functools.lru_cache
def _holds(format: str, mode: str, size: tuple[int, int]) -> bool:
    """Whether a format gives a picture back, by trying.

    Formats do not say what they cannot hold, and some shrink what is too large, or lose its
    transparency. A strip along each side is enough for all but icons, whose shape matters.
    """
    width, height = size
    for strip in {(width, min(height, _ICON)), (min(width, _ICON), height)}:
        picture = Image.new("RGBA", strip, _PROBE).convert(mode)
        try:
            with io.BytesIO() as file:
                picture.save(file, format)
                with Image.open(file) as back:
                    colors = [p.convert("RGBA").getpixel((0, 0)) for p in (picture, back)]
                    if back.size != strip or np.ptp(np.int64(colors), axis=0).max() > _ERROR:
                        return False
        except Exception:  # Pillow's writers raise nearly everything, too
            return False
    return True


def require_animation(path: str | Path) -> None:
    """Raises UserError unless a file's name is that of an animation."""
    if Path(path).suffix.lower() not in (".gif", ".mp4"):
        raise UserError(f"{path}: an animation is a .gif or an .mp4; give --out such a name")


def save_animation(
    frames: Iterable[np.ndarray], path: str | Path, frames_per_second: float = 30.0
) -> None:
    """Writes an endless GIF or an MP4, by the file's name.

    Args:
        frames: images `[H, W, C]`, uint8, of which one at a time is asked for.
        path: its folder is created.
        frames_per_second: of both.
    """
    require_animation(path)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = (np.broadcast_to(frame, (*frame.shape[:-1], 3)) for frame in frames)
    if path.suffix.lower() == ".gif":
        pictures = map(Image.fromarray, frames)
        duration = round(1000 / frames_per_second)
        next(pictures).save(path, save_all=True, append_images=pictures, duration=duration, loop=0)
        return
    # The codec needs even sides; it would stretch others to multiples of 16 by default.
    with imageio.get_writer(path, fps=frames_per_second, macro_block_size=2, quality=8) as writer:
        for frame in frames:
            height, width, _ = frame.shape
            writer.append_data(np.pad(frame, [[0, height % 2], [0, width % 2], [0, 0]], "edge"))
