"""Spectral normalization (Miyato et al. 2018, https://arxiv.org/abs/1802.05957, Algorithm 1).

`keras.layers.SpectralNormalization` overwrites the stored kernel at each training call and leaves
sigma out of the derivative, which is another method; these layers keep the kernel and
differentiate through sigma.
"""

import keras
from keras import ops

from ganzoo.layers.resample import downsample_average
from ganzoo.layers.strided import halve, shifted


def spectral_norm(matrix, u):
    """One power iteration and the estimate of the largest singular value.

    sigma = u'^T W v with v = W^T u / |W^T u| and u' = W v / |W v|; the gradient flows through W,
    not through u' and v.

    Args:
        matrix: W, `[rows, columns]`.
        u: the running left singular vector, `[rows, 1]`, of any length but 0.

    Returns:
        sigma, `[1, 1]`, and u', `[rows, 1]`.
    """
    fixed = ops.stop_gradient(matrix)
    v = _normalize(ops.matmul(ops.transpose(fixed), u))
    u = _normalize(ops.matmul(fixed, v))
    return ops.matmul(ops.transpose(u), ops.matmul(matrix, v)), u


def _normalize(vector):
    return vector * ops.rsqrt(ops.maximum(ops.sum(ops.square(vector)), 1e-12))


class _SpectralLayer(keras.layers.Layer):
    """A layer whose kernel is divided by its spectral norm at every call.

    Calls do not move the singular vector, so that real and generated images of one update meet
    the same weights; `power_iteration` does, once an update.
    """

    def __init__(self, use_bias=True, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def _add_weights(self, kernel_shape: tuple[int, ...]):
        self.kernel = self.add_weight(
            name="kernel",
            shape=kernel_shape,
            initializer=self.kernel_initializer,
            autocast=False,  # the division is done in float32, whatever the precision of the layer
        )
        rows = 1
        for size in kernel_shape[:-1]:
            rows *= size
        self.u = self.add_weight(
            name="u", shape=(rows, 1), initializer="random_normal", trainable=False, autocast=False
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=kernel_shape[-1:], initializer="zeros")

    def _sigma(self):
        matrix = ops.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        return spectral_norm(matrix, ops.convert_to_tensor(self.u))

    def normalized_kernel(self):
        """The kernel over its spectral norm, in the precision of the layer."""
        sigma, _ = self._sigma()
        return ops.cast(self.kernel / ops.squeeze(sigma), self.compute_dtype)

    def power_iteration(self):
        """Moves the running singular vector by one iteration."""
        self.u.assign(self._sigma()[1])

    def get_config(self):
        return super().get_config() | {
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable(package="ganzoo")
class SpectralConv2D(_SpectralLayer):
    """Convolution, stride 1, zero "same" padding, spectrally normalized kernel.

    The kernel `[k, k, C, F]` is normalized as the matrix `[k * k * C, F]`. Shapes:
    `[N, H, W, C] -> [N, H, W, F]`, or `[N, H/2, W/2, F]` with `pool`.

    Args:
        filters: number of output channels F.
        kernel_size: side of the kernel k, in pixels.
        pool: whether the mean of each 2 x 2 results follows; k is odd, H and W are even. Both are
            linear: at k = 1 the mean comes first, else one convolution of stride 2 does both.
        use_bias: whether a bias is added.
        kernel_initializer: initializer of the kernel before normalization.
    """

    def __init__(self, filters: int, kernel_size: int, pool: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.pool = filters, kernel_size, pool

    def build(self, input_shape):
        self._add_weights((self.kernel_size, self.kernel_size, input_shape[-1], self.filters))

    def call(self, inputs):
        kernel = self.normalized_kernel()
        if self.pool and self.kernel_size > 1:
            outputs = halve(inputs, sum(shifted(kernel)) / 4)
        else:
            inputs = downsample_average(inputs) if self.pool else inputs
            outputs = ops.conv(inputs, kernel, padding="same")
        return outputs + self.bias if self.use_bias else outputs

    def compute_output_shape(self, input_shape):
        count, *sides, _ = input_shape
        if self.pool:
            sides = [side and side // 2 for side in sides]
        return (count, *sides, self.filters)

    def get_config(self):
        options = {name: getattr(self, name) for name in ("filters", "kernel_size", "pool")}
        return super().get_config() | options


@keras.saving.register_keras_serializable(package="ganzoo")
class SpectralDense(_SpectralLayer):
    """Linear layer with a spectrally normalized kernel: `[..., C] -> [..., F]`.

    Args:
        units: number of outputs F.
        use_bias: whether a bias is added.
        kernel_initializer: initializer of the kernel before normalization.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self._add_weights((input_shape[-1], self.units))

    def call(self, inputs):
        outputs = ops.matmul(inputs, self.normalized_kernel())
        return outputs + self.bias if self.use_bias else outputs

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return super().get_config() | {"units": self.units}


def power_iteration(network: keras.Layer) -> None:
    """Moves the singular vectors of all spectrally normalized layers in `network` by one iteration.

    A loss calls it once, after its last call of the network.
    """
    for layer in network._flatten_layers():
        if isinstance(layer, _SpectralLayer):
            layer.power_iteration()
