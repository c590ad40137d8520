"""Convolutions of stride 2 whose kernels have an even side k, with k/2 - 1 zeros on each side.

On CPUs, in bfloat16, oneDNN takes long for the gradient of a kernel of many channels on few pixels.
Of a kernel of 4 x 4 it is one matrix product here.
"""

import keras
import tensorflow as tf
from keras import ops

FEW_PIXELS = 64  # of the smaller feature map


def halve(x, kernel):
    """Convolution: `[N, 2H, 2W, C], [k, k, C, F] -> [N, H, W, F]`."""
    if _is_slow(x, kernel, 4 * FEW_PIXELS):
        return _halve(x, tf.convert_to_tensor(kernel))
    return ops.conv(x, kernel, strides=2, padding="same")


def double(x, kernel):
    """Transposed convolution, the gradient of `halve`:
    `[N, H, W, C], [k, k, F, C] -> [N, 2H, 2W, F]`."""
    if _is_slow(x, kernel, FEW_PIXELS):
        return _double(x, tf.convert_to_tensor(kernel))
    return ops.conv_transpose(x, kernel, strides=2, padding="same")


def shifted(kernel) -> list:
    """A kernel of odd k as the pixels of a block of 2 x 2 have it: four, `[k + 1, k + 1, C, F]`."""
    places = [(row, column) for row in (0, 1) for column in (0, 1)]
    return [ops.pad(kernel, [[i, 1 - i], [j, 1 - j], [0, 0], [0, 0]]) for i, j in places]


def is_on_cpu() -> bool:
    """Whether TensorFlow computes, and without an accelerator."""
    if keras.backend.backend() != "tensorflow":
        return False
    return not (tf.config.list_logical_devices("GPU") + tf.config.list_logical_devices("TPU"))


def _is_slow(x, kernel, few_pixels: int) -> bool:
    """Whether oneDNN would compute the gradient of such a kernel, in bfloat16, on few pixels."""
    if keras.backend.backend() != "tensorflow" or x.dtype != tf.bfloat16 or None in x.shape:
        return False
    is_small = x.shape[1] * x.shape[2] <= few_pixels
    return is_small and tuple(kernel.shape[:2]) == (4, 4) and is_on_cpu()


@tf.custom_gradient
def _halve(x, kernel):
    def gradients(dy):
        dx = tf.nn.conv2d_transpose(dy, kernel, x.shape, 2, "SAME")
        return dx, _gradient_of_kernel(x, dy)

    return tf.nn.conv2d(x, kernel, 2, "SAME"), gradients


@tf.custom_gradient
def _double(x, kernel):
    count, height, width, _ = x.shape

    def gradients(dy):
        return tf.nn.conv2d(dy, kernel, 2, "SAME"), _gradient_of_kernel(dy, x)

    shape = [count, 2 * height, 2 * width, kernel.shape[2]]
    return tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME"), gradients


def _gradient_of_kernel(large, small):
    """The derivative of sum(small * conv(large, kernel)): `[4, 4, C, F]`.

    Args:
        large: `[N, 2H, 2W, C]`.
        small: `[N, H, W, F]`.
    """
    _, height, width, filters = small.shape
    channels = large.shape[-1]
    # A window of 4 x 4 pixels is four blocks of 2 x 2.
    blocks = tf.nn.space_to_depth(tf.pad(large, [[0, 0], [1, 1], [1, 1], [0, 0]]), 2)
    corners = [blocks[:, i : i + height, j : j + width] for i in (0, 1) for j in (0, 1)]
    windows = tf.reshape(tf.concat(corners, -1), [-1, 16 * channels])
    product = tf.matmul(windows, tf.reshape(small, [-1, filters]), transpose_a=True)
    product = tf.reshape(product, [2, 2, 2, 2, channels, filters])  # block y, x; in it y, x
    product = tf.transpose(product, [0, 2, 1, 3, 4, 5])
    return tf.reshape(product, [4, 4, channels, filters])
