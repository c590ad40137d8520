"""Dense layers and convolutions of the StyleGANs: weights are drawn from the standard normal
distribution and scaled when used, so that all learn at the same speed.

Karras et al. 2018, https://arxiv.org/abs/1710.10196, section 4.1; with filtered resampling, Karras
et al. 2020, https://arxiv.org/abs/1912.04958.
"""

import math

import keras
from keras import ops

from ganzoo.layers.resample import blur, downsample_blurred, upsample_blurred


def activate(x, leaky: bool, gain: float = 1.0, clamp: float | None = None):
    """gain * x, or gain * sqrt(2) * leaky_relu(x, 0.2), at most gain * clamp in magnitude."""
    x = ops.leaky_relu(x, 0.2) * (gain * math.sqrt(2.0)) if leaky else x * gain
    return x if clamp is None else ops.clip(x, -gain * clamp, gain * clamp)


class EqualizedDense(keras.layers.Layer):
    """activate(x W m / sqrt(C) + m b): `[N, C] -> [N, units]`.

    Args:
        units: number of outputs.
        lr_multiplier: m. The stored weights are 1 / m times as large, so that m is also by how much
            slower they learn.
        bias_init: the outputs' first offset.
        leaky: whether a leaky ReLU follows.
    """

    def __init__(self, units, lr_multiplier=1.0, bias_init=0.0, leaky=False, **kwargs):
        super().__init__(**kwargs)
        self.units, self.lr_multiplier = units, lr_multiplier
        self.bias_init, self.leaky = bias_init, leaky

    def build(self, input_shape):
        inputs = input_shape[-1]
        self.scale = self.lr_multiplier / math.sqrt(inputs)
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs, self.units), initializer=normal(1 / self.lr_multiplier)
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.units,),
            initializer=keras.initializers.Constant(self.bias_init / self.lr_multiplier),
        )

    def call(self, x):
        x = ops.matmul(x, self.kernel * self.scale) + self.bias * self.lr_multiplier
        return activate(x, self.leaky)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)


class EqualizedConv2D(keras.layers.Layer):
    """activate(conv(x, W / sqrt(C k^2)) + b), zero padding: `[N, H, W, C] -> [N, H', W', filters]`.

    Args:
        filters: number of output channels.
        kernel_size: side of the kernel k, 1 or 3 pixels.
        resample: "up" doubles and "down" halves the resolution, filtered by [1, 3, 3, 1] along each
            axis; None keeps it.
        use_bias: whether there is an offset b.
        leaky: whether a leaky ReLU follows.
        gain: of `activate`.
        clamp: of `activate`.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        resample: str | None = None,
        use_bias=True,
        leaky=False,
        gain=1.0,
        clamp: float | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.resample = filters, kernel_size, resample
        self.use_bias, self.leaky, self.gain, self.clamp = use_bias, leaky, gain, clamp

    def build(self, input_shape):
        shape = (self.kernel_size, self.kernel_size, input_shape[-1], self.filters)
        self.scale = 1.0 / math.sqrt(math.prod(shape[:3]))
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=normal())
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, x):
        x = convolve(x, self.kernel * self.scale, self.resample)
        x = x + self.bias if self.use_bias else x
        return activate(x, self.leaky, self.gain, self.clamp)


def convolve(x, kernel, resample: str | None = None):
    """Convolution with zero padding; "up" doubles, "down" halves the resolution, filtered.

    The 3 x 3 kernel of an upsampling convolution acts on the image with zeros between its pixels,
    and its neighbors there: it is the kernel of the transposed convolution, not mirrored.
    """
    size = kernel.shape[0]
    if resample is None:
        return ops.conv(x, kernel, padding="same")
    if size == 1:  # commutes with the filter, and is cheaper where there are fewer pixels
        if resample == "up":
            return upsample_blurred(ops.conv(x, kernel, padding="valid"))
        return ops.conv(downsample_blurred(x), kernel, padding="valid")
    if resample == "up":
        flipped = ops.transpose(kernel, (0, 1, 3, 2))
        return blur(ops.conv_transpose(x, flipped, strides=2, padding="valid"), (1, 1), gain=4.0)
    return ops.conv(blur(x, (2, 2)), kernel, strides=2, padding="valid")


def normal(stddev=1.0):
    """Initial weights of the standard normal distribution."""
    return keras.initializers.RandomNormal(stddev=stddev)
