"""Normalizations: of each image alone, and of batches, by the condition of each example."""

import keras
import tensorflow as tf
from keras import ops

MOMENTUM, EPSILON = 0.9, 1e-5
FEW_IMAGES = 8  # that are better normalized one by one than together in ten passes


@keras.saving.register_keras_serializable(package="ganzoo")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalization; under TensorFlow, of images in one fused operation.

    Keras' own takes about 20 operations and as many passes over the feature map. Moments, scale and
    offset are float32, whatever the precision; the moving variance is that of the biased one.
    Shapes: `[N, H, W, C] -> [N, H, W, C]`.

    Called with `update_moments=False`, it takes the moments of the batch, and the moving averages
    stay as they are.
    """

    def call(self, inputs, training=None, mask=None, update_moments=True):
        if keras.backend.backend() != "tensorflow" or len(inputs.shape) != 4 or mask is not None:
            if not update_moments:
                return self._by_batch_moments(inputs)
            return super().call(inputs, training=training, mask=mask)
        training = bool(training and self.trainable) or not update_moments
        moving = self.moving_mean, self.moving_variance
        outputs, mean, variance, *_ = _fused(
            tf.cast(inputs, self.compute_dtype),
            self.gamma if self.scale else None,
            self.beta if self.center else None,
            self.epsilon,
            [] if training else moving,
        )
        if training and update_moments:
            values = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
            biased = variance * (tf.maximum(values - 1.0, 1.0) / values)
            for average, moment in zip(moving, (mean, biased), strict=True):
                average.assign(self.momentum * average + (1.0 - self.momentum) * moment)
        return outputs

    def _by_batch_moments(self, inputs):
        x = ops.cast(inputs, "float32")
        moments = ops.moments(x, axes=tuple(range(len(x.shape) - 1)))
        x = ops.batch_normalization(x, *moments, -1, self.beta, self.gamma, self.epsilon)
        return ops.cast(x, self.compute_dtype)


def _fused(x, gamma, beta, epsilon: float, moments=()):
    """What TensorFlow's operation returns: first `[N, H, W, C]`, normalized by the batch's moments,
    or by the mean and variance that are given; then the batch's.

    Args:
        gamma: the scale of each channel; None for 1.
        beta: the offset; None for 0.
    """
    count = x.shape[-1:]
    mean, variance = map(tf.convert_to_tensor, moments or ([], []))
    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=tf.ones(count) if gamma is None else tf.convert_to_tensor(gamma),
        offset=tf.zeros(count) if beta is None else tf.convert_to_tensor(beta),
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        is_training=not moments,
    )


def batch_norm(epsilon: float = EPSILON, **kwargs) -> BatchNormalization:
    """Batch normalization with the constants of the GAN literature: momentum 0.9, epsilon 1e-5."""
    return BatchNormalization(momentum=MOMENTUM, epsilon=epsilon, **kwargs)


@keras.saving.register_keras_serializable(package="ganzoo")
class InstanceNorm(keras.layers.Layer):
    """y = (x - mean) / sqrt(variance + epsilon), over the pixels of each image and channel.

    The variance is the biased one, and training and inference are the same; computed in float32,
    whatever the precision (Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022, eq. 4).
    Shapes: `[N, H, W, C] -> [N, H, W, C]`.

    Args:
        epsilon: keeps the quotient finite where a channel is constant.
        affine: whether a scale gamma and an offset beta are learned for each channel.
    """

    def __init__(self, epsilon: float = 1e-5, affine: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.epsilon, self.affine = epsilon, affine

    def build(self, input_shape):
        if self.affine:
            shape = {"shape": input_shape[-1:], "autocast": False}
            self.gamma = self.add_weight(name="gamma", initializer="ones", **shape)
            self.beta = self.add_weight(name="beta", initializer="zeros", **shape)

    def call(self, inputs):
        if keras.backend.backend() == "tensorflow" and inputs.shape[0] in range(1, FEW_IMAGES + 1):
            # Of a batch of one, the batch's statistics are the image's.
            images = tf.split(tf.cast(inputs, self.compute_dtype), inputs.shape[0])
            weights = (self.gamma, self.beta) if self.affine else (None, None)
            return tf.concat([_fused(image, *weights, self.epsilon).y for image in images], axis=0)
        x = ops.cast(inputs, "float32")
        x -= ops.mean(x, axis=(1, 2), keepdims=True)
        variance = ops.mean(ops.square(x), axis=(1, 2), keepdims=True)
        x *= ops.rsqrt(variance + self.epsilon)
        if self.affine:
            x = x * self.gamma + self.beta
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"epsilon": self.epsilon, "affine": self.affine}


@keras.saving.register_keras_serializable(package="ganzoo")
class ConditionalBatchNorm(keras.layers.Layer):
    """y = gamma(c) * (x - mean) / sqrt(variance + 1e-5) + beta(c).

    Without a hidden layer gamma and beta are linear in the condition c, one row per class for
    one-hot labels (Dumoulin et al. 2017, https://arxiv.org/abs/1610.07629). With one they are a
    small network of it: self-modulation, when c is the latent vector (Chen et al. 2019,
    https://arxiv.org/abs/1810.01365, section 2). Shapes: `[N, H, W, C], [N, K] -> [N, H, W, C]`.

    Args:
        hidden_units: width of the hidden ReLU layer; 0 means none.
    """

    def __init__(self, hidden_units: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.hidden_units = hidden_units
        self.normalize = batch_norm(center=False, scale=False, name="normalize")
        self.hidden = None
        if hidden_units:
            self.hidden = _linear(hidden_units, activation="relu", name="hidden")

    def build(self, inputs_shape, condition_shape):
        channels = inputs_shape[-1]
        if self.hidden:
            self.hidden.build(condition_shape)
            condition_shape = (None, self.hidden_units)
            self.gamma = _linear(channels, bias_initializer="ones", name="gamma")
            self.beta = _linear(channels, name="beta")
        else:
            self.gamma = keras.layers.Dense(
                channels, use_bias=False, kernel_initializer="ones", name="gamma"
            )
            self.beta = keras.layers.Dense(
                channels, use_bias=False, kernel_initializer="zeros", name="beta"
            )
        self.normalize.build(inputs_shape)
        self.gamma.build(condition_shape)
        self.beta.build(condition_shape)

    def call(self, inputs, condition, training=False):
        hidden = self.hidden(condition) if self.hidden else condition
        gamma = self.gamma(hidden)[:, None, None, :]
        beta = self.beta(hidden)[:, None, None, :]
        return self.normalize(inputs, training=training) * gamma + beta

    def compute_output_shape(self, inputs_shape, condition_shape):
        return inputs_shape

    def get_config(self):
        return super().get_config() | {"hidden_units": self.hidden_units}


def _linear(units, **kwargs):
    return keras.layers.Dense(
        units, kernel_initializer=keras.initializers.RandomNormal(stddev=0.02), **kwargs
    )
