"""StyleGAN2's networks and training steps give the numbers that PyTorch gives with the same
weights."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.programs import stylegan2_ada_pytorch as layouts
from ganzoo.seeds import Random

from .goldens import FOLDER, assert_golden, fill, hashed, inputs, stylegan_parameter

SMALL = {"image_size": 16, "channel_base": 256, "channel_max": 24, "latent_dim": 32}
SMALL |= {"style_dim": 32, "mapping_layers": 2}
CONVOLUTIONS = ["conv4_1", "conv8_0", "conv8_1", "conv16_0", "conv16_1"]


def filled(**arguments):
    model = models.build("stylegan2_ada", **arguments)
    fill(layouts.generator(model.generator), stylegan_parameter)
    fill(layouts.discriminator(model.discriminator), stylegan_parameter)
    return model


def noise(name, shape):
    """With unit variance, laid out as PyTorch has it."""
    if len(shape) != 4:
        return 3.0**0.5 * (2.0 * hashed(name, tuple(shape)) - 1.0)
    count, height, width, channels = shape
    return noise_maps(name, (count, channels, height, width)).transpose(0, 2, 3, 1)


def noise_maps(name, shape):
    return 3.0**0.5 * (2.0 * hashed(name, shape) - 1.0)


class Recorded(Random):
    """The random numbers of the recorded run."""

    def normal(self, stream, shape):
        name = stream
        if stream.startswith("noise/"):
            name = f"noise{CONVOLUTIONS.index(stream.removeprefix('noise/'))}"
        elif stream == "latents":
            name = f"latents.{PHASES[self.scope]}"
        elif stream == "mixed_latents":
            name = "mixed"
        elif stream == "path_length":
            name = "path"
        return tf.constant(noise(name, shape), tf.float32)

    def uniform(self, stream, shape, low=0.0, high=1.0):
        assert stream == "mixing"
        return tf.fill(shape, 0.5)

    def integers(self, stream, shape, high):
        return tf.fill(shape, {"cutoff": 2, "labels": 0}[stream])


PHASES = {
    "update/generator/": "Gmain",
    "update/path_length/": "Greg",
    "update/discriminator/": "Dmain",
    "update/r1/": "Dreg",
}


def channels_first(images):
    return np.transpose(images, (0, 3, 1, 2))


def latents(shape):
    return tf.constant(3.0**0.5 * inputs(shape), tf.float32)


def images(size):
    return tf.constant(inputs((8, 3, size, size)).transpose(0, 2, 3, 1), tf.float32)


@pytest.mark.parametrize("mode", ["const", "none", "random"])
@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_synthesis(architecture, mode):
    model = filled(**SMALL, generator_architecture=architecture)
    result = model.generator(latents((4, 32)), mode=mode, random=Recorded(0, 0))
    assert_golden("stylegan2_ada", f"G.{architecture}.{mode}", channels_first(result))


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_discriminator(architecture):
    model = filled(**SMALL, discriminator_architecture=architecture)
    assert_golden("stylegan2_ada", f"D.{architecture}", model.discriminator(images(16)))


def test_mapping_of_labels_and_truncation():
    generator = filled(**SMALL, num_classes=5).generator
    style = generator.mapping(latents((4, 32)), np.arange(4))
    assert_golden("stylegan2_ada", "mapping.labels", style)
    truncated = generator.truncated(style, truncation=0.7, cutoff=3)
    assert_golden("stylegan2_ada", "mapping.truncated", truncated)


@pytest.mark.parametrize("layers", [0, 8])
def test_discriminator_of_labels(layers):
    model = filled(**SMALL, num_classes=5, discriminator_mapping_layers=layers)
    logits = model.discriminator(images(16), np.array([0, 1, 2, 3, 4, 0, 1, 2]))
    assert_golden("stylegan2_ada", f"D.labels.{layers}", logits)


OFFICIAL = {
    "auto32": {"image_size": 32, "channel_base": 16384, "mapping_layers": 2},
    "cifar_cond": {
        "image_size": 32,
        "channel_base": 16384,
        "mapping_layers": 2,
        "num_classes": 10,
        "discriminator_architecture": "orig",
        "minibatch_stddev_group": 32,
    },
    "paper256": {"image_size": 256, "channel_base": 16384, "minibatch_stddev_group": 8},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_sizes(name):
    model = filled(**OFFICIAL[name])
    labels = np.arange(8) if model.num_classes else None
    z = latents((4, 512))
    style = model.generator.mapping(z, labels if labels is None else labels[:4])
    assert_golden("stylegan2_ada", f"{name}.mapping.w", style)
    truncated = model.generator.truncated(style, 0.7, 4)
    assert_golden("stylegan2_ada", f"{name}.mapping.w.psi0.7.cut4", truncated)
    styles = model.generator.truncated(style)
    for mode, key in (("const", "const"), ("none", "nonoise")):
        result = model.generator.synthesis(styles, mode=mode)
        assert_golden("stylegan2_ada", f"{name}.G.{key}", channels_first(result))
    logits = model.discriminator(images(model.image_size), labels)
    assert_golden("stylegan2_ada", f"{name}.D", logits)


@pytest.mark.slow
def test_training_steps(monkeypatch):
    """Every loss, gradient and optimizer step of the four phases, twice."""
    golden = json.loads((FOLDER / "stylegan2_ada.json").read_text())
    monkeypatch.setattr("ganzoo.engine.Random", Recorded)
    model = filled(**SMALL, r1_gamma=3.0)
    rates = {"generator": (0.0025, 4 / 5), "discriminator": (0.0025, 16 / 17)}
    optimizers = {
        player: keras.optimizers.Adam(rate * lazy, beta_1=0.0, beta_2=0.99**lazy, epsilon=1e-8)
        for player, (rate, lazy) in rates.items()
    }
    model.compile(optimizers, batch_size=8)
    batch = {"image": images(16), "label": tf.zeros([8], tf.int32)}
    # Adam's first step is the sign of a gradient, which rounding may flip where it is near 0.
    for expected, tolerance in zip(golden["steps"], [1e-4, 2e-3], strict=True):
        logs = model.train_step(dict(batch))
        logs["r1/penalty"] *= 2.0  # recorded before it was halved
        recorded = {name: float(logs[name]) for name in expected}
        assert recorded == pytest.approx(expected, rel=tolerance)
    assert float(model.mean_length) == pytest.approx(golden["mean_length"], rel=1e-4)
    assert_golden("stylegan2_ada", "w_avg", model.generator.mean_style)


@pytest.mark.slow
def test_every_layer_is_filled():
    """So that no weight of ours is at its random start while numbers are compared."""
    first, second = filled(**SMALL, num_classes=5), filled(**SMALL, num_classes=5)
    for network in ("generator", "discriminator"):
        pairs = zip(
            getattr(first, network).variables, getattr(second, network).variables, strict=True
        )
        for left, right in pairs:
            np.testing.assert_array_equal(left, right, err_msg=left.path)
