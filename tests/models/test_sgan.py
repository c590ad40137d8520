"""SGAN: networks and losses give the published numbers, and labels are few."""

import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.models.sgan import LOSSES, feature_matching
from ganzoo.seeds import Random
from ganzoo.trainer import trainable_parameters
from ganzoo.weights.layouts import reordered, same

from .goldens import FOLDER, assert_golden, fill, hashed, inputs, normal

GOLDEN = json.loads((FOLDER / "sgan.json").read_text())
TINY = dict(models.model_class("sgan").TINY)
MNIST = {"image_size": 28, "channels": 1, "architecture": "dense", "loss": "feature_matching_l2"}


def weight_norm(layer, name, scale):
    axes = (2, 3, 1, 0) if len(layer.direction.shape) == 4 else (1, 0)
    yield reordered(layer.direction, f"{name}.weight", axes)
    yield same(layer.bias, f"{name}.bias")
    layer.scale.assign(1.0 + 0.1 * normal(scale, layer.scale.shape))


def discriminator(network):
    dense = network.is_dense
    for index, layer in enumerate(network.hidden):
        name = f"{'dense' if dense else 'conv'}.{index}"
        yield from weight_norm(layer, name, f"{name}.{'weight_scale' if dense else 'g'}")
    yield from weight_norm(network.to_classes, "out", "out.weight_scale" if dense else "out_g.g")


def generator(network):
    first, norm1, _, second, norm2, _ = network.stack.layers
    for number, (layer, norm) in enumerate([(first, norm1), (second, norm2)], start=1):
        yield reordered(layer.kernel, f"fc{number}.weight", (1, 0))
        yield same(norm.beta, f"beta{number}")
    yield from weight_norm(network.to_image, "out", "out_scale.g")


@pytest.mark.usefixtures("eager")
def test_dense_networks():
    model = models.build("sgan", **MNIST)
    fill(discriminator(model.discriminator))
    fill(generator(model.generator))
    images = 2.0 * hashed("input", (4, 784)).reshape(4, 28, 28, 1) - 1.0
    logits, features = model.discriminator(images.astype(np.float32))
    assert_golden("sgan", "mnist.D.logits", logits)
    assert_golden("sgan", "mnist.D.features", features)
    # Latents between 0 and 1 and between -1 and 1 make the same images, by normalization.
    for latents in (hashed("z", (4, 100)), 2.0 * hashed("z", (4, 100)) - 1.0):
        drawn = model.generator(latents.astype(np.float32), training=True)
        assert_golden("sgan", "mnist.G", (np.reshape(drawn, (4, 784)) + 1.0) / 2.0)


@pytest.mark.usefixtures("eager")
def test_convolutional_discriminator():
    model = models.build("sgan")
    fill(discriminator(model.discriminator))
    images = inputs((4, 3, 32, 32)).transpose(0, 2, 3, 1).astype(np.float32)
    assert_golden("sgan", "cifar.D.logits", model.discriminator(images)[0])


@pytest.mark.parametrize(
    ("arguments", "fixed", "expected"),
    [
        (MNIST, 2250, (694_568, 1_541_020)),
        ({}, 1440, (None, 1_408_244)),
        ({"discriminator_width": 128}, 960, (None, 627_540)),
    ],
)
def test_parameters(arguments, fixed, expected):
    """The scales of all but the last layer are fixed."""
    with tf.Graph().as_default():
        model = models.build("sgan", **arguments)
        counts = [trainable_parameters(n) for n in (model.generator, model.discriminator)]
    assert counts[1] == expected[1] - fixed
    assert expected[0] in (counts[0], None)


LABELED, REAL, FAKE = (
    2.0 * normal(name, (8, 10)) for name in ("real_classes", "unlabeled_classes", "fake_classes")
)
LABELS = (3 * np.arange(8, dtype=np.int32) + 1) % 10


def terms_of(real=REAL, fake=FAKE, **arguments):
    model = models.construct("sgan", **(TINY | arguments))
    terms = model.discriminator_terms(LABELED, LABELS, real, fake)
    return {name: float(np.mean(term)) for name, term in terms.items()}


@pytest.mark.usefixtures("eager")
def test_losses_of_the_discriminator():
    terms = terms_of()
    assert terms["labeled"] == pytest.approx(GOLDEN["loss_labeled"])
    assert terms["unlabeled"] == pytest.approx(GOLDEN["loss_unlabeled"])
    assert terms_of(unlabeled_weight=0.0) == {**terms, "unlabeled": 0.0}
    # Images that are certainly real cost nothing.
    odena = terms_of(real=REAL + 50.0, loss="odena")
    assert sum(odena.values()) == pytest.approx(GOLDEN["odena"])
    # At logits of 0, K = 10; and no exponential overflows.
    zeros = np.zeros((8, 10), np.float32)
    assert terms_of(zeros, zeros)["unlabeled"] == pytest.approx(1.246603, abs=1e-6)
    assert np.isfinite(terms_of(zeros + 200.0, zeros + 200.0)["unlabeled"])


@pytest.mark.usefixtures("eager")
def test_features_are_matched():
    features = [normal(name, (8, 250)) for name in ("real_features", "fake_features")]
    for key in ("l1", "l2"):
        value = feature_matching(LOSSES[f"feature_matching_{key}"], *features)
        assert value.shape == (8,)
        np.testing.assert_allclose(value, GOLDEN[f"feature_matching.{key}"], rtol=1e-5)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "architecture", ["dense", pytest.param("convolutional", marks=pytest.mark.slow)]
)
def test_weights_are_initialized_by_data(architecture):
    """The last layers of both networks, and with them all before."""
    arguments = TINY | {"image_size": 32, "architecture": architecture}
    model = models.build("sgan", **arguments, ema_half_life_images=100)
    model.seed = 0
    images = np.float32(2.0 * hashed("images", (500, 32, 32, 3)) - 1.0)
    before = [np.asarray(v) for v in model.discriminator.trainable_variables]
    model.initialize(lambda count: {"unlabeled": images[:count]})
    logits, _ = model.discriminator(images, random=Random(0, 0, scope="initialize/"))
    deviation = 1.0 if architecture == "dense" else 0.1
    np.testing.assert_allclose(np.std(logits, axis=0), deviation, rtol=0.01)
    np.testing.assert_allclose(np.mean(logits, axis=0), 0.0, atol=0.01 * deviation)
    for network in (model.discriminator, model.averaged_discriminator):
        assert any((a != b).any() for a, b in zip(before, network.trainable_variables, strict=True))
    np.testing.assert_array_equal(
        logits, model.averaged_discriminator(images, random=Random(0, 0, scope="initialize/"))[0]
    )
    if architecture == "convolutional":
        drawn = np.arctanh(model.generator(model.draw_latents(Random(1, 0), 500), training=True))
        assert 0.05 < drawn.std() < 0.2


@pytest.mark.usefixtures("eager")
def test_what_it_cannot_be_is_refused():
    for wrong, words in (
        ({"image_size": 64}, "convolutional has networks for 32 pixels"),
        ({"image_size": 64, "architecture": "dense"}, "dense has networks for 28, 32 pixels"),
        ({"num_classes": 1}, "num_classes = 1: expected 2 or more"),
        ({"loss": "hinge"}, "feature_matching_l1"),
    ):
        with pytest.raises(UserError, match=words):
            models.construct("sgan", **wrong)
