"""How often an augmentation acts: a probability that is fixed, follows a schedule, or adapts to
overfitting."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from ganzoo.errors import UserError
from ganzoo.schedules import is_schedule, value_at, values_of


class Strength(keras.layers.Layer):
    """A probability that does not depend on the discriminator.

    Args:
        probability: a number or a schedule, 0 or more; what exceeds 1 acts as 1.

    Attributes:
        value: the probability, a scalar variable, saved with the model.
    """

    def __init__(self, probability: float | tuple = 1.0, **kwargs):
        super().__init__(**kwargs)
        if min(values_of(probability)) < 0:
            raise UserError(f"An augmentation's strength of {probability}; expected 0 or more")
        self.probability = probability
        self.value = self._scalar("value", value_at(probability, 0))
        self.built = True

    def adapt(self, signs: Sequence[tf.Tensor], step: tf.Tensor, batch_size: int) -> None:
        """Called after each training step; here, the value of the next one is that of the schedule.

        Args:
            signs: for each update that showed the discriminator real images, the mean over all
                replicas of the signs of its logits.
            step: the training step, from 0 on.
            batch_size: images per step, over all replicas.
        """
        if is_schedule(self.probability):
            self.value.assign(value_at(self.probability, (step + 1) * batch_size))

    def _scalar(self, name, initial):
        return self.add_weight(
            name=name,
            shape=(),
            dtype="float32",
            initializer=keras.initializers.Constant(initial),
            trainable=False,
            autocast=False,
        )


class AdaptiveStrength(Strength):
    """The probability rises while the discriminator overfits, and falls while it does not.

    Karras et al. 2020, https://arxiv.org/abs/2006.06676, section 3.1. r_t = E[sign(D(real))] is 0
    where the discriminator cannot distinguish real images, and 1 where it recognizes all of them.
    Each `interval` steps, p moves by a constant step towards where r_t hits the target, but not
    below 0.

    Args:
        initial: p at the start.
        target: of r_t, between -1 and 1.
        interval: steps between two changes of p.
        speed_images: images after which p has risen from 0 to 1, if it always rose.

    Attributes:
        value: p, a scalar variable.
    """

    def __init__(
        self,
        initial: float = 0.0,
        target: float = 0.6,
        interval: int = 4,
        speed_images: int = 500_000,
        **kwargs,
    ):
        super().__init__(initial, **kwargs)
        if not -1 < target < 1:
            raise UserError(f"A target of {target} for E[sign(D(real))]; expected -1 to 1")
        if interval < 1 or speed_images < 1:
            raise UserError(
                f"interval = {interval}, speed_images = {speed_images}; expected 1 or more of each"
            )
        self.target, self.interval, self.speed_images = target, interval, speed_images
        self.sign_sum = self._scalar("sign_sum", 0.0)
        self.sign_count = self._scalar("sign_count", 0.0)

    def adapt(self, signs, step, batch_size):
        total = self.sign_sum + sum(signs)
        count = self.sign_count + len(signs)
        due = tf.cast((step + 1) % self.interval == 0, tf.float32)
        mean = tf.math.divide_no_nan(total, count)
        direction = tf.sign(mean - self.target) * tf.sign(count)  # 0 before any real image
        change = direction * batch_size * self.interval / self.speed_images
        self.value.assign(tf.maximum(self.value + due * change, 0.0))
        self.sign_sum.assign((1.0 - due) * total)
        self.sign_count.assign((1.0 - due) * count)
