"""Networks whose features images are compared by.

A distance of features means something only together with the name of the network: only that of
`inception-2015-12-05` is the FID of the literature.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ganzoo import arrays
from ganzoo.errors import UserError, unknown

INCEPTION = "inception-2015-12-05"
_INCEPTION_URL = f"http://download.tensorflow.org/models/image/imagenet/{INCEPTION}.tgz"
_MEANS = (103.939, 116.779, 123.68)  # of ImageNet's blue, green and red
_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
_POOLED_AFTER = (3, 5)  # fire modules of SqueezeNet 1.1
_SIDE = 224  # pixels, of SqueezeNet's images


@dataclasses.dataclass(frozen=True, eq=False)
class FeatureNetwork:
    """A network with a name.

    Attributes:
        name: as metrics carry it.
        fingerprint: SHA-256 of its weights' file, hexadecimal.
        compute: from images `[N, H, W, 3]`, uint8, to features `[N, D]` and probabilities of
            classes `[N, K]`; None for the latter where it has none.
    """

    name: str
    fingerprint: str
    compute: Callable

    def __call__(self, images) -> tuple[np.ndarray, np.ndarray | None]:
        """Of images `[N, H, W, C]`, uint8, grey or RGB: features and probabilities, float32."""
        images = np.broadcast_to(images, (*images.shape[:-1], 3))
        features, probabilities = self.compute(tf.constant(images))
        return features.numpy(), None if probabilities is None else probabilities.numpy()


def open_network(name: str, weights: str | Path | None) -> FeatureNetwork:
    """A network by its name.

    Args:
        name: "inception-2015-12-05": the classifier whose frozen graph the TTUR code and most
            papers use, with its own resizing. "squeezenet": SqueezeNet 1.1 of Iandola et al. 2016,
            https://arxiv.org/abs/1602.07360, up to its last module, averaged over positions, of
            images resized to 224 pixels. "keras": a model saved by Keras, from images with values
            of 0 to 255, `[N, H, W, 3]`, to features.
        weights: its file: `classify_image_graph_def.pb`; an .npz; a .keras archive.

    Raises:
        UserError: for an unknown name, or a file that is missing or does not fit.
    """
    if name not in _MAKERS:
        raise unknown("feature network", name, _MAKERS)
    if weights is None:
        raise UserError(
            f"The network {name} needs its weights: {_WHERE[name]}, with --weights=PATH"
        )
    path = Path(weights).expanduser()
    if not path.is_file():
        raise UserError(f"There is no file {path}; {_WHERE[name]}")
    fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
    return FeatureNetwork(name, fingerprint, tf.function(_MAKERS[name](path), autograph=False))


def _inception(path: Path) -> Callable:
    """The frozen graph, which takes values of 0 to 255 and resizes them itself."""
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
        names = {node.name for node in graph.node}
    except Exception as error:  # protobuf has several for broken files
        raise UserError(f"{path} is no frozen graph ({error}); {_WHERE[INCEPTION]}") from error
    if not {"ExpandDims", "pool_3", "softmax/logits/MatMul"} <= names:
        raise UserError(f"{path} is another graph than that of {INCEPTION}; {_WHERE[INCEPTION]}")

    weights = _evaluated(graph, _inputs_of(graph)["softmax/logits/MatMul"][1])
    # What follows the features has a batch of one image built in.
    graph = _ancestors(graph, "pool_3")

    def compute(images):
        (pooled,) = tf.graph_util.import_graph_def(
            graph,
            input_map={"ExpandDims:0": tf.cast(images, tf.float32)},
            return_elements=["pool_3:0"],
            name="",
        )
        features = tf.reshape(pooled, [tf.shape(images)[0], weights.shape[0]])
        # Without the bias, as in the code of the Inception score.
        return features, tf.nn.softmax(tf.matmul(features, weights))

    return compute


def _inputs_of(graph) -> dict[str, list[str]]:
    """The names of the nodes that each node of a frozen graph reads."""
    return {
        node.name: [name.lstrip("^").partition(":")[0] for name in node.input]
        for node in graph.node
    }


def _ancestors(graph, name: str):
    """The part of a frozen graph that a node depends on, itself included."""
    inputs, needed, waiting = _inputs_of(graph), set(), [name]
    while waiting:
        current = waiting.pop()
        if current not in needed:
            needed.add(current)
            waiting += inputs[current]
    part = tf.compat.v1.GraphDef(versions=graph.versions)
    part.node.extend(node for node in graph.node if node.name in needed)
    return part


def _evaluated(graph, name: str) -> np.ndarray:
    """The value of a node that depends on constants alone."""
    part = _ancestors(graph, name)
    get = tf.function(
        lambda: tf.graph_util.import_graph_def(part, return_elements=[f"{name}:0"], name="")[0]
    )
    return get().numpy()


def _squeezenet(path: Path) -> Callable:
    network = _squeezenet_layers()
    try:
        stored = arrays.read(path)
        for layer in network.layers:
            for variable in layer.weights:
                variable.assign(stored[f"{layer.name}__{variable.name}"])
    except (ValueError, KeyError) as error:
        raise UserError(f"{path} has no weights of SqueezeNet 1.1 ({error})") from error

    def compute(images):
        resized = tf.image.resize(tf.cast(images, tf.float32), [_SIDE, _SIDE], antialias=True)
        return network(tf.reverse(resized, [-1]) - np.float32(_MEANS)), None

    return compute


def _squeezenet_layers() -> keras.Model:
    def conv(x, filters, size, name, **kwargs):
        options = {"activation": "relu", "dtype": "float32", "name": name}
        return layers.Conv2D(filters, size, **options, **kwargs)(x)

    inputs = keras.Input((_SIDE, _SIDE, 3), dtype="float32")
    x = layers.MaxPooling2D(3, 2)(conv(inputs, 64, 3, "conv1", strides=2))
    for number, (squeezed, expanded) in enumerate(_FIRES, start=2):
        name = f"fire{number}"
        x = conv(x, squeezed, 1, f"{name}__squeeze1x1")
        wide = conv(x, expanded, 3, f"{name}__expand3x3", padding="same")
        x = layers.Concatenate()([conv(x, expanded, 1, f"{name}__expand1x1"), wide])
        if number in _POOLED_AFTER:
            x = layers.MaxPooling2D(3, 2)(x)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def _keras(path: Path) -> Callable:
    try:
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # archives can be broken in many ways
        raise UserError(f"{path} is no model saved by Keras ({error})") from error
    return lambda images: (network(tf.cast(images, tf.float32), training=False), None)


_MAKERS = {INCEPTION: _inception, "squeezenet": _squeezenet, "keras": _keras}
_WHERE = {
    INCEPTION: f"download {_INCEPTION_URL} and unpack classify_image_graph_def.pb",
    "squeezenet": "an .npz of SqueezeNet 1.1, with entries such as fire2__squeeze1x1__kernel",
    "keras": "a .keras archive",
}
