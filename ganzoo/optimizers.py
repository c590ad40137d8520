"""Adam with one operation for each variable."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("ganzoo")
class Adam(keras.optimizers.Adam):
    """Keras' Adam, whose 30 to 40 operations for each variable were up to two thirds of a training
    step's graph.

    Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, in the form at the end of section 2. It keeps
    what Keras' Adam keeps, under the same names.
    """

    def apply(self, grads, trainable_variables=None):
        step = tf.cast(self.iterations + 1, tf.float32)
        self._powers = (tf.pow(self.beta_1, step), tf.pow(self.beta_2, step))
        super().apply(grads, trainable_variables)
        self._powers = None  # of a graph, which could not be freed

    def update_step(self, gradient, variable, learning_rate):
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            return super().update_step(gradient, variable, learning_rate)
        index = self._get_variable_index(variable)
        beta_1_power, beta_2_power, rate, gradient = (
            tf.cast(number, variable.dtype) for number in (*self._powers, learning_rate, gradient)
        )
        return tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta_1_power,
            beta2_power=beta_2_power,
            lr=rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )
