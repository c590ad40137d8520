"""Losses that compare images by what a classifier sees in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from ganzoo import arrays, files
from ganzoo.errors import UserError, unknown

# (i, j): the j-th convolution before the i-th pooling, after its ReLU; phi_ij of Ledig et al.
VGG_FEATURES = {"vgg22": (2, 2), "vgg54": (5, 4)}

_BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # channels, convolutions
_MEANS = (103.939, 116.779, 123.68)  # of ImageNet's blue, green and red
_SCALE = 12.75
_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg19/{_FILE}"
_MD5 = "253f8cb515780f3b799900260a226db6"


class VGGLoss:
    """Mean squared difference of VGG19's features, divided by 12.75.

    Ledig et al. 2017, https://arxiv.org/abs/1609.04802, eq. 5 and section 3.2. The features are
    those of the original network of Simonyan & Zisserman 2015, https://arxiv.org/abs/1409.1556, as
    Keras has it; the divisor belongs to its scale. They are computed in float32, whatever the
    precision of the model.

    It is no Keras layer, so that the network does not become part of the model that uses it.

    Args:
        features: "vgg22" or "vgg54".
        weights: a file: Keras' own (.h5), or an .npz with an entry `block1_conv1__kernel` and one
            `block1_conv1__bias` for each convolution; None downloads Keras' file once.

    Raises:
        UserError: for unknown features, or a file that is missing or does not have them.
    """

    def __init__(self, features: str = "vgg54", weights: str | Path | None = None):
        if features not in VGG_FEATURES:
            raise unknown("features", features, VGG_FEATURES)
        self.network = _network(*VGG_FEATURES[features])
        path = _download() if weights is None else files.expanded(weights)
        _fill(self.network, path, features)

    def __call__(self, images, references):
        """Of images `[N, H, W, C]` in [-1, 1], grey or RGB: `[N]`, float32."""
        difference = self.features(images) - self.features(references)
        return ops.mean(ops.square(difference), axis=(1, 2, 3))

    def fingerprint(self) -> str:
        """SHA-256 of the network's weights, hexadecimal."""
        digest = hashlib.sha256()
        for value in self.network.get_weights():
            digest.update(value.tobytes())
        return digest.hexdigest()

    def features(self, images):
        """`[N, H, W, C] -> [N, h, w, F]`, 0 or more."""
        if images.shape[-1] == 1:
            images = ops.repeat(images, 3, axis=-1)
        pixels = (ops.cast(images, "float32") + 1.0) * 127.5
        return self.network(ops.flip(pixels, axis=-1) - np.float32(_MEANS)) / _SCALE


def _network(last_block: int, last_convolution: int) -> keras.Sequential:
    """VGG19 up to a convolution; Keras' names."""
    stack = []
    for block, (filters, count) in enumerate(_BLOCKS[:last_block], start=1):
        if block > 1:
            stack.append(layers.MaxPooling2D(dtype="float32"))
        count = last_convolution if block == last_block else count
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            options = {"padding": "same", "activation": "relu", "dtype": "float32"}
            stack.append(layers.Conv2D(filters, 3, name=name, **options))
    network = keras.Sequential(stack, name="vgg19")
    network.build((None, None, None, 3))
    network.trainable = False
    return network


def _fill(network: keras.Sequential, path: Path, features: str) -> None:
    try:
        stored = arrays.read(path)
    except ValueError as error:
        raise UserError(
            f"{path} cannot be read as weights of VGG19 ({error}). Expected Keras' file: {_URL}"
        ) from error
    for layer in network.layers:
        for variable in layer.weights:
            key = f"{layer.name}__{variable.name}"
            if key not in stored:
                raise UserError(
                    f"{path} has no weights for {layer.name}, which {features!r} needs. Expected"
                    f" Keras' VGG19: {_URL}"
                )
            if stored[key].shape != tuple(variable.shape):
                raise UserError(
                    f"{path}: {key} has the shape {stored[key].shape}; expected"
                    f" {tuple(variable.shape)}, that of VGG19"
                )
            variable.assign(stored[key])


def _download() -> Path:
    try:
        # Where `keras.applications` looks, too, so that there is one copy.
        return Path(keras.utils.get_file(_FILE, _URL, cache_subdir="models", file_hash=_MD5))
    except Exception as error:  # whatever the network does
        raise UserError(
            f"The weights of VGG19 could not be downloaded ({error}). Fetch {_URL} elsewhere and"
            " give its place, to train with --config.model.vgg_weights=PATH and to generate with"
            " --vgg_weights=PATH; training does without with --config.model.content_loss=mse"
        ) from error
