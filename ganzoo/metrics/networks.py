"""Networks by name, whose features images are compared by."""

import tarfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ganzoo import arrays, files
from ganzoo.errors import UserError, unknown
from ganzoo.metrics import classifiers
from ganzoo.metrics.features import FeatureNetwork
from ganzoo.weights import download

INCEPTION = "inception-2015-12-05"
CLEAN = f"clean-{INCEPTION}"
_INCEPTION_URL = f"http://download.tensorflow.org/models/image/imagenet/{INCEPTION}.tgz"
_GRAPH = "classify_image_graph_def.pb"
_MEANS = (103.939, 116.779, 123.68)  # of ImageNet's blue, green and red
_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
_POOLED_AFTER = (3, 5)  # fire modules of SqueezeNet 1.1
_SIDE = 224  # pixels, of SqueezeNet's images
_INCEPTION_SIDE = 299


def open_network(name: str, weights: str | Path | None = None) -> FeatureNetwork:
    """A network by its name.

    Args:
        name: "inception-2015-12-05": the classifier whose frozen graph the TTUR code and most
            papers use, with its own resizing. "clean-inception-2015-12-05": the same after the
            antialiased bicubic resizing of Parmar et al. 2022, https://arxiv.org/abs/2104.11222.
            "squeezenet": SqueezeNet 1.1 of Iandola et al. 2016, https://arxiv.org/abs/1602.07360,
            up to its last module, averaged over positions, of images resized to 224 pixels.
            "lenet-mnist" and "convnet-shapes": the small classifiers that come with ganzoo.
            "keras": a model saved by Keras, from images with values of 0 to 255, `[N, H, W, 3]`, to
            features.
        weights: its file: `classify_image_graph_def.pb`, which None downloads once; an .npz; a
            .keras archive; None for those that come with ganzoo.

    Raises:
        UserError: for an unknown name, or a file that is missing or does not fit.
    """
    if name not in _MAKERS:
        raise unknown("feature network", name, _MAKERS)
    bundled = name in classifiers.CLASSIFIERS
    if bundled and weights is not None:
        raise UserError(f"The network {name} comes with its weights: drop {weights}")
    if weights is None and name in (INCEPTION, CLEAN):
        weights = _downloaded_inception()
    if weights is None and not bundled:
        raise UserError(
            f"The network {name} needs its weights: {_WHERE[name]}, with --weights=PATH"
        )
    path = classifiers.weights_of(name) if bundled else files.expanded(weights)
    if not path.is_file():
        raise UserError(f"There is no file {path}; {_WHERE[name]}")
    fingerprint = files.hash_of(path)
    make = _MAKERS[name]
    compute = make(name) if bundled else make(path)
    return FeatureNetwork(name, fingerprint, tf.function(compute, autograph=False))


def _downloaded_inception() -> Path:
    """The frozen graph out of the archive that its authors publish, fetched once."""
    try:
        archive = download.fetch(_INCEPTION_URL)
    except UserError as error:
        raise UserError(f"{error}. Or name the file with --inception={_GRAPH}") from error
    path = archive.with_name(_GRAPH)
    if not path.exists():
        with tarfile.open(archive) as opened, opened.extractfile(_GRAPH) as member:
            data = member.read()
        files.write_atomically(path, lambda target: target.write_bytes(data))
    return path


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


def _clean_inception(path: Path) -> Callable:
    """The same of images resized as Pillow does it with floats; the graph's resizing does nothing.

    They are not rounded after it.
    """
    compute = _inception(path)

    def cleanly(images):
        sides, images = [_INCEPTION_SIDE] * 2, tf.cast(images, tf.float32)
        resized = tf.image.resize(images, sides, method="bicubic", antialias=True)
        return compute(tf.clip_by_value(resized, 0.0, 255.0))

    return cleanly


def _classifier(name: str) -> Callable:
    """One of those that come with ganzoo, of images resized to its size."""
    about, network = classifiers.CLASSIFIERS[name], classifiers.load(name)

    def compute(images):
        images = tf.cast(images, tf.float32)
        if about.channels == 1:
            images = tf.reduce_mean(images, axis=-1, keepdims=True)
        images = tf.image.resize(images, [about.image_size] * 2, antialias=True)
        features, logits = network(images / 127.5 - 1.0)
        return features, tf.nn.softmax(logits)

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
        arrays.assign(network, arrays.read(path))
    except ValueError as error:
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
    expected = network.input_shape

    def compute(images):
        if not tf.TensorShape(expected).is_compatible_with(images.shape):
            raise UserError(
                f"{path} takes images [H, W, C] of {list(expected[1:])}, not"
                f" {list(images.shape[1:])}: begin the network with a layer that resizes them"
            )
        features = network(tf.cast(images, tf.float32), training=False)
        if not tf.is_tensor(features) or features.shape.rank != 2:
            raise UserError(f"{path} does not give features [N, D]: end it by pooling")
        return features, None

    return compute


_MAKERS = {
    INCEPTION: _inception,
    CLEAN: _clean_inception,
    "squeezenet": _squeezenet,
    "keras": _keras,
    **dict.fromkeys(classifiers.CLASSIFIERS, _classifier),
}
_WHERE = {
    **dict.fromkeys((INCEPTION, CLEAN), f"download {_INCEPTION_URL} and unpack {_GRAPH}"),
    "squeezenet": "an .npz of SqueezeNet 1.1, with entries such as fire2__squeeze1x1__kernel",
    "keras": "a .keras archive",
}
