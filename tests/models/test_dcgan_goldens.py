"""DCGAN's networks and training steps give the numbers that PyTorch gives with the same weights."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import config, models, trainer
from ganzoo.programs import dcgan_pytorch
from ganzoo.weights.layouts import (
    convolution,
    dense_of_maps,
    dense_to_maps,
    maps_of,
    normalization,
    transposed,
)
from tests.weights.layouts import dcgan_discriminator

from .goldens import FOLDER, assert_golden, fill, inputs

LATENTS = inputs((4, 100)).astype(np.float32)
IMAGES = inputs((4, 3, 64, 64)).transpose(0, 2, 3, 1).astype(np.float32)
WIDTHS = {"torch": 64, "theano": 16}
# Of the layers with weights of the Theano form as it was written in PyTorch, in order.
GENERATOR = [0, 1, 4, 5, 7, 8, 10, 11, 13]
DISCRIMINATOR = [0, 2, 3, 5, 6, 8, 9, 12]


def theano_generator(network):
    """Its first layer is dense, and normalizes features."""
    first, norm, *layers = [layer for layer in network.layers if layer.weights]
    yield from dense_to_maps(first, "main.0", side=4)
    names = {"gamma": "weight", "beta": "bias"}
    names |= {"moving_mean": "running_mean", "moving_variance": "running_var"}
    for ours, theirs in names.items():
        yield maps_of(getattr(norm, ours), f"main.1.{theirs}", side=4)
    for layer, number in zip(layers, GENERATOR[2:], strict=True):
        yield from (normalization if hasattr(layer, "gamma") else transposed)(
            layer, f"main.{number}"
        )


def theano_discriminator(network):
    *layers, last = [layer for layer in network.layers if layer.weights]
    for layer, number in zip(layers, DISCRIMINATOR[:-1], strict=True):
        yield from (normalization if hasattr(layer, "gamma") else convolution)(
            layer, f"main.{number}"
        )
    yield from dense_of_maps(last, f"main.{DISCRIMINATOR[-1]}", side=4)


LAYOUTS = {
    "torch": (dcgan_pytorch.generator, dcgan_discriminator),
    "theano": (theano_generator, theano_discriminator),
}


def fill_all(model, architecture):
    generator, discriminator = LAYOUTS[architecture]
    fill(generator(model.generator))
    fill(discriminator(model.discriminator))


@pytest.fixture(params=["torch", "theano"])
def filled(request):
    model = models.build("dcgan", architecture=request.param, width=WIDTHS[request.param])
    fill_all(model, request.param)
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


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["non_saturating", "least_squares"])
def test_training_steps(loss, monkeypatch):
    """Networks, losses and optimizers, batches kept apart, and their order."""
    golden = json.loads((FOLDER / "dcgan.json").read_text())[loss]
    model = models.build("dcgan", loss=loss)
    fill_all(model, "torch")
    monkeypatch.setattr(model, "draw_latents", lambda random, count: tf.constant(LATENTS))
    model.compile(trainer.optimizers(config.load("dcgan"), "float32"), batch_size=4)
    # Adam's first step is the sign of a gradient, which rounding may flip where it is near 0.
    for expected, tolerance in zip(golden, [2e-4, 2e-3], strict=True):
        logs = model.train_step({"image": tf.constant(IMAGES)})
        recorded = {name: float(logs[name]) for name in expected}
        assert recorded == pytest.approx(expected, rel=tolerance)
