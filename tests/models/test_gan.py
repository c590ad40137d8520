"""The first GAN: networks and losses give the published numbers."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import config, models
from ganzoo.errors import UserError
from ganzoo.schedules import value_at
from ganzoo.seeds import Random
from ganzoo.trainer import trainable_parameters
from ganzoo.weights.layouts import dense, normalization

from .goldens import FOLDER, assert_golden, fill, hashed

GOLDEN = json.loads((FOLDER / "gan.json").read_text())
TINY = dict(models.model_class("gan").TINY)
PIXELS = hashed("input", (4, 28, 28, 1)).astype(np.float32)
REAL, FAKE, LATENTS = (
    (3.0**0.5 * (2.0 * hashed(name, shape) - 1.0)).astype(np.float32)
    for name, shape in (("real_logits", 8), ("fake_logits", 8), ("z", (4, 100)))
)
# Names of the layers in the published codes.
GENERATORS = {
    "paper": ["h0", "h1", "y"],
    "pytorch_gan": [f"model.{index}" for index in (0, 2, 3, 5, 6, 8, 9, 11)],
}
DISCRIMINATORS = {"paper": ["h0", "h1", "y"], "pytorch_gan": ["model.0", "model.2", "model.4"]}


def entries(layers, names):
    for layer, name in zip(layers, names, strict=True):
        yield from (normalization if hasattr(layer, "gamma") else dense)(layer, name)


def filled(architecture):
    model = models.build("gan", architecture=architecture)
    generator = [layer for layer in model.generator.layers if layer.weights]
    fill(entries(generator, GENERATORS[architecture]))
    discriminator = (*model.discriminator.hidden, model.discriminator.to_logit)
    fill(entries(discriminator, DISCRIMINATORS[architecture]))
    return model


def test_networks_of_the_authors():
    """Theirs has pixels in [0, 1], and latents of unit variance."""
    model = filled("paper")
    images = model.generator(LATENTS / 3.0**0.5)
    assert_golden("gan", "paper.G", np.reshape((images + 1.0) / 2.0, (4, -1)))
    assert_golden("gan", "paper.D", model.discriminator(2.0 * PIXELS - 1.0))


def test_networks_of_pytorch_gan():
    model = filled("pytorch_gan")
    for mode in ("train", "eval"):
        images = model.generator(LATENTS, training=mode == "train")
        assert_golden("gan", f"pytorch_gan.G.{mode}", np.transpose(images, (0, 3, 1, 2)))
        fill(entries([x for x in model.generator.layers if x.weights], GENERATORS["pytorch_gan"]))
    assert_golden("gan", "pytorch_gan.D", model.discriminator(2.0 * PIXELS - 1.0))


@pytest.mark.parametrize(
    ("architecture", "generator", "discriminator"),
    [("paper", 2_503_984, 1_231_441), ("pytorch_gan", 1_510_032, 533_505)],
)
def test_parameters(architecture, generator, discriminator):
    with tf.Graph().as_default():
        model = models.build("gan", architecture=architecture)
        counts = [trainable_parameters(n) for n in (model.generator, model.discriminator)]
    assert counts == [generator, discriminator]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("loss", ["non_saturating", "saturating"])
def test_losses(loss, monkeypatch):
    """Of known logits; half of the published value for the discriminator, as in both codes."""
    model = models.build("gan", **TINY, loss=loss)
    logits = iter(2.0 * x[:, None] for x in (REAL, FAKE, FAKE))
    monkeypatch.setattr(model.discriminator, "call", lambda images, **_: tf.constant(next(logits)))
    batch = {"image": tf.zeros([8, 28, 28, 1])}
    discriminator = model.discriminator_loss(batch, Random(0, 0))
    generator = model.generator_loss(batch | discriminator.reuse, Random(0, 0))
    assert np.mean(discriminator.value) == pytest.approx(GOLDEN["loss.nonsaturating.D"] / 2)
    name = {"non_saturating": "nonsaturating"}.get(loss, loss)
    assert np.mean(generator.value) == pytest.approx(GOLDEN[f"loss.{name}.G"])


@pytest.mark.usefixtures("eager")
def test_both_players_drop_the_same_units_of_generated_images(monkeypatch):
    """And others of real ones; none in inference."""
    model, seen = models.build("gan", **TINY), []
    call = model.discriminator.call

    def watch(images, **kwargs):
        seen.append(call(tf.zeros_like(images), **kwargs))
        return seen[-1]

    monkeypatch.setattr(model.discriminator, "call", watch)
    batch = {"image": tf.zeros([8, 28, 28, 1])}
    loss = model.discriminator_loss(batch, Random(0, 3, scope="update/discriminator/"))
    model.generator_loss(batch | loss.reuse, Random(0, 3, scope="update/generator/"))
    real, fake, again = seen
    np.testing.assert_array_equal(fake, again)
    assert np.abs(real - fake).max() > 0
    assert np.ptp(model.discriminator(batch["image"])) < 1e-3 * np.ptp(real)


def test_the_schedules_of_the_authors():
    """After each batch of 100 the rate is divided; the momentum rises from epoch 1 to 250."""
    sgd = config.load("gan").optimizers.generator
    for batches in (1, 500, 125_000, 2_000_000):
        rate = value_at(sgd.learning_rate, 100 * batches)
        assert rate == pytest.approx(0.1 / 1.000004**batches, rel=1e-6)
    assert value_at(sgd.learning_rate, 10**9) == 1e-6
    assert [value_at(sgd.momentum, 50_000 * epoch) for epoch in (1, 250)] == [0.5, 0.7]


@pytest.mark.parametrize("architecture", ["paper", "pytorch_gan"])
def test_images_of_any_size(architecture):
    model = models.build("gan", architecture=architecture, image_size=20, channels=3, width=32)
    assert model.generate(2).shape == (2, 20, 20, 3)
    latents = np.asarray(model.draw_latents(Random(0, 0), 1000))
    assert (np.abs(latents).max() < 1.0) == (architecture == "paper")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"width": 0}, "1 or more"), ({"architecture": "papers"}, "Did you mean paper")],
)
def test_wrong_arguments(arguments, words):
    with pytest.raises(UserError, match=words):
        models.construct("gan", **arguments)
