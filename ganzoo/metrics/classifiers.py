"""Small classifiers that come with ganzoo, for metrics on its own and on handwritten digits.

Trained by `docs/train_classifier.py`, see there for how.
"""

import dataclasses
from pathlib import Path

import keras
import numpy as np
from keras import layers

from ganzoo import arrays

FOLDER = Path(__file__).parent / "weights"


@dataclasses.dataclass(frozen=True)
class Classifier:
    """A classifier by name.

    Attributes:
        image_size: of its images, in pixels.
        channels: 1 (grey) or 3 (RGB).
        classes: the names of its classes.
        filters: of its convolutions, each followed by a pooling by two.
        units: of the layer before the last, whose values are the features.
    """

    image_size: int
    channels: int
    classes: tuple[str, ...]
    filters: tuple[int, ...]
    units: int

    def build(self) -> keras.Model:
        """From images `[N, S, S, C]` in [-1, 1] to features `[N, units]` and logits, float32."""

        def conv(filters, name):
            options = {"padding": "same", "activation": "relu", "dtype": "float32"}
            return layers.Conv2D(filters, 5, name=name, **options)

        x = inputs = keras.Input((self.image_size, self.image_size, self.channels), dtype="float32")
        for number, filters in enumerate(self.filters, start=1):
            x = layers.MaxPooling2D(2)(conv(filters, f"conv{number}")(x))
        x = layers.Flatten()(x)
        features = layers.Dense(self.units, activation="relu", dtype="float32", name="features")(x)
        logits = layers.Dense(len(self.classes), dtype="float32", name="logits")(features)
        return keras.Model(inputs, [features, logits])


def _pairs() -> tuple[str, ...]:
    shapes = ("circle", "square", "triangle", "star", "heart")
    colors = ("red", "orange", "yellow", "green", "cyan", "blue", "magenta", "white")
    return tuple(f"{color} {shape}" for shape in shapes for color in colors)


CLASSIFIERS = {
    # LeCun et al. 1998, with rectified units.
    "lenet-mnist": Classifier(28, 1, tuple("0123456789"), (20, 50), 128),
    "convnet-shapes": Classifier(32, 3, _pairs(), (16, 32, 32), 64),
}


def load(name: str) -> keras.Model:
    """The classifier with the weights that come with ganzoo."""
    network = CLASSIFIERS[name].build()
    arrays.assign(network, arrays.read(weights_of(name)))
    return network


def weights_of(name: str) -> Path:
    """The file of a classifier's weights."""
    return FOLDER / f"{name}.npz"


def save(network: keras.Model, path: Path) -> None:
    """Writes weights as float16 by the names that `arrays.assign` expects."""
    values = {f"{layer.name}__{v.name}": v for layer in network.layers for v in layer.weights}
    np.savez_compressed(path, **{n: np.asarray(v, np.float16) for n, v in values.items()})
