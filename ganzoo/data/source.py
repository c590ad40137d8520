"""What a prepared data set is: uint8 images by index."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Source:
    """Square images of one size with labels; subclasses say where the images come from.

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


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class PackedSource:
    """Images of different sizes, one behind the other in an array.

    Attributes:
        name: what the user called it.
        channels: 1 (grey) or 3 (RGB).
        fingerprint: as `Source` has it.
        pixels: uint8, flat.
        sizes: int32 `[n, 2]`, height and width of each image.
    """

    name: str
    channels: int
    fingerprint: str
    pixels: np.ndarray
    sizes: np.ndarray

    def __post_init__(self) -> None:
        counts = self.sizes.astype(np.int64).prod(axis=1) * self.channels
        object.__setattr__(self, "_starts", np.concatenate([[0], np.cumsum(counts)]))

    def __len__(self) -> int:
        return len(self.sizes)

    def image(self, index: int) -> np.ndarray:
        """One image, uint8 `[H, W, C]`, not copied."""
        start, stop = self._starts[index : index + 2]
        return self.pixels[start:stop].reshape(*self.sizes[index], self.channels)
