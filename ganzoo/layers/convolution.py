"""Convolutions to few channels, and strided ones padded as PyTorch and Theano do, on all sides.

Keras' "same" pads an even image for a 3 x 3 kernel of stride 2 by (0, 1), which shifts every
feature map against those of the published networks.
"""

import math

import keras
from keras import ops

from ganzoo.layers.resample import pixel_shuffle
from ganzoo.layers.strided import double, halve, shifted


@keras.saving.register_keras_serializable(package="ganzoo")
class ConvToImage(keras.layers.Conv2D):
    """Convolution to few channels, "same" padding: `[N, H, W, C] -> [N, H, W, F]`.

    For even sides and odd kernels. It computes 2 x 2 pixels at once, as one pixel of 4 F channels:
    CPUs compute 16 channels in the time of 3.
    """

    def convolution_op(self, inputs, kernel):
        kernels = ops.stack(shifted(kernel), axis=-1)
        kernels = ops.reshape(kernels, (*kernels.shape[:3], -1))
        return pixel_shuffle(halve(inputs, kernels), 2)


@keras.saving.register_keras_serializable(package="ganzoo")
class PaddedConv2D(keras.layers.Conv2D):
    """Convolution after padding each side: `[N, H, W, C] -> [N, H', W', F]`.

    H' = floor((H + 2 p - k) / s) + 1 for kernel size k, stride s and padding p.

    Args:
        filters: number of output channels F.
        kernel_size: side of the kernel k, in pixels.
        pad: pixels added on each side p.
        mode: "constant" pads with zeros, "reflect" mirrors without repeating the edge.
        **kwargs: of `keras.layers.Conv2D`, but `padding`.
    """

    def __init__(self, filters, kernel_size, pad: int = 0, mode: str = "constant", **kwargs):
        super().__init__(filters, kernel_size, padding="valid", **kwargs)
        self.pad, self.mode = pad, mode

    def convolution_op(self, inputs, kernel):
        sides = zip(inputs.shape[1:3], self.kernel_size, self.strides, strict=True)
        if self.mode == "constant" and all(_same_pads(*s) == [self.pad] * 2 for s in sides):
            # Its gradients take half the time of those of padding.
            if self.strides == (2, 2):
                return halve(inputs, kernel)
            return ops.conv(inputs, kernel, list(self.strides), "same")
        sides = [[0, 0], [self.pad, self.pad], [self.pad, self.pad], [0, 0]]
        return super().convolution_op(ops.pad(inputs, sides, mode=self.mode), kernel)

    def compute_output_shape(self, input_shape):
        count, *sides, channels = input_shape
        padded = [side and side + 2 * self.pad for side in sides]
        return super().compute_output_shape((count, *padded, channels))

    def get_config(self):
        config = super().get_config() | {"pad": self.pad, "mode": self.mode}
        del config["padding"]
        return config


@keras.saving.register_keras_serializable(package="ganzoo")
class CroppedConv2DTranspose(keras.layers.Conv2DTranspose):
    """Transposed convolution, cropped as PyTorch does: `[N, H, W, C] -> [N, s H, s W, F]`.

    The gradient of `PaddedConv2D` with the same kernel size k, stride s and zero padding p: the
    full result, of side s (H - 1) + k, loses p pixels at the top and left, and at the bottom and
    right as many as are more than s H.

    Args:
        filters: number of output channels F.
        kernel_size: side of the kernel k, in pixels.
        crop: pixels cut off at the top and left, p; at most kernel_size - strides.
        **kwargs: of `keras.layers.Conv2DTranspose`, but `padding`.
    """

    def __init__(self, filters, kernel_size, crop: int = 0, **kwargs):
        super().__init__(filters, kernel_size, padding="valid", **kwargs)
        self.crop = crop

    def call(self, inputs):
        missing = [2 * self.crop + 2 - size for size in self.kernel_size]
        if self.strides == (2, 2) and set(missing) <= {0, 1}:
            kernel = ops.pad(self.kernel, [*([0, zeros] for zeros in missing), [0, 0], [0, 0]])
            outputs = double(inputs, kernel)
            return self.activation(outputs + self.bias if self.use_bias else outputs)
        sides = zip(self.kernel_size, self.strides, strict=True)
        rows, columns = (slice(self.crop, self.crop + s - k or None) for k, s in sides)
        return super().call(inputs)[:, rows, columns]

    def compute_output_shape(self, input_shape):
        count, *sides, _ = input_shape
        scaled = [side and side * stride for side, stride in zip(sides, self.strides, strict=True)]
        return (count, *scaled, self.filters)

    def get_config(self):
        config = super().get_config() | {"crop": self.crop}
        del config["padding"]
        return config


def _same_pads(side: int | None, kernel_size: int, stride: int) -> list[int]:
    """What "same" pads a side with, before it and after it; [] where the side is not known."""
    if side is None:
        return []
    total = max((math.ceil(side / stride) - 1) * stride + kernel_size - side, 0)
    return [total // 2, total - total // 2]
