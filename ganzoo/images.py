"""From the tensors of a model to pictures that people look at, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import imageio
import numpy as np
from PIL import Image, ImageOps

from ganzoo.errors import UserError


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


class UnreadableImage(UserError):
    """A file that is no image, or a damaged one."""


def is_picture(path: Path) -> bool:
    """Whether the name of a file is that of an image."""
    return path.is_file() and Image.registered_extensions().get(path.suffix.lower()) in Image.OPEN


def opened(path: Path) -> Image.Image:
    """An image file of any mode, upright by its EXIF, in 8 bits.

    Raises:
        UnreadableImage: when the file is missing, damaged, or no image.
    """
    try:
        with Image.open(path) as file:
            return eight_bit(ImageOps.exif_transpose(file))
    except Exception as error:  # Pillow's readers raise nearly everything on broken files
        raise UnreadableImage(f"{path} cannot be read as an image ({error})") from error


def read(path: Path, channels: int) -> tuple[np.ndarray, Image.Image | None]:
    """`pixels_of` an image file; errors are those of `opened`."""
    return pixels_of(opened(path), channels)


def pixels_of(image: Image.Image, channels: int) -> tuple[np.ndarray, Image.Image | None]:
    """uint8 `[H, W, channels]` of an image, and its alpha channel where it has one.

    Raises:
        UserError: for other channels than 1 (grey) or 3 (RGB).
    """
    if channels not in (1, 3):
        raise UserError(
            f"The model takes images of {channels} channels; ganzoo reads images as 1 (grey) or 3"
            " (RGB). Pass an array of that many channels to the model in Python instead."
        )
    image, alpha = eight_bit(image), None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels.reshape(*pixels.shape[:2], channels), alpha


def picture_of(image: np.ndarray, alpha: Image.Image | None = None) -> Image.Image:
    """An image `[H, W, C]`, uint8, with the alpha channel resized to it."""
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    if alpha is not None:
        picture.putalpha(alpha.resize(picture.size, Image.Resampling.BICUBIC))
    return picture


def eight_bit(image: Image.Image) -> Image.Image:
    """Scales 16-bit grey, which `convert` would clip at 255.

    Raises:
        UserError: for pixels of 32 bits, which have no fixed range.
    """
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise UserError("32-bit pixels have no fixed range; convert the image to 8 bits")
    return Image.fromarray(((values.astype(np.int64) + 128) // 257).astype(np.uint8))


def save(image: np.ndarray, path: str | Path, alpha: Image.Image | None = None) -> None:
    """Writes an image `[H, W, C]`, uint8, in the format of the file's name; PNG without one.

    Args:
        image: 1 (grey) or 3 (RGB) channels.
        path: its folder is created.
        alpha: resized to the image, and left out where the format has none.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    format = Image.registered_extensions().get(path.suffix.lower(), "PNG")
    picture = picture_of(image, None if format == "JPEG" else alpha)
    options = {"quality": 95} if format == "JPEG" else {}
    picture.save(path, format, **options)


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
