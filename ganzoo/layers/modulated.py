"""Convolutions that styles act on.

Karras et al. 2020, https://arxiv.org/abs/1912.04958.
"""

import math

import keras
from keras import ops

from ganzoo.layers.equalized import EqualizedDense, activate, convolve, normal

DEMODULATION_EPSILON = 1e-8


class ModulatedConv2D(keras.layers.Layer):
    """A convolution whose input channels are scaled for each image, and output channels back to
    unit variance: `[N, H, W, C], [N, C] -> [N, H', W', filters]`.

    With styles s and w'_ijk = s_i w_ijk, demodulation divides by sqrt(sum_ik w'_ijk^2 + 1e-8)
    (Karras et al. 2020, eq. 1 and 3). Scaling the input and the output instead of the weights is
    the same, and lets all images share a kernel.

    Args:
        filters: number of output channels.
        kernel_size: side of the kernel, 1 or 3 pixels.
        resample: "up" doubles the resolution, filtered; None keeps it.
        demodulate: whether output channels are scaled back.
    """

    def __init__(self, filters, kernel_size, resample=None, demodulate=True, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.filters, self.kernel_size = filters, kernel_size
        self.resample, self.demodulate = resample, demodulate

    def build(self, x_shape, styles_shape=None):
        shape = (self.kernel_size, self.kernel_size, x_shape[-1], self.filters)
        self.kernel = self.add_weight(
            name="kernel", shape=shape, initializer=normal(), autocast=False
        )

    def call(self, x, styles):
        kernel = ops.convert_to_tensor(self.kernel)
        if self.demodulate and self.compute_dtype == "float16":  # which would overflow
            fan_in = math.prod(kernel.shape[:3])
            largest = ops.max(ops.abs(kernel), axis=(0, 1, 2), keepdims=True)
            kernel = kernel / (largest * math.sqrt(fan_in))
            styles = styles / ops.max(ops.abs(styles), axis=1, keepdims=True)
        x = ops.cast(x, self.compute_dtype) * self._spread(styles)
        x = convolve(x, ops.cast(kernel, self.compute_dtype), self.resample)
        if not self.demodulate:
            return x
        power = ops.matmul(ops.square(styles), ops.sum(ops.square(kernel), axis=(0, 1)))
        return x * self._spread(ops.rsqrt(power + DEMODULATION_EPSILON))

    def _spread(self, factors):
        return ops.cast(factors, self.compute_dtype)[:, None, None, :]


class StyledConv2D(keras.layers.Layer):
    """Modulated convolution, noise, offset and leaky ReLU: `[N, H, W, C] -> [N, H', W', filters]`.

    Called with features, styles `[N, style_dim]`, and the mode of the noise: "const" (always the
    same), "none", or "random", drawn from `random`, of which each layer takes a stream of its name.

    Args:
        filters: number of output channels.
        resolution: side of the output, in pixels.
        resample: "up" doubles the resolution, filtered; None keeps it.
        gain: of `activate`.
        clamp: of `activate`.
    """

    def __init__(self, filters, resolution, resample=None, gain=1.0, clamp=None, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.filters, self.resolution, self.gain, self.clamp = filters, resolution, gain, clamp
        self.convolve = ModulatedConv2D(
            filters, 3, resample, dtype=self.dtype_policy, name="convolve"
        )

    def build(self, x_shape, styles_shape=None, **kwargs):
        self.affine = EqualizedDense(x_shape[-1], bias_init=1.0, dtype="float32", name="affine")
        self.noise = self.add_weight(
            name="noise",
            shape=(self.resolution, self.resolution),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
        )
        self.noise_strength = self.add_weight(name="noise_strength", shape=(), initializer="zeros")
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, x, styles, mode="const", random=None):
        x = self.convolve(x, self.affine(styles))
        if mode != "none":
            noise = ops.convert_to_tensor(self.noise)[None, :, :, None]
            if mode == "random":
                shape = [ops.shape(x)[0], self.resolution, self.resolution, 1]
                noise = random.normal(f"noise/{self.name}", shape)
            x += ops.cast(noise * self.noise_strength, x.dtype)
        return activate(x + ops.cast(self.bias, x.dtype), True, self.gain, self.clamp)


class ToImage(keras.layers.Layer):
    """Features and styles to an image `[N, H, W, channels]`, by a modulated 1 x 1 convolution.

    Its styles are scaled by 1 / sqrt(C) instead of being demodulated (appendix B).

    Args:
        channels: of the image.
        clamp: of `activate`.
    """

    def __init__(self, channels, clamp=None, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.channels, self.clamp = channels, clamp
        self.convolve = ModulatedConv2D(
            channels, 1, demodulate=False, dtype=self.dtype_policy, name="convolve"
        )

    def build(self, x_shape, styles_shape=None):
        self.scale = 1.0 / math.sqrt(x_shape[-1])
        self.affine = EqualizedDense(x_shape[-1], bias_init=1.0, dtype="float32", name="affine")
        self.bias = self.add_weight(name="bias", shape=(self.channels,), initializer="zeros")

    def call(self, x, styles):
        x = self.convolve(x, self.affine(styles) * self.scale)
        return activate(x + ops.cast(self.bias, x.dtype), leaky=False, clamp=self.clamp)
