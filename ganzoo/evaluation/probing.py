"""What a discriminator knows of classes: by a linear probe, or by its own classifier."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from ganzoo import data, metrics
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.inputs import Probabilities
from ganzoo.latents import BATCH_SIZE


class ProbeEvaluation:
    """How well a linear classifier recognizes classes by a discriminator's features.

    Args:
        names: of metrics, such as "probe10k": fitted to 10,000 images.
        train: images with labels, the first of which are taken.
        test: all of which are classified.

    Raises:
        UserError: for too few images, or images without labels.
    """

    def __init__(self, names: Sequence[str], train: data.Source, test: data.Source):
        self.counts = {name: metrics.parse(name).count for name in names}
        self.train, self.test = train, test
        most = max(self.counts.values())
        if not train.num_classes or most > len(train):
            raise UserError(
                f"{train.name} has {len(train):,} images of {train.num_classes} classes; the probe"
                f" needs labels of {most:,}"
            )
        self.facts = {"dataset": train.name, "data_fingerprint": train.fingerprint}
        self.facts |= {"test_fingerprint": test.fingerprint, "image_size": train.image_size}

    def of_model(self, model: GAN) -> dict[str, float]:
        """Accuracies from 0 to 1 by the metrics' names; raises UserError without features."""
        extract = tf.function(model.discriminator_features, autograph=False)
        train = features_of(extract, self.train, max(self.counts.values()))
        test = features_of(extract, self.test, len(self.test))
        return {
            name: metrics.probe_accuracy(*(part[:count] for part in train), *test)
            for name, count in self.counts.items()
        }


class ErrorEvaluation:
    """How often a model that classifies takes an image for one of another class.

    Args:
        source: images with labels, of the model's size and classes, all of which are classified.

    Raises:
        UserError: for images without labels.
    """

    def __init__(self, source: data.Source):
        if not source.num_classes:
            raise UserError(f"{source.name} has no labels, which {metrics.TEST_ERROR} needs")
        self.source = source
        self.facts = {"dataset": source.name, "data_fingerprint": source.fingerprint}
        self.facts |= {"image_size": source.image_size, "images": len(source)}

    def of_model(self, model: GAN) -> dict[str, float]:
        """The error, from 0 to 1; raises UserError for a model that does not classify, or has other
        classes."""
        modes = model.modes().values()
        mode = next((m for m in modes if isinstance(m.outputs[0], Probabilities)), None)
        if mode is None:
            raise UserError(f"{type(model).__name__} has no mode that classifies images")
        num = mode.outputs[0].classes.num
        if num != self.source.num_classes:
            raise UserError(
                f"The model has {num} classes, and {self.source.name} {self.source.num_classes}:"
                " name the data that it was trained on"
            )
        classify = tf.function(mode.run, autograph=False)
        probabilities, labels = features_of(classify, self.source, len(self.source))
        return {metrics.TEST_ERROR: float(np.mean(probabilities.argmax(axis=1) != labels))}


def features_of(extract: Callable, source: data.Source, count: int):
    """Features `[count, F]` of the first images, and their labels `[count]`.

    Args:
        extract: from images `[N, H, W, C]` in [-1, 1] to features `[N, F]`.
        source: of images with labels.
        count: at most all of them.
    """
    features, labels = [], []
    for start in range(0, count, BATCH_SIZE):
        batch = source.read(np.arange(start, min(start + BATCH_SIZE, count)))
        features.append(extract(batch["image"] / np.float32(127.5) - 1.0))
        labels.append(batch["label"])
    return np.concatenate(features), np.concatenate(labels)
