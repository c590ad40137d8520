"""Layers that are made of layers."""

import keras


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
