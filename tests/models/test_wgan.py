"""WGAN: bounded slopes, the critic's scores, and the published optimizers."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import config, models, trainer
from ganzoo.errors import UserError
from ganzoo.losses import slope_of_one
from ganzoo.seeds import Random
from tests.weights.layouts import dcgan_discriminator

from .goldens import FOLDER, assert_golden, fill, hashed, inputs

GOLDEN = json.loads((FOLDER / "wgan.json").read_text())
TINY = {"image_size": 32, "width": 8}
PENALTY = {"clip_weights": 0.0, "gradient_penalty_weight": 10.0}
PENALIZED = TINY | PENALTY
RANDOM = Random(0, step=3, scope="test/")


def images(name):
    pixels = 2.0 * hashed(name, (4, 3, 32, 32)) - 1.0
    return tf.constant(pixels.transpose(0, 2, 3, 1), tf.float32)


REAL, FAKE = images("input"), images("fake")
MIX = tf.constant(hashed("mix", (4, 1, 1, 1)), tf.float32)


@pytest.fixture
def penalized():
    model = models.build("wgan", **PENALIZED)
    fill(dcgan_discriminator(model.discriminator))
    return model


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_clipped_critic(mode):
    """It is DCGAN's discriminator, before the sigmoid."""
    model = models.build("wgan")
    fill(dcgan_discriminator(model.discriminator))
    pixels = inputs((4, 3, 64, 64)).transpose(0, 2, 3, 1).astype(np.float32)
    scores = model.discriminator(pixels, training=mode == "train")
    assert_golden("dcgan", f"torch.D.{mode}", tf.sigmoid(scores)[:, :, None, None])


def test_penalized_critic(penalized):
    """Scores, slopes and the derivatives of the whole loss by each weight."""
    critic = penalized.discriminator
    for key, pixels in (("real_scores", REAL), ("fake_scores", FAKE)):
        np.testing.assert_allclose(critic(pixels, training=True)[:, 0], GOLDEN[key], atol=1e-5)
    entries = list(dcgan_discriminator(critic))
    with tf.GradientTape() as tape:
        penalty = slope_of_one(critic, REAL, FAKE, MIX)
        loss = (critic(FAKE) - critic(REAL))[:, 0] + 10.0 * penalty
        total = tf.reduce_mean(loss)
    np.testing.assert_allclose(penalty, GOLDEN["penalty"], rtol=1e-4)
    np.testing.assert_allclose(loss, GOLDEN["loss"], rtol=1e-4)
    gradients = tape.gradient(total, [entry.variable.value for entry in entries])
    for entry, gradient in zip(entries, gradients, strict=True):
        gradient = entry.to_theirs(gradient.numpy())
        direction = 2.0 * hashed(f"direction.{entry.name}", gradient.shape) - 1.0
        found = np.sum(gradient * direction)
        assert found == pytest.approx(GOLDEN["derivatives"][entry.name], rel=2e-3), entry.name


@pytest.mark.usefixtures("eager")
def test_losses(penalized, monkeypatch):
    """The penalty belongs to the critic alone; the players' other terms are opposite."""
    monkeypatch.setattr(penalized.generator, "call", lambda latents, **_: FAKE)
    monkeypatch.setattr(Random, "uniform", lambda self, stream, shape: MIX)
    monkeypatch.setattr(penalized, "draw_latents", lambda random, count: tf.zeros([4, 100]))
    loss = penalized.discriminator_loss({"image": REAL}, RANDOM)
    np.testing.assert_allclose(loss.value, GOLDEN["loss"], rtol=1e-4)
    difference = np.mean(GOLDEN["real_scores"]) - np.mean(GOLDEN["fake_scores"])
    assert float(loss.logs["score_difference"]) == pytest.approx(difference, abs=1e-5)
    assert float(loss.logs["gradient_penalty"]) == pytest.approx(np.mean(GOLDEN["penalty"]), 1e-4)
    generator = penalized.generator_loss({"image": REAL, **loss.reuse}, RANDOM)
    np.testing.assert_allclose(generator.value, -np.array(GOLDEN["fake_scores"]), atol=1e-5)


@pytest.mark.usefixtures("eager")
def test_all_weights_of_the_critic_are_clipped_and_no_others():
    model = models.build("wgan", **TINY)
    sizes = [max(abs(w.numpy().ravel())) for w in model.discriminator.trainable_variables]
    assert max(sizes) == pytest.approx(0.01)  # scales start at 1
    model.compile({p: keras.optimizers.SGD(10.0) for p in model.players()}, batch_size=4)
    model.train_step({"image": REAL})
    weights = [w.numpy() for w in model.discriminator.trainable_variables]
    assert max(abs(w).max() for w in weights) == pytest.approx(0.01)
    assert max(abs(w.numpy()).max() for w in model.generator.trainable_variables) > 0.5
    critic, generator = models.construct("wgan", **PENALIZED).updates()
    assert critic.clip_weights is None and generator.clip_weights is None


def test_the_generator_moves_every_fifth_step():
    model = models.construct("wgan", **TINY)
    active = [[u.name for u in model.updates() if u.is_active(step, 0)] for step in range(10)]
    four = [["discriminator"]] * 4
    assert active == [*four, ["discriminator", "generator"]] * 2


@pytest.mark.usefixtures("eager")
def test_optimizers_are_the_published_ones():
    """PyTorch's RMSprop divides by sqrt(v) + 1e-8."""
    rmsprop = trainer.optimizers(config.load("wgan"), "float32")["discriminator"]
    weight, velocity, expected = keras.Variable([0.0, 0.0]), np.zeros(2), np.zeros(2)
    for gradient in (np.array([1e-3, -3e-6]), np.array([-2e-3, 1e-6])):
        rmsprop.apply([tf.constant(gradient, tf.float32)], [weight])
        velocity = 0.99 * velocity + 0.01 * gradient**2
        expected -= 5e-5 * gradient / (velocity**0.5 + 1e-8)
    np.testing.assert_allclose(weight, expected, rtol=0.05)
    adam = trainer.optimizers(config.load("wgan_gp"), "float32")["generator"]
    assert float(adam.learning_rate) == pytest.approx(1e-4)
    assert (adam.beta_1, adam.beta_2) == (0.0, 0.9)


@pytest.mark.parametrize(
    ("arguments", "generator", "critic"),
    [
        ({}, 3_576_704, 2_765_568),
        (PENALIZED | {"image_size": 64, "width": 64}, 3_576_704, 2_765_568),
    ],
    ids=["clipped", "penalized"],
)
def test_parameters(arguments, generator, critic):
    """Layer normalization has as many weights as that of batches."""
    with tf.Graph().as_default():
        model = models.build("wgan", **arguments)
        counts = [trainer.trainable_parameters(n) for n in (model.generator, model.discriminator)]
    assert counts == [generator, critic]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_size": 48}, "image_size 48: WGAN has networks for 28, 32, 64, 128"),
        ({"width": 0}, "1 or more"),
        ({"discriminator_steps": 0}, "discriminator_steps = 0; expected 1 or more"),
        ({"clip_weights": 0.0}, "one of them bounds"),
        ({"gradient_penalty_weight": 10.0}, "set the other to 0"),
        ({"clip_weights": -0.01}, "is above 0"),
    ],
    ids=str,
)
def test_wrong_arguments(arguments, words):
    with pytest.raises(UserError, match=words):
        models.construct("wgan", **arguments).updates()
