"""Keras' backends: inference runs under each of them, everything else needs TensorFlow."""

import contextlib
from collections.abc import Callable, Sequence

import keras
import tensorflow as tf
from keras import ops

from ganzoo.errors import UserError


def require_tensorflow(what: str) -> None:
    """Raises UserError under another backend; `what` needs TensorFlow's."""
    name = keras.backend.backend()
    if name != "tensorflow":
        raise UserError(
            f"Keras runs on {name} here, and {what} needs TensorFlow: set the environment variable"
            " KERAS_BACKEND=tensorflow before Python starts"
        )


def require_channels_last() -> None:
    """Raises UserError where Keras' own layers would take the channels first."""
    if keras.config.image_data_format() != "channels_last":
        raise UserError(
            "Keras' image_data_format is channels_first here, and ganzoo's images are [N, H, W, C]:"
            ' set "image_data_format": "channels_last" in ~/.keras/keras.json, or call'
            ' keras.config.set_image_data_format("channels_last") first'
        )


def inference(function: Callable, signature: Sequence[tf.TensorSpec] | None = None) -> Callable:
    """A function of tensors to images, for use without gradients: `tf.Tensor`s in and out.

    TensorFlow makes a graph of it; under other backends it runs as it is.

    Args:
        function: from TensorFlow's tensors to a tensor of the backend.
        signature: of the graph, as `tf.function` has it.
    """
    if keras.backend.backend() == "tensorflow":
        return tf.function(function, input_signature=signature, autograph=False)

    def run(*inputs):
        with _without_gradients():
            return tensor(function(*inputs))

    return run


def tensor(value) -> tf.Tensor:
    """A tensor of the backend as one of TensorFlow."""
    return value if isinstance(value, tf.Tensor) else tf.constant(ops.convert_to_numpy(value))


def _without_gradients():
    """PyTorch alone would keep every feature map for them."""
    if keras.backend.backend() != "torch":
        return contextlib.nullcontext()
    import torch

    return torch.no_grad()
