"""Layers that are made of layers."""

from __future__ import annotations


class Composite:
    """Mixin for a layer whose own layers build themselves when it is first called.

    Without it Keras finds out what is unbuilt by tracing `call`, again for each level of nesting.
    """

    def build(self, input_shape=None):
        """Creates nothing."""
