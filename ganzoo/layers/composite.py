"""Layers that are made of layers, and what networks are made with."""

import keras

from ganzoo.errors import UserError


class Composite:
    """Mixin for a layer whose own layers build themselves when it is first called.

    Without it Keras finds out what is unbuilt by tracing `call`, again for each level of nesting.
    """

    def build(self, input_shape=None):
        """Creates nothing."""


class Network(keras.Model):
    """A network of plain arguments, which Keras saves and loads by itself: `network.save`.

    `build` has to create all weights. Keras makes the config of a layer out of the arguments of its
    constructor, but not that of a model.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        keras.saving.register_keras_serializable(cls.__module__)(cls)

    def __new__(cls, *args, **kwargs):
        return keras.Layer.__new__(cls, *args, **kwargs)


def scaled_widths(widths: tuple[int, ...], widest: int | None) -> tuple[int, ...]:
    """The published widths, scaled so that the widest is `widest`; None leaves them.

    Raises:
        UserError: for a width below 1.
    """
    if widest is None:
        return widths
    if widest < 1:
        raise UserError(f"a width of {widest} channels; expected 1 or more, or None")
    return tuple(max(1, width * widest // max(widths)) for width in widths)


def small_normal(stddev: float = 0.02) -> keras.initializers.Initializer:
    """Normally distributed weights, as small as those of DCGAN by default."""
    return keras.initializers.RandomNormal(stddev=stddev)
