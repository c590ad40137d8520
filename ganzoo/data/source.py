"""What a data set is to the rest of the library: indexed square uint8 images with labels."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """A prepared data set; subclasses say where the images come from.

    Attributes:
        name: what the user called it.
        image_size: height and width, in pixels.
        channels: 1 (grey) or 3 (RGB).
        num_classes: 0 when the images are not labeled.
        class_names: one name per class.
        fingerprint: SHA-256 of the content and of how it was prepared, hexadecimal.
        preparation: how a stored image became one of these: size, filter, crop, background.
    """

    name: str
    image_size: int
    channels: int
    num_classes: int
    class_names: tuple[str, ...]
    fingerprint: str
    preparation: dict

    def __len__(self) -> int:
        raise NotImplementedError

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Images, uint8 `[n, H, W, C]`, and labels, int32 `[n]` (0 where there are none)."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class ArraySource(Source):
    """A data set whose prepared images lie in one array, in memory or mapped from a file."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.images[indices], self.labels[indices]
