"""Losses that compare images by what a classifier sees in them."""

import hashlib
import os
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from ganzoo import arrays, files
from ganzoo.errors import UserError, choose
from ganzoo.weights import download

# phi_ij of Ledig et al.: the j-th convolution before the i-th pooling, after its ReLU.
VGG_FEATURES = {"vgg22": "block2_conv2", "vgg54": "block5_conv4"}

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
            `block1_conv1__bias` for each convolution; None takes Keras' copy, or downloads
            it once.

    Raises:
        UserError: for unknown features, or a file that is missing or does not have them.
    """

    def __init__(self, features: str = "vgg54", weights: str | Path | None = None):
        self.network = _network(choose("features", features, VGG_FEATURES))
        path = _downloaded() if weights is None else files.expanded(weights)
        try:
            arrays.assign(self.network, arrays.read(path))
        except ValueError as error:
            raise UserError(
                f"{path} cannot be read as weights of VGG19 for {features!r} ({error}). Expected"
                f" Keras' file: {_URL}"
            ) from error

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


def _network(last: str) -> keras.Sequential:
    """VGG19 up to a convolution; `keras.applications` would make all of it first."""
    stack, options = [], {"padding": "same", "activation": "relu", "dtype": "float32"}
    for block, (filters, count) in enumerate(_BLOCKS, start=1):
        names = [f"block{block}_conv{number}" for number in range(1, count + 1)]
        stack += [layers.Conv2D(filters, 3, name=name, **options) for name in names]
        if last in names:
            break
        stack.append(layers.MaxPooling2D(dtype="float32"))
    while stack[-1].name != last:
        stack.pop()
    network = keras.Sequential(stack, name="vgg19")
    network.build((None, None, None, 3))
    network.trainable = False
    return network


def _downloaded() -> Path:
    """The copy that Keras has, or else one of our own; of either, the hash is verified."""
    home = files.expanded(os.environ.get("KERAS_HOME") or "~/.keras")
    kept = home / "models" / _FILE
    try:
        return download.fetch(kept.absolute().as_uri() if kept.exists() else _URL, md5=_MD5)
    except UserError as error:
        raise UserError(
            f"The weights of VGG19 are missing ({error}). Fetch {_URL} elsewhere and give its"
            " place, to train with --config.model.vgg_weights=PATH and to generate with"
            " --vgg_weights=PATH; training does without with --config.model.content_loss=mse"
        ) from error
