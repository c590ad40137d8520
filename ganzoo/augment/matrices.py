"""Homogeneous matrices, one per image, and resampling along rows and columns as products of them.

Planar ones are `[N, 3, 3]` and act on (x, y, 1), color ones `[N, 4, 4]` on (r, g, b, 1).
"""

import math

import numpy as np
from keras import ops

LUMA = np.full([3, 1], 1.0 / math.sqrt(3.0), np.float32)  # the axis of greys


def translate(x, y):
    """Moves by x and y, each `[N]`."""
    one, zero = ops.ones_like(x), ops.zeros_like(x)
    return _rows([one, zero, x], [zero, one, y], [zero, zero, one])


def scale(x, y):
    """Stretches by x and y, each `[N]`."""
    one, zero = ops.ones_like(x), ops.zeros_like(x)
    return _rows([x, zero, zero], [zero, y, zero], [zero, zero, one])


def rotate(angle):
    """Turns the x axis towards the y axis by an angle in radians, `[N]`."""
    one, zero = ops.ones_like(angle), ops.zeros_like(angle)
    cos, sin = ops.cos(angle), ops.sin(angle)
    return _rows([cos, -sin, zero], [sin, cos, zero], [zero, zero, one])


def color_offset(offset):
    """Adds an offset `[N]` to all channels."""
    return _color(np.eye(3, dtype=np.float32)[None], offset)


def color_scale(factor):
    """Multiplies all channels by a factor `[N]`."""
    return _color(_column(factor) * np.eye(3, dtype=np.float32), ops.zeros_like(factor))


def luma_flip(flips):
    """Mirrors lightness, and leaves color, where flips `[N]` is 1; nothing where it is 0."""
    return _color(
        np.eye(3, dtype=np.float32) - 2.0 * _column(flips) * (LUMA @ LUMA.T), ops.zeros_like(flips)
    )


def hue(angle):
    """Turns colors about the axis of greys by an angle in radians, `[N]` (Rodrigues' formula)."""
    greys, others = LUMA @ LUMA.T, np.eye(3, dtype=np.float32) - LUMA @ LUMA.T
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], np.float32) / math.sqrt(3.0)
    cos, sin = _column(ops.cos(angle)), _column(ops.sin(angle))
    return _color(greys + cos * others + sin * cross, ops.zeros_like(angle))


def saturation(factor):
    """Stretches colors away from the axis of greys by a factor `[N]`."""
    greys, others = LUMA @ LUMA.T, np.eye(3, dtype=np.float32) - LUMA @ LUMA.T
    return _color(greys + _column(factor) * others, ops.zeros_like(factor))


def resample(images, rows, columns):
    """rows . image . columns^T for each channel: `[N, H, W, C] -> [N, H', W', C]`.

    Args:
        images: `[N, H, W, C]`.
        rows: `[H', H]`, or `[N, H', H]` with a matrix for each image.
        columns: likewise `[W', W]` or `[N, W', W]`.
    """
    x = ops.transpose(images, (0, 3, 1, 2))  # products of three columns, one a channel, are slow
    x = ops.swapaxes(_along(x, columns), -1, -2)  # [N, C, W', H]
    return ops.transpose(_along(x, rows), (0, 3, 2, 1))


def _along(x, matrix):
    """Multiplies the last axis: `[N, C, A, B]` by `[B', B]` or `[N, B', B]`.

    Without broadcasting, which oneDNN's batched products get wrong for single channels.
    """
    matrix = ops.swapaxes(ops.convert_to_tensor(matrix, x.dtype), -1, -2)
    _, channels, height, width = x.shape
    flat = (-1, width) if len(matrix.shape) == 2 else (-1, channels * height, width)
    return ops.reshape(
        ops.matmul(ops.reshape(x, flat), matrix), (-1, channels, height, matrix.shape[-1])
    )


def _column(values):
    return ops.reshape(values, (-1, 1, 1))


def _rows(*rows):
    return ops.stack([ops.stack(row, axis=-1) for row in rows], axis=-2)


def _color(linear, offset):
    """The 4 x 4 matrix of a linear map `[N, 3, 3]` and an offset `[N]` of all channels."""
    offsets = _column(offset) * np.ones([3, 1], np.float32)
    linear = linear + ops.zeros_like(offsets)  # for as many images
    last = ops.zeros_like(offsets[:, :1]) + np.array([[0, 0, 0, 1]], np.float32)
    return ops.concatenate([ops.concatenate([linear, offsets], axis=2), last], axis=1)
