"""Moving averages of networks."""

import dataclasses
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from ganzoo.schedules import value_at
from ganzoo.seeds import Random


@dataclasses.dataclass(frozen=True)
class Average:
    """An exponential moving average of a network's weights, kept in a second such network.

    Weights decay by 0.5 ** (batch_size / half_life); buffers are copied, unless
    `refresh_moments` renews them.

    Args:
        source: the network in training.
        target: the network that holds the average.
        half_life_images: images after which the weight of the past has halved, or a schedule.
        ramp_up: while training is young the half-life is at most this fraction of the images
            seen, so that the random start is forgotten soon; None means the full half-life from
            the first image on.
        refresh_moments: calls the target in training mode, given the step's batch and random
            numbers, so that its batch normalization has the moments of its own activations. Those
            of the source are not the same: averaging calms a network that swings. None where there
            are no moments.
    """

    source: keras.Layer
    target: keras.Layer
    half_life_images: int | tuple
    ramp_up: float | None = 0.05
    refresh_moments: Callable[[Mapping[str, tf.Tensor], Random], None] | None = None

    def start(self) -> None:
        """Copies the source, weights and buffers."""
        for old, new in zip(self.target.variables, self.source.variables, strict=True):
            old.assign(new)

    def update(self, images: tf.Tensor, batch_size: int) -> None:
        """Moves the average; `images` is the number of images trained on before this step."""
        decay = self._decay(images, batch_size)
        pairs = zip(self.target.trainable_variables, self.source.trainable_variables, strict=True)
        for average, weight in pairs:
            current = tf.convert_to_tensor(weight)
            average.assign(current + decay * (tf.convert_to_tensor(average) - current))
        if self.refresh_moments:
            return
        buffers = self.target.non_trainable_variables, self.source.non_trainable_variables
        for copy, buffer in zip(*buffers, strict=True):
            copy.assign(buffer)

    def _decay(self, images: tf.Tensor, batch_size: int) -> tf.Tensor:
        half_life = tf.cast(value_at(self.half_life_images, images), tf.float32)
        if self.ramp_up is not None:
            half_life = tf.minimum(half_life, tf.cast(images, tf.float32) * self.ramp_up)
        return tf.where(half_life > 0, 0.5 ** (batch_size / tf.maximum(half_life, 1e-8)), 0.0)


def make_generators(model, make: Callable[..., keras.Layer]) -> None:
    """Gives a model `generator` and `averaged_generator`, one and the same where its
    `ema_half_life_images` is 0; `make(name=...)` returns a network."""
    model.generator = model.averaged_generator = make(name="generator")
    if model.ema_half_life_images:
        model.averaged_generator = make(name="averaged_generator")


def average_of_generator(model, refresh_moments=None, ramp_up: float = 0.05) -> tuple[Average, ...]:
    """The average of `model.generator` in `model.averaged_generator`, or none where its
    `ema_half_life_images` is 0; `refresh_moments` and `ramp_up` as in `Average`."""
    if not model.ema_half_life_images:
        return ()
    networks = model.generator, model.averaged_generator
    return (Average(*networks, model.ema_half_life_images, ramp_up, refresh_moments),)
