"""Bicubic interpolation as super-resolution benchmarks use it: that of MATLAB's `imresize`.

Keys' kernel with a = -0.5 (Keys 1981), widened by the factor of a reduction, so that it does not
alias; beyond its borders an image is mirrored. Pillow's and TensorFlow's antialiased filters agree
away from the borders, and renormalize there.
"""

import functools

import numpy as np


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resizes `[H, W, C]` to `[height, width, C]`, float64, neither rounded nor clipped."""
    image = np.asarray(image, np.float64)
    sides = (height, width)
    # The axis that shrinks more comes first, as in MATLAB.
    for axis in sorted((0, 1), key=lambda axis: sides[axis] / image.shape[axis]):
        image = _along(image, axis, sides[axis])
    return image


def downscale(image: np.ndarray, scale: int) -> np.ndarray:
    """Reduces uint8 `[H, W, C]` to uint8 `[H / scale, W / scale, C]`, rounded as MATLAB does.

    Raises:
        ValueError: when a side is no multiple of `scale`.
    """
    height, width = image.shape[:2]
    if height % scale or width % scale:
        raise ValueError(f"{height}x{width} pixels cannot be reduced by {scale}; crop them first")
    return _to_uint8(resize(image, height // scale, width // scale))


def upscale(image: np.ndarray, scale: int) -> np.ndarray:
    """Enlarges uint8 `[H, W, C]` to uint8 `[scale * H, scale * W, C]`."""
    height, width = image.shape[:2]
    return _to_uint8(resize(image, height * scale, width * scale))


def _to_uint8(image: np.ndarray) -> np.ndarray:
    return np.floor(np.clip(image, 0, 255) + 0.5).astype(np.uint8)


def _along(image: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Resizes one axis, as a sum over the taps of the filter."""
    if size == image.shape[axis]:
        return image
    indices, weights = _taps(image.shape[axis], size)
    shape = [1, 1, 1]
    shape[axis] = size
    taps = zip(indices.T, weights.T, strict=True)
    return sum(image.take(index, axis=axis) * weight.reshape(shape) for index, weight in taps)


@functools.lru_cache(maxsize=256)
def _taps(before: int, after: int) -> tuple[np.ndarray, np.ndarray]:
    """Which old pixels make each new one, and by what weights: both `[after, taps]`."""
    ratio = after / before
    stretch = min(ratio, 1.0)  # below 1 the kernel is widened
    radius = 2.0 / stretch
    center = (np.arange(after) + 0.5) / ratio - 0.5
    indices = np.floor(center - radius).astype(int)[:, None] + np.arange(int(2 * radius) + 3)
    weights = _kernel((center[:, None] - indices) * stretch)
    weights /= weights.sum(axis=1, keepdims=True)
    mirrored = np.mod(indices, 2 * before)
    mirrored = np.minimum(mirrored, 2 * before - 1 - mirrored)
    used = (weights != 0).any(axis=0)
    return mirrored[:, used], weights[:, used]


def _kernel(x: np.ndarray) -> np.ndarray:
    """Keys' cubic convolution kernel, a = -0.5."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x**2 + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))
