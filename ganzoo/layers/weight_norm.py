"""Weight normalization (Salimans & Kingma 2016, https://arxiv.org/abs/1602.07868).

Each output channel has a kernel of the length `scale`, whose direction is that of `kernel`; an
optimizer moves both apart, which is another path than that of their product.
"""

import keras
from keras import ops

from ganzoo.layers.convolution import CroppedConv2DTranspose, PaddedConv2D


class _WeightNorm:
    """Mixin for layers of Keras whose `kernel` has the output channels on its last axis, or on that
    of `CHANNELS`.

    Args:
        learn_scale: whether the scale is trained; else it stays as `initialize` leaves it.
        initial_deviation: of the outputs, after `initialize`.
        **kwargs: of the layer; without an activation.
    """

    CHANNELS = -1
    # Those of Keras' own layers store `kernel` and `bias` alone.
    save_own_variables = keras.layers.Layer.save_own_variables
    load_own_variables = keras.layers.Layer.load_own_variables

    def __init__(self, *args, learn_scale=False, initial_deviation: float = 1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.learn_scale, self.initial_deviation = learn_scale, initial_deviation

    def build(self, input_shape):
        super().build(input_shape)
        channels = self.direction.shape[self.CHANNELS]
        self.scale = self.add_weight(
            name="scale", shape=(channels,), initializer="ones", trainable=self.learn_scale
        )

    @property
    def direction(self):
        """The kernel before it is normalized: a variable."""
        return self._kernel

    @property
    def kernel(self):
        """The normalized kernel, in the precision of the layer."""
        rank = len(self.direction.shape)
        axes = tuple(axis for axis in range(rank) if axis != self.CHANNELS % rank)
        direction = ops.cast(self.direction, "float32")
        length = ops.sqrt(ops.sum(ops.square(direction), axis=axes, keepdims=True))
        scale = ops.cast(self.scale, "float32")
        scale = ops.reshape(scale, length.shape)
        return ops.cast(direction * (scale / length), self.compute_dtype)

    @kernel.setter
    def kernel(self, variable):  # as the transposed convolution of Keras has it
        self._kernel = variable

    def initialize(self, inputs):
        """Sets scale and bias so that of these inputs every output channel has the mean 0 and the
        standard deviation `initial_deviation`: section 3. Returns the outputs."""
        outputs = ops.cast(self(inputs), "float32")
        mean, variance = ops.moments(outputs, axes=tuple(range(len(outputs.shape) - 1)))
        factor = self.initial_deviation * ops.rsqrt(variance + 1e-12)
        self.scale.assign(self.scale * factor)
        self.bias.assign((self.bias - mean) * factor)
        return self(inputs)

    def get_config(self):
        options = {name: getattr(self, name) for name in ("learn_scale", "initial_deviation")}
        return super().get_config() | options


@keras.saving.register_keras_serializable(package="ganzoo")
class WeightNormDense(_WeightNorm, keras.layers.Dense):
    """Linear layer with weight normalization: `[N, C] -> [N, units]`."""


@keras.saving.register_keras_serializable(package="ganzoo")
class WeightNormConv2D(_WeightNorm, PaddedConv2D):
    """`PaddedConv2D` with weight normalization: `[N, H, W, C] -> [N, H', W', filters]`."""


@keras.saving.register_keras_serializable(package="ganzoo")
class WeightNormConv2DTranspose(_WeightNorm, CroppedConv2DTranspose):
    """`CroppedConv2DTranspose` with weight normalization: `[N, H, W, C] -> [N, s H, s W, F]`."""

    CHANNELS = -2
