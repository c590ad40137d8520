"""Keras' optimizers by name, and an Adam and an SGD with one operation for each variable."""

import inspect
from collections.abc import Collection

import keras
import tensorflow as tf

from ganzoo.errors import UserError, choose, first_line, unknown


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
            beta1=tf.cast(self.beta_1, variable.dtype),
            beta2=tf.cast(self.beta_2, variable.dtype),
            epsilon=self.epsilon,
            grad=gradient,
        )


@keras.saving.register_keras_serializable("ganzoo")
class SGD(keras.optimizers.SGD):
    """Keras' SGD, whose momentum may be a schedule; Keras' own has to be a number.

    It keeps what Keras' SGD keeps, under the same names.
    """

    def build(self, variables):
        super().build(variables)
        if not self.momentums and not isinstance(self.momentum, float):  # a schedule from 0 on
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient, variable, learning_rate):
        if not self.momentums:
            return super().update_step(gradient, variable, learning_rate)
        velocity = self.momentums[self._get_variable_index(variable)]
        return tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=velocity.value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=tf.cast(tf.convert_to_tensor(gradient), variable.dtype),
            momentum=tf.cast(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )


def _found() -> dict[str, type[keras.optimizers.Optimizer]]:
    """The optimizers by name."""
    wrappers = (keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer)
    classes = {
        name: cls
        for name, cls in vars(keras.optimizers).items()
        if inspect.isclass(cls) and issubclass(cls, wrappers[0]) and cls not in wrappers
    }
    return classes | {"Adam": Adam, "SGD": SGD}


OPTIMIZERS = _found()


def arguments_of(name: str) -> Collection[str]:
    """What an optimizer's constructor takes; raises UserError for an unknown one."""
    parameters = inspect.signature(choose("optimizer", name, OPTIMIZERS).__init__).parameters
    return parameters.keys() - {"self", "name", "kwargs"}


def make_optimizer(name: str, **arguments) -> keras.optimizers.Optimizer:
    """An optimizer of Keras, `Adam` or `SGD`.

    Raises:
        UserError: for a name or an argument that there is not, with the nearest ones, or a value
            that the optimizer refuses.
    """
    known = arguments_of(name)
    for argument in arguments:
        if argument not in known:
            raise unknown(f"argument of {name}", argument, known)
    try:
        return OPTIMIZERS[name](**arguments)
    except (TypeError, ValueError) as error:
        raise UserError(f"{name} cannot be made of {arguments}: {first_line(error)}") from error
