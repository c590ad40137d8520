"""SRGAN's networks give the numbers that Lornatang/SRGAN-PyTorch's give with the same weights."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.programs import leftthomas_srgan, mmagic
from tests.weights.layouts import lornatang_discriminator, lornatang_srresnet

from .goldens import FOLDER, assert_golden, fill, hashed, inputs


@pytest.fixture(scope="module")
def model():
    model = models.build("srgan", content_loss="mse")
    fill_all(model)
    return model


def fill_all(model):
    """Their PReLUs have one slope for all channels, 0.25; so have ours at the start."""
    fill(lornatang_srresnet(model.generator))
    fill(lornatang_discriminator(model.discriminator))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_generator(model, mode):
    unit = (inputs((1, 3, 24, 24)) + 1.0) / 2.0  # what is recorded was made from [0, 1]
    small = (2.0 * unit - 1.0).transpose(0, 2, 3, 1).astype(np.float32)
    images = model.generator(small, training=mode == "train")
    assert_golden("srgan", f"G.{mode}.preclamp", np.transpose(images, (0, 3, 1, 2)))
    fill_all(model)  # the moving averages have moved


OTHERS = {
    "leftthomas.eval": (
        {"num_blocks": 5, "output": "tanh", "normalized_bias": True},
        leftthomas_srgan.generator,
    ),
    "msrresnet": ({"architecture": "msrresnet"}, mmagic.msrresnet),
}


@pytest.mark.parametrize("key", OTHERS)
def test_other_generators(key):
    arguments, layout = OTHERS[key]
    model = models.construct("srgan", **arguments)
    model.build_generators()
    fill(layout(model.generator))
    images = model.generator(inputs((1, 3, 24, 24)).transpose(0, 2, 3, 1).astype(np.float32))
    assert_golden("srgan", key, (np.transpose(images, (0, 3, 1, 2)) + 1.0) / 2.0)


@pytest.mark.slow
def test_discriminator(model):
    images = inputs((1, 3, 96, 96)).transpose(0, 2, 3, 1).astype(np.float32)
    assert_golden("srgan", "D.eval", model.discriminator(images))


@pytest.mark.slow
def test_losses_and_their_gradients(model, monkeypatch):
    """Theirs has one slope per layer, whose gradient is the sum of those of our channels."""
    expected = json.loads((FOLDER / "srgan.json").read_text())["losses"]
    small = inputs((2, 3, 24, 24)).transpose(0, 2, 3, 1).astype(np.float32)
    large = (2.0 * hashed("large", (2, 3, 96, 96)) - 1.0).transpose(0, 2, 3, 1).astype(np.float32)
    batch = {"low_res": tf.constant(small), "image": tf.constant(large)}

    pretrain, slopes, weights = gradients(model.pixel_loss, batch, model.generator)
    assert float(tf.reduce_mean(pretrain.value)) == near(expected["pretrain"]["loss"])
    assert weights == near(expected["pretrain"]["gradient_norm"])
    sums = [float(tf.reduce_sum(slopes[i])) for i in (0, -1)]
    np.testing.assert_allclose(sums, expected["pretrain"]["slopes"], rtol=1e-3)

    game, _, weights = gradients(model.generator_loss, batch, model.generator)
    assert float(tf.reduce_mean(game.value)) == near(expected["generator"]["loss"])
    assert float(game.logs["content"]) == near(expected["generator"]["content"])
    assert float(game.logs["adversarial"]) == near(expected["generator"]["adversarial"])
    assert weights == near(expected["generator"]["gradient_norm"])

    with monkeypatch.context() as patch:
        patch.setattr(model, "content", lambda images, references: tf.zeros([2]))
        patch.setattr(model, "adversarial_weight", 1.0)
        _, _, weights = gradients(model.generator_loss, batch, model.generator)
    assert weights == near(expected["adversarial"]["gradient_norm"])

    batch |= dict(game.reuse)
    judged, _, weights = gradients(model.discriminator_loss, batch, model.discriminator)
    assert float(tf.reduce_mean(judged.value)) == near(expected["discriminator"]["loss"])
    assert float(judged.logs["real_logits"]) == near(expected["discriminator"]["real_logits"])
    assert float(judged.logs["fake_logits"]) == near(expected["discriminator"]["fake_logits"])
    assert weights == near(expected["discriminator"]["gradient_norm"])
    fill_all(model)  # the moving averages have moved


def near(value):
    return pytest.approx(value, rel=1e-4)


def gradients(loss, batch, network):
    """A loss, its gradients by the slopes of PReLUs, and the norm of those by all else."""
    variables = network.trainable_variables
    with tf.GradientTape() as tape:
        result = loss(batch, None)
        value = tf.reduce_mean(result.value)
    found = tape.gradient(value, [v.value for v in variables])
    slopes = [g for g, v in zip(found, variables, strict=True) if v.name == "alpha"]
    rest = [g for g, v in zip(found, variables, strict=True) if v.name != "alpha"]
    return result, slopes, float(tf.linalg.global_norm(rest))
