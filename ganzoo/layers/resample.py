"""Changing the resolution of images and feature maps."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

BINOMIAL = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype(np.float32) / 64


def unpool(x):
    """Inserts zeros: y[2i, 2j] = x[i, j], all else zero; `[N, H, W, C] -> [N, 2H, 2W, C]`.

    Dosovitskiy et al. 2015, "Learning to generate chairs with convolutional neural networks",
    section 4.1.
    """
    _, height, width, channels = x.shape
    x = ops.concatenate([x, ops.zeros_like(x)], axis=-1)  # to the right of each pixel
    x = ops.reshape(x, (-1, height, 2 * width * channels))
    x = ops.concatenate([x, ops.zeros_like(x)], axis=-1)  # below each row
    return ops.reshape(x, (-1, 2 * height, 2 * width, channels))


def upsample_nearest(x):
    """Repeats each pixel: `[N, H, W, C] -> [N, 2H, 2W, C]`."""
    return ops.repeat(ops.repeat(x, 2, axis=1), 2, axis=2)


def upsample_bilinear(x):
    """Bilinear upsampling, half-pixel centers, edges repeated; `[N, H, W, C] -> [N, 2H, 2W, C]`.

    Each new pixel is 3/4 of the nearer and 1/4 of the farther old one per axis. Differentiable any
    number of times: under TensorFlow as one operation, elsewhere as sums of shifted copies.
    """
    if keras.backend.backend() == "tensorflow":
        return tf.cast(_resized(tf.cast(x, tf.float32)), x.dtype)
    return _double(_double(x, 1), 2)


@tf.custom_gradient
def _resized(x):
    """TensorFlow knows the gradient of its operation, but not that of the gradient; and XLA gets
    images in half precision wrong."""
    size = [2 * side for side in x.shape[1:3]]
    y = tf.raw_ops.ResizeBilinear(images=x, size=size, half_pixel_centers=True)

    @tf.custom_gradient
    def transposed(dy):
        dx = tf.raw_ops.ResizeBilinearGrad(grads=dy, original_image=x, half_pixel_centers=True)
        return dx, _resized  # the gradient of a transposed linear map is the map

    return y, transposed


def _double(x, axis):
    """Linear interpolation of one axis to twice its length."""
    size = x.shape[axis]
    first, last = (ops.take(x, [i], axis=axis) for i in (0, size - 1))
    inner = ops.split(x, [1], axis=axis)[1], ops.split(x, [size - 1], axis=axis)[0]
    previous = ops.concatenate([first, inner[1]], axis=axis)
    following = ops.concatenate([inner[0], last], axis=axis)
    pairs = ops.stack([0.75 * x + 0.25 * previous, 0.75 * x + 0.25 * following], axis=axis + 1)
    shape = [-1, *x.shape[1:]]
    shape[axis] = 2 * size
    return ops.reshape(pairs, shape)


def pixel_shuffle(x, scale: int):
    """y[s i + a, s j + b, c] = x[i, j, c s^2 + a s + b]: `[N, H, W, C s^2] -> [N, s H, s W, C]`.

    Shi et al. 2016, https://arxiv.org/abs/1609.05158, eq. 4, with the channels in PyTorch's order;
    TensorFlow's `depth_to_space` has c last.
    """
    _, height, width, channels = ops.shape(x)
    channels //= scale**2
    x = ops.reshape(x, (-1, height, width, channels, scale, scale))
    x = ops.transpose(x, (0, 1, 4, 2, 5, 3))
    return ops.reshape(x, (-1, height * scale, width * scale, channels))


def upscale_bilinear(x, scale: int):
    """Bilinear upsampling, half-pixel centers, edges repeated: `[N, H, W, C] -> [N, s H, s W, C]`.

    As one convolution, for sides that need not be known before, as in an exported file.
    """
    channels = x.shape[-1]
    offsets = (np.arange(scale) + 0.5) / scale - 0.5  # of new pixels from the old one they are in
    taps = np.stack([np.maximum(-offsets, 0), 1 - np.abs(offsets), np.maximum(offsets, 0)])
    kernel = np.einsum("ya,xb,cd->yxcdab", taps, taps, np.eye(channels))
    kernel = ops.convert_to_tensor(kernel.reshape(3, 3, channels, -1), x.dtype)
    x = ops.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "symmetric")
    return pixel_shuffle(ops.conv(x, kernel, padding="valid"), scale)


def downsample_average(x):
    """Mean of each 2 x 2 block: `[N, H, W, C] -> [N, H/2, W/2, C]`; H and W are even."""
    return ops.average_pool(x, 2, 2)


def blur(x, pad: tuple[int, int], strides: int = 1, gain: float = 1.0):
    """The filter [1, 3, 3, 1] along both axes, of sum `gain`, after padding with zeros.

    `[N, H, W, C] -> [N, H', W', C]` with H' = floor((H + before + after - 4) / strides) + 1.

    Karras et al. 2020, https://arxiv.org/abs/1912.04958, appendix B.
    """
    dtype = keras.backend.standardize_dtype(x.dtype)
    if strides > 1 and dtype == "bfloat16":  # whose gradient takes nine times as long on CPUs
        x = ops.cast(x, "float32")
    x = ops.pad(x, [[0, 0], pad, pad, [0, 0]])
    kernel = np.tile(gain * BINOMIAL[:, :, None, None], [1, 1, x.shape[-1], 1])
    x = ops.depthwise_conv(x, ops.convert_to_tensor(kernel, x.dtype), strides, "valid")
    return ops.cast(x, dtype)


def upsample_blurred(x):
    """Zeros inserted between pixels, and filtered: `[N, H, W, C] -> [N, 2H, 2W, C]`."""
    return blur(unpool(x), (2, 1), gain=4.0)


def downsample_blurred(x):
    """Filtered, and every other pixel taken: `[N, H, W, C] -> [N, H/2, W/2, C]`."""
    return blur(x, (1, 1), strides=2)
