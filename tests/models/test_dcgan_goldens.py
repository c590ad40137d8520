"""DCGAN's networks and training steps give the numbers that PyTorch gives with the same weights."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import config, models, trainer
from ganzoo.layers import CroppedConv2DTranspose, PaddedConv2D

from .goldens import (
    FOLDER,
    assert_golden,
    fill_convolution,
    fill_norm,
    fill_transposed,
    inputs,
    parameter,
)

LATENTS = inputs((4, 100)).astype(np.float32)
IMAGES = inputs((4, 3, 64, 64)).transpose(0, 2, 3, 1).astype(np.float32)
WIDTHS = {"torch": 64, "theano": 16}
# Of PyTorch's layers with weights, in order; the dense one first or last.
GENERATORS = {"torch": [0, 1, 3, 4, 6, 7, 9, 10, 12], "theano": [0, 1, 4, 5, 7, 8, 10, 11, 13]}
DISCRIMINATORS = {"torch": [0, 2, 3, 5, 6, 8, 9, 11], "theano": [0, 2, 3, 5, 6, 8, 9, 12]}


def pixels_first(rows):
    """Rows that PyTorch flattened from [C, 4, 4], in our order [4, 4, C]."""
    maps = rows.reshape(len(rows), -1, 4, 4)
    return maps.transpose(0, 2, 3, 1).reshape(rows.shape)


def fill(network, numbers, dense_weight):
    layers = [layer for layer in network.layers if layer.weights]
    for layer, number in zip(layers, numbers, strict=True):
        name = f"main.{number}"
        if isinstance(layer, CroppedConv2DTranspose):
            fill_transposed(layer, name)
        elif isinstance(layer, PaddedConv2D):
            fill_convolution(layer, name)
        elif isinstance(layer, keras.layers.BatchNormalization):
            fill_norm(layer, name)
        else:
            layer.kernel.assign(dense_weight(f"{name}.weight", layer.kernel.shape))


def fill_generator(network, architecture):
    def project(name, shape):
        latent_dim, features = shape
        if architecture == "theano":
            return pixels_first(parameter(name, (features, latent_dim)).T)
        weight = parameter(name, (latent_dim, features // 16, 4, 4), transposed=True)
        return pixels_first(weight.reshape(shape))

    fill(network, GENERATORS[architecture], project)
    if architecture == "theano":  # its first normalization is of features
        norm = network.layers[1]
        norm.set_weights([pixels_first(weight[None])[0] for weight in norm.get_weights()])


def fill_discriminator(network, architecture):
    def decide(name, shape):
        features, _ = shape
        shape = (1, features) if architecture == "theano" else (1, features // 16, 4, 4)
        return pixels_first(parameter(name, shape).reshape(1, features)).T

    fill(network, DISCRIMINATORS[architecture], decide)


@pytest.fixture(params=["torch", "theano"])
def filled(request):
    model = models.build("dcgan", architecture=request.param, width=WIDTHS[request.param])
    fill_generator(model.generator, request.param)
    fill_discriminator(model.discriminator, request.param)
    return request.param, model


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_networks(filled, mode):
    architecture, model = filled
    images = model.generator(LATENTS, training=mode == "train")
    assert_golden("dcgan", f"{architecture}.G.{mode}", np.transpose(images, (0, 3, 1, 2)))
    logits = model.discriminator(IMAGES, training=mode == "train")
    if architecture == "torch":
        logits = tf.sigmoid(logits)[:, :, None, None]
    assert_golden("dcgan", f"{architecture}.D.{mode}", logits)


@pytest.mark.parametrize("loss", ["non_saturating", "least_squares"])
def test_training_steps(loss, monkeypatch):
    """Networks, losses and optimizers, batches kept apart, and their order."""
    golden = json.loads((FOLDER / "dcgan.json").read_text())[loss]
    model = models.build("dcgan", loss=loss)
    fill_generator(model.generator, "torch")
    fill_discriminator(model.discriminator, "torch")
    monkeypatch.setattr(model, "draw_latents", lambda random, count: tf.constant(LATENTS))
    model.compile(trainer.optimizers(config.load("dcgan"), "float32"), batch_size=4)
    # Adam's first step is the sign of a gradient, which rounding may flip where it is near 0.
    for expected, tolerance in zip(golden, [2e-4, 2e-3], strict=True):
        logs = model.train_step({"image": tf.constant(IMAGES)})
        recorded = {name: float(logs[name]) for name in expected}
        assert recorded == pytest.approx(expected, rel=tolerance)
