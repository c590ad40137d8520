"""Convolutions in groups of channels, with derivatives of any order on CPUs, too."""

import keras
from keras import ops

from ganzoo.layers.strided import is_on_cpu

CHANNELS = 32  # of a convolution that a CPU computes at once


@keras.saving.register_keras_serializable(package="ganzoo")
class GroupedConv2D(keras.layers.Conv2D):
    """Keras' Conv2D with `groups`: `[N, H, W, C] -> [N, H', W', F]`.

    TensorFlow has no gradient of it on CPUs, and XLA computes it there without oneDNN. A CPU
    computes some groups at once instead, about 32 channels, as one convolution whose kernel is zero
    between groups: in half the time of one for all groups or of matrix products of patches. In
    bfloat16, whose gradients take ten times as long there, it computes in float32.
    """

    def convolution_op(self, inputs, kernel):
        if self.groups == 1 or not is_on_cpu():
            return super().convolution_op(inputs, kernel)
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        if dtype == "bfloat16":
            inputs, kernel = ops.cast(inputs, "float32"), ops.cast(kernel, "float32")
        channels = inputs.shape[-1] // self.groups
        fitting = range(1, max(1, CHANNELS // channels) + 1)
        together = max(count for count in fitting if self.groups % count == 0)
        parts = self.groups // together
        pairs = zip(ops.split(inputs, parts, -1), ops.split(kernel, parts, -1), strict=True)
        convolve = super().convolution_op
        results = [convolve(part, _block_diagonal(own, together)) for part, own in pairs]
        return ops.cast(ops.concatenate(results, axis=-1), dtype)


def _block_diagonal(kernel, groups: int):
    """The kernel of one convolution, of that of several groups:
    `[k, k, C, groups * F] -> [k, k, groups * C, groups * F]`."""
    height, width, channels, filters = kernel.shape
    kernel = ops.reshape(kernel, (height, width, 1, channels, groups, filters // groups))
    own = ops.reshape(ops.eye(groups, dtype=kernel.dtype), (groups, 1, groups, 1))
    return ops.reshape(kernel * own, (height, width, groups * channels, filters))
