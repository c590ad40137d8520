"""The rectifier with learned slopes."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="ganzoo")
class PReLU(keras.layers.PReLU):
    """Keras' PReLU, y = max(x, 0) + alpha min(x, 0), in half as many passes over the feature map.

    He et al. 2015, https://arxiv.org/abs/1502.01852, eq. 1. Shapes: `[N, ...] -> [N, ...]`.
    """

    def call(self, inputs):
        if keras.backend.backend() != "tensorflow":
            return super().call(inputs)
        return _prelu(inputs, tf.convert_to_tensor(self.alpha))


@tf.custom_gradient
def _prelu(x, alpha):
    zero, one = tf.zeros([], x.dtype), tf.ones([], x.dtype)
    slope = tf.where(x > zero, one, alpha)

    def gradients(dy):
        axes = [axis for axis, size in enumerate([1, *alpha.shape]) if size == 1]
        of_alpha = tf.reduce_sum(dy * tf.minimum(x, zero), axes)
        return dy * slope, tf.reshape(of_alpha, alpha.shape)

    return x * slope, gradients
