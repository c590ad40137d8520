"""Antialiased affine warps and filters of image bands, by wavelets.

Karras et al. 2020, https://arxiv.org/abs/2006.06676, appendix B.
"""

import functools

import numpy as np
from keras import ops

from ganzoo.augment.matrices import resample

# Low-pass filters of Daubechies' least asymmetric wavelets with 6 and with 2 vanishing moments.
SYM6 = np.array(
    [
        *(0.015404109327027373, 0.0034907120842174702, -0.11799011114819057),
        *(-0.048311742585633, 0.4910559419267466, 0.787641141030194),
        *(0.3379294217276218, -0.07263752278646252, -0.021060292512300564),
        *(0.04472490177066578, 0.0017677118642428036, -0.007800708325034148),
    ]
)
SYM2 = np.array([-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025])
BORDER = 3  # pixels around the result that the last filter looks at

# Expected power of the four bands of natural images, from the lowest to the highest frequencies.
BAND_POWER = np.array([10.0, 1.0, 1.0, 1.0], np.float32) / 13.0


def warp(images, inverse):
    """Images whose pixel at p shows what was at `inverse . p`; beyond its edges an image mirrors.

    The image is mirrored to nearly three times its size and doubled in resolution, read there by
    linear interpolation, and halved. All is linear in the images. A step of it is a product with a
    matrix of a few times the image's size: the memory is some 40 times that of the images.

    Args:
        images: `[N, H, W, C]`.
        inverse: `[N, 3, 3]`, from output to input, in pixels from the image's center.

    Returns:
        images `[N, H, W, C]`.
    """
    _, height, width, _ = images.shape
    fine = resample(images, _enlarging(height), _enlarging(width))
    read = _read(fine, inverse, 2 * (height + 2 * BORDER), 2 * (width + 2 * BORDER))
    return resample(read, _reducing(height), _reducing(width))


def filter_bands(images, gains):
    """Images whose four frequency bands, of an octave each, are multiplied by gains.

    Args:
        images: `[N, H, W, C]`, of more than 21 pixels a side.
        gains: `[N, 4]`, from the lowest band to the highest.

    Returns:
        images `[N, H, W, C]`.
    """
    _, height, width, _ = images.shape
    rows, columns = (
        ops.einsum("nb,byx->nyx", gains, _band_matrices(size)) for size in (height, width)
    )
    return resample(images, rows, columns)


def _read(images, inverse, height, width):
    """Linear interpolation at a finer grid's points: `[N, H, W, C] -> [N, height, width, C]`.

    Both grids have two points a pixel; beyond the images all is 0.
    """
    _, rows, columns, channels = images.shape
    y, x = np.meshgrid(
        _centered(height) + 0.5,  # the doubled image lies half a point off
        _centered(width) + 0.5,
        indexing="ij",
    )
    points = np.stack([x.ravel() / 2, y.ravel() / 2, np.ones(x.size)]).astype(np.float32)
    found = 2.0 * ops.matmul(inverse[:, :2], points) - 0.5  # [N, 2, M]
    x, y = found[:, 0] + (columns - 1) / 2, found[:, 1] + (rows - 1) / 2
    left, top = ops.floor(x), ops.floor(y)
    # The four neighbors of each point, in one lookup, whose derivative is one sum.
    i = ops.stack([left, left, left + 1.0, left + 1.0], axis=1)
    j = ops.stack([top, top + 1.0, top, top + 1.0], axis=1)
    inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows)
    near = (1.0 - ops.abs(x[:, None] - i)) * (1.0 - ops.abs(y[:, None] - j))
    column = ops.cast(ops.clip(i, 0, columns - 1), "int32")
    row = ops.cast(ops.clip(j, 0, rows - 1), "int32")
    first = ops.arange(inverse.shape[0], dtype="int32")[:, None, None] * (rows * columns)
    values = ops.take(ops.reshape(images, (-1, channels)), first + row * columns + column, axis=0)
    weights = near * ops.cast(inside, x.dtype)
    result = ops.sum(weights[..., None] * values, axis=1)
    return ops.reshape(result, (-1, height, width, channels))


def _centered(count):
    return np.arange(count) - (count - 1) / 2


@functools.cache
def _enlarging(size):
    """Mirrors by size - 1 on both sides, then doubles: `[2 (3 size - 2), size]`."""
    mirrored = np.pad(np.eye(size), [[size - 1, size - 1], [0, 0]], mode="reflect")
    spread = np.zeros([2 * len(mirrored), size])
    spread[::2] = mirrored
    taps = 2.0 * SYM6 / SYM6.sum()
    padded = np.pad(spread, [[6, 5], [0, 0]])
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(taps), axis=0)
    return (windows @ taps[::-1]).astype(np.float32)


@functools.cache
def _reducing(size):
    """Cuts the border off and halves: `[size, 2 (size + 6)]`."""
    matrix = np.zeros([size, 2 * (size + 2 * BORDER)])
    for row in range(size):
        matrix[row, 2 * row + 1 : 2 * row + 1 + len(SYM6)] = SYM6 / SYM6.sum()
    return matrix.astype(np.float32)


@functools.cache
def _band_matrices(size):
    """For each band, the filter along an axis that mirrors at its ends: `[4, size, size]`."""
    reach = band_filters().shape[1] // 2
    mirrored = np.pad(np.eye(size), [[reach, reach], [0, 0]], mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(mirrored, 2 * reach + 1, axis=0)
    return np.einsum("bk,yxk->byx", band_filters(), windows).astype(np.float32)


@functools.cache
def band_filters():
    """Symmetric filters `[4, 43]` of the bands, which add up to the identity (appendix B.3)."""
    high_pass = SYM2 * (-1.0) ** np.arange(len(SYM2))
    low = np.convolve(SYM2, SYM2[::-1]) / 2
    high = np.convolve(high_pass, high_pass[::-1]) / 2
    bank = np.eye(4, 1)
    for band in (1, 2, 3):
        spread = np.zeros([4, 2 * bank.shape[1] - 1])
        spread[:, ::2] = bank
        bank = np.stack([np.convolve(row, low) for row in spread])
        center = (bank.shape[1] - len(high)) // 2
        bank[band, center : center + len(high)] += high
    return bank
