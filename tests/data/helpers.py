"""Small image files to read back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from ganzoo.data.decode import Decoded, Preparation, decode
from ganzoo.data.sources import Item


def noise(seed: int = 0, size: int = 16, mode: str = "RGB") -> Image.Image:
    """Smooth random colors, so that JPEG keeps them."""
    small = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), np.uint8)
    return Image.fromarray(small).resize((size, size), Image.Resampling.BILINEAR).convert(mode)


def encoded(image: Image.Image, format: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def decoded(data: bytes, path: str = "a.png", image_size: int = 16, channels: int = 3, **options):
    item = Item(path, len(data), lambda: io.BytesIO(data), options.pop("bad", ""))
    result = decode(item, Preparation(image_size, channels, **options))
    assert isinstance(result, Decoded)
    return result


def write_images(folder: Path, count: int, size: int = 16, format: str = "PNG") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        noise(i, size).save(folder / f"{i:04d}.{format.lower()}", format)
    return folder
