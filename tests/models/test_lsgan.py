"""LSGAN: networks and losses give the published numbers."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.seeds import Random
from ganzoo.trainer import trainable_parameters
from ganzoo.weights.layouts import convolution, dense, normalization, scaled, transposed

from .goldens import FOLDER, assert_golden, fill, hashed, inputs

GOLDEN = json.loads((FOLDER / "lsgan.json").read_text())
TINY = dict(models.model_class("lsgan").TINY)
IMAGES = inputs((2, 3, 112, 112)).transpose(0, 2, 3, 1).astype(np.float32)
REAL, FAKE, LATENTS = (
    (3.0**0.5 * (2.0 * hashed(name, shape) - 1.0)).astype(np.float32)
    for name, shape in (("real_logits", 8), ("fake_logits", 8), ("z", (2, 1024)))
)
UPS = ["1_1", "1_2", "2_1", "2_2", "3_1", "4_1"]  # in the published names


def generator(network):
    """The weights of the last layer are 0.3 of the formula's, or tanh would saturate."""
    first, norm, *layers, last = [layer for layer in network.layers if layer.weights]
    yield from [*dense(first, "h0"), *normalization(norm, "bn0")]
    for layer, norm, name in zip(layers[::2], layers[1::2], UPS, strict=True):
        yield from transposed(layer, f"deconv_h{name}")
        yield from normalization(norm, f"bn_h{name}")
    kernel, bias = transposed(last, "deconv_h5")
    yield from (scaled(kernel, 0.3), bias)


def discriminator(network):
    first, *layers, last = [layer for layer in network.layers if layer.weights]
    yield from convolution(first, "h0")
    for index, (layer, norm) in enumerate(zip(layers[::2], layers[1::2], strict=True), 1):
        yield from [*convolution(layer, f"h{index}"), *normalization(norm, f"bn{index}")]
    yield from dense(last, "h4")


def test_networks():
    model = models.build("lsgan", image_size=112)
    fill(generator(model.generator))
    images = model.generator(LATENTS, training=True)
    assert_golden("lsgan", "G112.train", np.transpose(images, (0, 3, 1, 2)))
    for mode in ("train", "eval"):
        fill(discriminator(model.discriminator))
        scores = model.discriminator(IMAGES, training=mode == "train")
        assert_golden("lsgan", f"D112.{mode}", scores)


def test_parameters():
    with tf.Graph().as_default():
        model = models.build("lsgan", image_size=112)
        counts = [trainable_parameters(n) for n in (model.generator, model.discriminator)]
    assert counts == [15_591_427, 4_333_441]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("a", "b", "c"), [(0, 1, 1), (-1, 1, 0)])
def test_losses(a, b, c, monkeypatch):
    model = models.build("lsgan", **TINY, a=float(a), b=float(b), c=float(c))
    logits = iter(2.0 * x[:, None] for x in (REAL, FAKE, FAKE))
    monkeypatch.setattr(model.discriminator, "call", lambda images, **_: tf.constant(next(logits)))
    side = model.image_size
    batch = {"image": tf.zeros([8, side, side, 3])}
    discriminator = model.discriminator_loss(batch, Random(0, 0))
    generator = model.generator_loss(batch | discriminator.reuse, Random(0, 0))
    key = f"loss.lsgan.a{a}b{b}c{c}"
    assert np.mean(discriminator.value) == pytest.approx(GOLDEN[f"{key}.D"])
    assert np.mean(generator.value) == pytest.approx(GOLDEN[f"{key}.G"])


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("size", "up", "down"),
    [
        (28, [14, 28, 28], [14, 7]),
        (32, [8, 8, 16, 32, 32], [16, 8, 4]),
        (64, [8, 8, 16, 16, 32, 64, 64], [32, 16, 8, 4]),
        (128, [8, 8, 16, 16, 32, 32, 64, 128, 128], [64, 32, 16, 8, 4]),
    ],
)
def test_other_sizes_have_layers_of_the_same_kind(size, up, down):
    model = models.build("lsgan", image_size=size, width=2, latent_dim=8)
    assert model.discriminator(model.generate(2)).shape == (2, 1)
    for network, sides in ((model.generator, up), (model.discriminator, down)):
        assert [x.output.shape[1] for x in network.layers if "conv" in x.name] == sides


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_size": 48}, "image_size 48: LSGAN has networks for 28, 32, 64, 112, 128 pixels"),
        ({"width": 0}, "1 or more"),
        ({"a": 1.0}, "a = b = 1.0"),
    ],
)
def test_wrong_arguments(arguments, words):
    with pytest.raises(UserError, match=words):
        models.construct("lsgan", **arguments)
