"""From the tensors of a model to pictures that people look at."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from PIL import Image


def to_uint8(images) -> np.ndarray:
    """Float images in [-1, 1] to uint8, clipped; inverts x / 127.5 - 1 exactly."""
    return np.clip(np.asarray(images, np.float32) * 127.5 + 128.0, 0, 255).astype(np.uint8)


def grid(images: np.ndarray, padding: int = 2) -> np.ndarray:
    """Images `[N, H, W, C]`, uint8, in as many columns as rows, or one more; white between them."""
    count, height, width, channels = images.shape
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    cell = (height + padding, width + padding)
    shape = (rows * cell[0] + padding, columns * cell[1] + padding, channels)
    canvas = np.full(shape, 255, np.uint8)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        top, left = row * cell[0] + padding, column * cell[1] + padding
        canvas[top : top + height, left : left + width] = image
    return canvas


def save_png(image: np.ndarray, path: str | Path) -> None:
    """Writes one image `[H, W, C]`, uint8, with 1 (grey) or 3 (RGB) channels."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path, "PNG")
