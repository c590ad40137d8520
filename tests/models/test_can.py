"""CAN: networks and losses give the recorded numbers, and styles become ambiguous."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.models.can import AMBIGUITIES
from ganzoo.trainer import trainable_parameters
from ganzoo.weights.layouts import (
    convolution,
    dense,
    dense_of_maps,
    dense_to_maps,
    normalization,
    transposed,
)

from .goldens import FOLDER, assert_golden, fill, inputs, normal

GOLDEN = json.loads((FOLDER / "can.json").read_text())
TINY = dict(models.model_class("can").TINY)


def images(count, size):
    return inputs((count, 3, size, size)).transpose(0, 2, 3, 1).astype(np.float32)


def generator(network):
    first, norm, *layers = [layer for layer in network.layers if layer.weights]
    yield from dense_to_maps(first, "fc", side=4)
    yield from normalization(norm, "bn0")
    for index, layer in enumerate(layers):
        if hasattr(layer, "gamma"):
            yield from normalization(layer, f"bn.{index // 2}")
        else:
            yield from transposed(layer, f"tconv.{index // 2}")


def trunk(network):
    first, *layers = [layer for layer in network.trunk.layers if layer.weights]
    yield from convolution(first, "conv.0")
    for index, layer in enumerate(layers):
        if hasattr(layer, "gamma"):
            yield from normalization(layer, f"bn.{index // 2}")
        else:
            yield from convolution(layer, f"conv.{index // 2 + 1}")


def paper(network):
    """Flattened channel by channel."""
    hidden, second, last = [layer for layer in network.to_styles.layers if layer.weights]
    yield from trunk(network)
    yield from dense_of_maps(network.to_logit, "real", side=4)
    yield from dense_of_maps(hidden, "style1", side=4)
    yield from dense(second, "style2")
    yield from dense(last, "style3")


def mlberkeley(network):
    """Flattened pixel by pixel, as ours."""
    layers = [layer for layer in network.to_styles.layers if layer.weights]
    yield from trunk(network)
    for layer, name in zip([network.to_logit, *layers], ("ro", "h6", "h7", "co"), strict=True):
        yield from dense(layer, name)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_generator(mode):
    model = models.build("can", generator_width=4, style_units=(8,), discriminator_width=1)
    fill(generator(model.generator))
    drawn = model.generator(normal("z", (2, 100)), training=mode == "train")
    if f"paper.G256.{mode}" in GOLDEN:
        assert_golden("can", f"paper.G256.{mode}", np.transpose(drawn, (0, 3, 1, 2)))
    else:
        assert np.isfinite(drawn).all()


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize(
    ("name", "layout", "count", "arguments"),
    [
        ("paper.D256", paper, 2, {"discriminator_width": 8, "style_units": (64, 32)}),
        ("berkeley.D64", mlberkeley, 4, {"discriminator": "mlberkeley", "image_size": 64}),
    ],
)
def test_discriminators(name, layout, count, arguments, mode):
    model = models.build("can", num_classes=10, generator_width=1, **arguments)
    fill(layout(model.discriminator))
    shown = images(count, model.image_size)
    source, styles = model.discriminator(shown, training=mode == "train")
    assert_golden("can", f"{name}.source.{mode}", source)
    assert_golden("can", f"{name}.class.{mode}", styles)


@pytest.mark.parametrize(
    ("arguments", "generator", "discriminator"),
    [
        ({}, 29_565_824, 15_919_514),
        ({"discriminator": "mlberkeley", "num_classes": 27}, 29_565_824, 36_916_604),
    ],
)
def test_parameters(arguments, generator, discriminator):
    with tf.Graph().as_default():
        model = models.build("can", **arguments)
        counts = [trainable_parameters(n) for n in (model.generator, model.discriminator)]
    assert counts == [generator, discriminator]


@pytest.mark.parametrize("name", AMBIGUITIES)
def test_ambiguity(name):
    """By the formula's logits; least where all styles are equally likely; never infinite."""
    logits = 2.0 * normal("fake_classes", (8, 10))
    assert np.mean(AMBIGUITIES[name](logits)) == pytest.approx(GOLDEN[f"style.{name}"])
    certain = np.asarray(AMBIGUITIES[name](np.array([[100.0, *[0.0] * 9]], np.float32)))
    assert np.isfinite(certain).all() and certain[0] > 8.0
    if f"style.{name}.minimum" in GOLDEN:
        even = np.asarray(AMBIGUITIES[name](np.zeros([1, 10], np.float32)))
        assert even[0] == pytest.approx(GOLDEN[f"style.{name}.minimum"])


@pytest.mark.parametrize("name", AMBIGUITIES)
def test_to_minimize_ambiguity_lowers_what_is_most_likely(name):
    logits = tf.constant([[2.0, *[0.0] * 4]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = AMBIGUITIES[name](logits)
    assert tape.gradient(loss, logits)[0, 0] > 0


@pytest.mark.usefixtures("eager")
def test_losses(monkeypatch):
    """Of the recorded logits; what the generator is judged by does not move its judge."""
    model = models.build("can", **TINY, num_classes=10)
    real = 2.0 * normal("real_logits", (8, 1)), 2.0 * normal("real_classes", (8, 10))
    fake = 2.0 * normal("fake_logits", (8, 1)), 2.0 * normal("fake_classes", (8, 10))
    logits = {"real": real, "fake": fake}
    monkeypatch.setattr(model, "_judge", lambda images, random, stream: logits[stream])
    monkeypatch.setattr(model, "generator", lambda latents, training: latents)
    monkeypatch.setattr(model, "draw_latents", lambda random, count: np.zeros([count, 100]))
    labels = (3 * np.arange(8, dtype=np.int32) + 1) % 10
    batch = {"image": np.zeros([8, 32, 32, 3]), "label": labels, "latents": np.zeros([8, 100])}
    assert np.mean(model.discriminator_loss(batch, None).value) == pytest.approx(GOLDEN["D"])
    assert np.mean(model.generator_loss(batch, None).value) == pytest.approx(6.087428, abs=1e-5)
    model.ambiguity_weight = 0.0
    alone = np.mean(model.generator_loss(batch, None).value)
    assert alone == pytest.approx(6.087428 - GOLDEN["style.binary"], abs=1e-5)


@pytest.mark.usefixtures("eager")
def test_it_draws_without_a_style_and_classifies():
    model = models.build("can", **TINY, num_classes=3)
    model.class_names = ("baroque", "cubism", "realism")
    assert [each.name for each in model.mode("generate").inputs] == ["latents"]
    drawn = model.generate(3)
    assert model.classify(drawn).shape == (3, 3)
    assert "probabilities of 3 classes" in model.describe()
    with pytest.raises(UserError, match="the model has no classes"):
        model.generate(1, label=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 48}, "CAN has networks for 32, 64, 128, 256 pixels"),
        ({"num_classes": 1}, "2 or more styles"),
        ({"generator_width": 0}, "a width of 0 channels"),
        ({"ambiguity": "entropy"}, "Unknown ambiguity 'entropy'"),
        ({"discriminator": "berkeley"}, "Did you mean mlberkeley"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        models.construct("can", **arguments)
