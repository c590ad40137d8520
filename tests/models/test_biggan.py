"""BigGAN: the published networks give the recorded numbers; classes and truncation act."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.models.biggan import SelfAttention, truncated
from ganzoo.trainer import trainable_parameters
from ganzoo.weights.layouts import (
    Entry,
    convolution,
    dense,
    dense_to_maps,
    reordered,
    same,
)

from .goldens import FOLDER, assert_golden, fill, hashed, inputs, normal, parameter

GOLDEN = json.loads((FOLDER / "biggan.json").read_text())
TINY = dict(models.model_class("biggan").TINY)
LABELS = np.array([1, 4, 7, 0], np.int32)
# Orthogonal weights would take longer to make than all else.
SIZES = {"generator_width": 16, "discriminator_width": 16, "initializer": "normal"}
CIFAR = {
    "initializer": "normal",
    "image_size": 32,
    "latent_dim": 128,
    "generator_width": 64,
    "discriminator_width": 64,
    "attention": (),
}
WEIGHT = {"ajbrock": "weight", "studio": "weight_orig"}  # the name's last part
NETWORKS = {
    "c10": {**CIFAR, "shared_dim": 0, "hierarchical": False},
    "c10.shared_hier": CIFAR,
    "128ch16": SIZES,
    "deep.128ch16": {**SIZES, "architecture": "biggan_deep", "latent_dim": 128},
    "studio32ch32": {
        "architecture": "studiogan",
        "initializer": "normal",
        "image_size": 32,
        "latent_dim": 80,
        "generator_width": 32,
        "discriminator_width": 32,
        "attention": (16,),
    },
}


def formula(name, shape, transposed=False):
    """As the recorded networks were filled."""
    noise = 3.0**0.5 * (2.0 * hashed(name, shape) - 1.0)
    if name == "shared.weight":
        return noise
    if name.endswith((".gamma", ".sigma")):
        return np.full(shape, 0.7)
    if len(shape) == 1 and name.endswith(("gain", "weight")):
        return 1.0 + 0.1 * noise
    if name.endswith(("stored_var", "running_var")):
        return 1.0 + 0.5 * noise
    return parameter(name, shape, transposed)


def conditional(norm, name, moments, spectral):
    """Gain and bias are [outputs, inputs], or an embedding with a row for each class."""
    for layer, part in ((norm.gain, "gain"), (norm.bias, "bias")):
        axes = (1, 0) if spectral else (0, 1)
        yield reordered(layer.kernel, f"{name}.{part}.weight", axes)
    yield from moments_of(norm.normalize, f"{name}.{moments[0]}", *moments[1:])


def moments_of(norm, name, mean, variance):
    yield same(norm.moving_mean, f"{name}{mean}")
    yield same(norm.moving_variance, f"{name}{variance}")


def attention(layer, name, style):
    names = {
        "ajbrock": ("theta", "phi", "g", "o", "gamma"),
        "studio": ("conv1x1_theta", "conv1x1_phi", "conv1x1_g", "conv1x1_attn", "sigma"),
    }[style]
    for part, theirs in zip(
        (layer.query, layer.key, layer.value, layer.output_layer), names, strict=False
    ):
        yield from convolution(part, f"{name}.{theirs}", WEIGHT[style])
    scalar = (lambda a: a.reshape(())), (lambda a: a.reshape([1] if style == "studio" else []))
    yield Entry(layer.gamma, f"{name}.{names[-1]}", *scalar)


def ajbrock_generator(network):
    spectral = network.shared is not None
    if spectral:
        yield same(network.shared.kernel, "shared.weight")
    yield from dense_to_maps(network.stem, "linear", side=4)
    number, moments = 0, ("", "stored_mean", "stored_var")
    for stage in network.stages:
        for layer in stage:
            if isinstance(layer, SelfAttention):
                yield from attention(layer, f"blocks.{number - 1}.1", "ajbrock")
                continue
            name, number = f"blocks.{number}.0", number + 1
            for place, (norm, conv) in enumerate(zip(layer.norms, layer.convs, strict=True), 1):
                yield from conditional(norm, f"{name}.bn{place}", moments, spectral)
                yield from convolution(conv, f"{name}.conv{place}")
            if layer.shortcut:
                yield from convolution(layer.shortcut, f"{name}.conv_sc")
    yield same(network.norm.gamma, "output_layer.0.gain")
    yield same(network.norm.beta, "output_layer.0.bias")
    yield from moments_of(network.norm, "output_layer.0.", "stored_mean", "stored_var")
    yield from convolution(network.to_image, "output_layer.2")


def ajbrock_discriminator(network):
    """Deep stages have two blocks, numbered inside."""
    stage, place = -1, 0
    if network.stem:
        yield from convolution(network.stem, "input_conv")
    for layer in network.blocks:
        if isinstance(layer, SelfAttention):
            yield from attention(layer, f"blocks.{stage}.{place}", "ajbrock")
            continue
        again = network.stem and place == 1
        stage, place = (stage, 2) if again else (stage + 1, 1)
        name = f"blocks.{stage}.{place - 1}"
        for number, conv in enumerate(layer.convs, 1):
            yield from convolution(conv, f"{name}.conv{number}")
        if layer.shortcut:
            yield from convolution(layer.shortcut, f"{name}.conv_sc")
    yield from dense(network.to_logit, "linear")
    yield same(network.embed.kernel, "embed.weight")


def studio_dense(layer, name):
    kernel, *bias = dense(layer, name)
    return [reordered(layer.kernel, f"{kernel.name}_orig", (1, 0)), *bias]


def studio_generator(network):
    yield same(network.shared.kernel, "shared.weight")
    stem, bias = dense_to_maps(network.stem, "linear0", side=4)
    yield Entry(stem.variable, "linear0.weight_orig", stem.to_ours, stem.to_theirs)
    yield bias
    number, moments = 0, (".bn.", "running_mean", "running_var")
    for stage in network.stages:
        for layer in stage:
            name, number = f"blocks.{number}.0", number + 1
            if isinstance(layer, SelfAttention):
                yield from attention(layer, name, "studio")
                continue
            yield from convolution(layer.shortcut, f"{name}.conv2d0", "weight_orig")
            for place, (norm, conv) in enumerate(zip(layer.norms, layer.convs, strict=True), 1):
                for entry in conditional(norm, f"{name}.bn{place}", ("bn.", *moments[1:]), True):
                    suffix = "_orig" if entry.name.endswith("weight") else ""
                    yield Entry(entry.variable, entry.name + suffix, entry.to_ours, entry.to_theirs)
                yield from convolution(conv, f"{name}.conv2d{place}", "weight_orig")
    yield same(network.norm.gamma, "bn4.weight")
    yield same(network.norm.beta, "bn4.bias")
    yield from moments_of(network.norm, "bn4.", "running_mean", "running_var")
    yield from convolution(network.to_image, "conv2d5", "weight_orig")


def studio_discriminator(network):
    for number, layer in enumerate(network.blocks):
        name = f"blocks.{number}.0"
        if isinstance(layer, SelfAttention):
            yield from attention(layer, name, "studio")
            continue
        if layer.shortcut:
            yield from convolution(layer.shortcut, f"{name}.conv2d0", "weight_orig")
        for place, conv in enumerate(layer.convs, 1):
            yield from convolution(conv, f"{name}.conv2d{place}", "weight_orig")
    yield from studio_dense(network.to_logit, "linear1")
    yield same(network.embed.kernel, "embedding.weight_orig")


def filled(network, layout):
    """With exact spectral norms."""
    fill(layout(network), formula)
    for layer in network._flatten_layers():
        if hasattr(layer, "u"):
            matrix = np.reshape(layer.kernel, (-1, layer.kernel.shape[-1])).astype(np.float64)
            left, *_ = np.linalg.svd(matrix, full_matrices=False)
            layer.u.assign(left[:, :1])
    return network


LARGE = ("c10", "c10.shared_hier", "deep.128ch16")


@pytest.fixture(
    params=[
        pytest.param(name, marks=[pytest.mark.slow] if name in LARGE else []) for name in NETWORKS
    ]
)
def published(request):
    return request.param, models.build("biggan", **NETWORKS[request.param])


def test_generators(published):
    name, model = published
    layout = studio_generator if name.startswith("studio") else ajbrock_generator
    network = filled(model.generator, layout)
    known = [key for key in GOLDEN if re.fullmatch(rf"{re.escape(name)}\.G\.(train|eval)", key)]
    assert known
    latents = normal("z", (4, model.latent_dim))
    for key in sorted(known):  # "eval" first: training moves the averages
        drawn = network(latents, LABELS, training=key.endswith("train"))
        assert_golden("biggan", key, np.transpose(drawn, (0, 3, 1, 2)))


def test_discriminators(published):
    name, model = published
    key = f"{name}.D"
    if key not in GOLDEN:
        pytest.skip("not recorded")
    layout = studio_discriminator if name.startswith("studio") else ajbrock_discriminator
    network = filled(model.discriminator, layout)
    size = model.image_size
    images = inputs((4, 3, size, size)).transpose(0, 2, 3, 1).astype(np.float32)
    logits = np.reshape(network(images, LABELS), GOLDEN[key]["shape"])
    assert_golden("biggan", key, logits)


def test_attention():
    layer = SelfAttention(32, lambda: "zeros")
    features = normal("attention", (2, 32, 8, 8)).transpose(0, 2, 3, 1)
    layer(features)
    fill(attention(layer, "blocks.3.1", "ajbrock"), formula)
    for part in (layer.query, layer.key, layer.value, layer.output_layer):
        matrix = np.reshape(part.kernel, (-1, part.kernel.shape[-1]))
        part.u.assign(np.linalg.svd(matrix, full_matrices=False)[0][:, :1])
    assert_golden("biggan", "attention", np.transpose(layer(features), (0, 3, 1, 2)))


@pytest.mark.parametrize(
    ("arguments", "generator", "discriminator"),
    [
        ({**NETWORKS["c10"], "num_classes": 10}, 4_304_387, 4_207_361),
        ({"num_classes": 1000}, 70_433_988, 87_982_370),
        pytest.param(
            {**NETWORKS["c10"], "num_classes": 100}, 4_580_867, 4_230_401, marks=pytest.mark.slow
        ),
        pytest.param(
            {"num_classes": 1000, "generator_width": 64, "discriminator_width": 64},
            31_978_628,
            39_448_258,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {"num_classes": 1000, "image_size": 256, "latent_dim": 140},
            82_235_844,
            99_225_890,
            marks=pytest.mark.slow,
        ),
        pytest.param(
            {
                "num_classes": 1000,
                "architecture": "biggan_deep",
                "latent_dim": 128,
                "generator_width": 128,
                "discriminator_width": 128,
            },
            50_244_484,
            34_590_210,
            marks=pytest.mark.slow,
        ),
        (
            {**NETWORKS["studio32ch32"], "generator_width": 96, "discriminator_width": 96},
            9_416_196,
            2_415_170,
        ),
    ],
)
def test_parameters(arguments, generator, discriminator):
    with tf.Graph().as_default():
        model = models.build("biggan", **{"initializer": "normal", **arguments})
        counts = [trainable_parameters(n) for n in (model.generator, model.discriminator)]
    assert counts == [generator, discriminator]


@pytest.mark.usefixtures("eager")
def test_classes_and_truncation_act():
    model = models.build("biggan", **TINY, num_classes=3)
    pair = model.decode(np.repeat(model.latents_of([1]), 2, axis=0), [0, 2])
    assert np.abs(pair[0] - pair[1]).max() > 1e-4
    whole, some = (model.generate(2, seed=1, label=0, truncation=t) for t in (0.0, 0.5))
    assert np.abs(whole - some).max() > 1e-4
    with pytest.raises(UserError, match="expected 0 for no limit"):
        model.generate(1, truncation=-1.0)


def test_truncated_latents_have_the_truncated_distribution():
    latents = np.random.default_rng(0).standard_normal([100_000, 1]).astype(np.float32)
    near = np.asarray(truncated(latents, 0.8))
    expected = latents[np.abs(latents) < 0.8]
    assert np.abs(near).max() <= 0.8
    quantiles = np.linspace(0.02, 0.98, 25)
    np.testing.assert_allclose(
        np.quantile(near, quantiles), np.quantile(expected, quantiles), atol=0.01
    )
    order = np.argsort(latents[:1000, 0])
    assert (np.diff(near[:1000, 0][order]) >= 0).all()
    extreme = np.asarray(truncated(np.array([[-9.0, 9.0]], np.float32), 2.0))
    np.testing.assert_allclose(extreme, [[-2.0, 2.0]], atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_size": 48}, "biggan has networks for 32, 64, 128, 256 pixels"),
        ({"architecture": "studiogan"}, "studiogan has networks for 32 pixels"),
        ({"num_classes": 1}, "2 or more classes"),
        ({"latent_dim": 3}, "latent_dim = 3"),
        ({"architecture": "biggan_deep", "shared_dim": 0}, "set shared_dim above 0"),
        ({"initializer": "xavier"}, "Unknown initializer"),
    ],
)
def test_what_cannot_be_made_is_refused(arguments, message):
    with pytest.raises(UserError, match=message):
        models.construct("biggan", **arguments)
