"""SSGAN's networks give the numbers that kwotsin/mimicry's give with the same weights."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.layers import power_iteration

from .goldens import (
    assert_golden,
    fill_convolution,
    fill_linear,
    fill_norm,
    hashed,
    inputs,
    parameter,
)


def fill_stem(layer, name, side):
    """PyTorch's outputs are ordered [channel, row, column], ours [row, column, channel]."""
    before, after = layer.kernel.shape
    shape = (after // side**2, side, side)
    weight = parameter(f"{name}.weight", (after, before)).reshape(*shape, before)
    layer.kernel.assign(weight.transpose(3, 1, 2, 0).reshape(before, after))
    bias = parameter(f"{name}.bias", (after,)).reshape(shape)
    layer.bias.assign(bias.transpose(1, 2, 0).ravel())


def fill_generator(network):
    fill_stem(network.stem, "l1", network.bottom)
    for number, block in enumerate(network.blocks, start=2):
        fill_convolution(block.conv1, f"block{number}.c1")
        fill_convolution(block.conv2, f"block{number}.c2")
        fill_convolution(block.shortcut, f"block{number}.c_sc")
        fill_norm(block.norm1, f"block{number}.b1")
        fill_norm(block.norm2, f"block{number}.b2")
    fill_norm(network.norm, "b5")
    fill_convolution(network.to_image, "c5")


def fill_discriminator(network):
    for number, block in enumerate(network.blocks, start=1):
        fill_convolution(block.conv1, f"block{number}.c1", "weight_orig")
        fill_convolution(block.conv2, f"block{number}.c2", "weight_orig")
        if block.shortcut:
            fill_convolution(block.shortcut, f"block{number}.c_sc", "weight_orig")
    fill_linear(network.to_logit, "l5")
    fill_linear(network.to_rotation, "l_y")
    converge(network)


@tf.function
def converge(network):
    for _ in tf.range(1000):
        power_iteration(network)


def test_the_formula():
    np.testing.assert_allclose(hashed("input", 2), [0.04398329, 0.10627623], atol=1e-8)
    expected = [0.68750239, 0.31886913, 0.87264269]
    np.testing.assert_allclose(hashed("model.1.weight", 3), expected, atol=1e-8)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_generator(mode):
    generator = models.build("ssgan", architecture="mimicry", discriminator_width=8).generator
    fill_generator(generator)
    images = generator(inputs((4, 128)).astype(np.float32), training=mode == "train")
    assert_golden("ssgan", f"mimicry.G32.{mode}", np.transpose(images, (0, 3, 1, 2)))


@pytest.mark.parametrize("architecture", ["mimicry", "sngan"])
def test_discriminator(architecture):
    model = models.build("ssgan", architecture=architecture, generator_width=8)
    fill_discriminator(model.discriminator)
    images = inputs((4, 3, 32, 32)).transpose(0, 2, 3, 1).astype(np.float32)
    logits, rotations = model.discriminator(images)
    assert_golden("ssgan", f"{architecture}.D32.logit", logits)
    assert_golden("ssgan", f"{architecture}.D32.rot", rotations)
