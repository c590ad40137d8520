"""Trains one of the small classifiers that metrics use.

    python docs/train_classifier.py --name=convnet-shapes --out=FILE.npz
    python docs/train_classifier.py --name=lenet-mnist --out=FILE.npz

Adam with a rate that falls along a cosine; images are moved by up to two pixels each way.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from absl import flags
from keras import layers

from ganzoo import cli, data, files
from ganzoo.data import shapes
from ganzoo.errors import UserError, unknown
from ganzoo.metrics import classifiers
from ganzoo.metrics.classifiers import CLASSIFIERS

FLAGS = flags.FLAGS

BATCH_SIZE, LEARNING_RATE, SHIFT = 100, 1e-3, 2
SHAPES_FOR_TEST = 5_000  # the last ones


def define_flags() -> None:
    """The flags of this command."""
    flags.DEFINE_string("name", None, "of the classifier")
    flags.DEFINE_string("out", None, "the file to write, .npz")
    flags.DEFINE_string("data_dir", None, "where tensorflow_datasets finds or prepares its data")
    flags.DEFINE_integer("epochs", 10, "of training", lower_bound=1)


def main(argv):
    """The command line."""
    if FLAGS.name not in CLASSIFIERS:
        raise unknown("classifier", str(FLAGS.name), CLASSIFIERS)
    if FLAGS.out is None:
        raise UserError("Say where to write the weights, as in --out=weights.npz")
    keras.utils.set_random_seed(0)
    (images, labels), test = _DATA[FLAGS.name]()
    network = CLASSIFIERS[FLAGS.name].build()
    classifier = keras.Model(network.input, network.outputs[1])
    _compile(classifier, FLAGS.epochs * len(images) // BATCH_SIZE)
    # Padded images, cut at random, so that they move.
    padded = np.pad(images, [[0, 0], [SHIFT, SHIFT], [SHIFT, SHIFT], [0, 0]], "edge")
    crop = layers.RandomCrop(*images.shape[1:3], seed=0)
    batches = tf.data.Dataset.from_tensor_slices((padded, labels)).shuffle(len(images), seed=0)
    batches = batches.batch(BATCH_SIZE, drop_remainder=True)
    batches = batches.map(lambda x, y: (crop(tf.cast(x, tf.float32)) / 127.5 - 1.0, y))
    classifier.fit(batches.prefetch(2), epochs=FLAGS.epochs, verbose=2)
    classifiers.save(network, files.expanded(FLAGS.out))
    print(f"Wrote {FLAGS.out}; right on {accuracy(network, *test):.2%} of the test images")


def accuracy(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """The share of images, uint8, whose class the network tells."""
    logits = network.predict(images / np.float32(127.5) - 1.0, batch_size=500, verbose=0)[1]
    return float(np.mean(logits.argmax(axis=1) == labels))


def _compile(classifier: keras.Model, steps: int) -> None:
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])


def _mnist():
    options = {"image_size": 28, "channels": 1, "labels": True, "data_dir": FLAGS.data_dir}
    sources = (data.open_source("mnist", split=split, **options) for split in ("train", "test"))
    parts = (source.read(np.arange(len(source))) for source in sources)
    return [(part["image"], part["label"]) for part in parts]


def _shapes():
    indices = np.arange(shapes.COUNT)
    factors, size = shapes.factors(indices), CLASSIFIERS["convnet-shapes"].image_size
    labels = factors["shape"] * len(shapes.COLORS) + factors["color"]
    images = shapes.draw(indices, size, 3)
    parts = slice(0, -SHAPES_FOR_TEST), slice(-SHAPES_FOR_TEST, None)
    return [(images[part], labels[part]) for part in parts]


_DATA = {"lenet-mnist": _mnist, "convnet-shapes": _shapes}

if __name__ == "__main__":
    cli.run(main, define_flags)
