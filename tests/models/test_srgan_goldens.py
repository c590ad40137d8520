"""SRGAN's networks give the numbers that Lornatang/SRGAN-PyTorch's give with the same weights."""

import numpy as np
import pytest

from ganzoo import models
from ganzoo.layers import PaddedConv2D

from .goldens import (
    assert_golden,
    fill_convolution,
    fill_linear,
    fill_norm,
    inputs,
    parameter,
)


@pytest.fixture(scope="module")
def model():
    model = models.build("srgan", content_loss="mse")
    fill_generator(model.generator)
    fill_discriminator(model.discriminator)
    return model


def fill_generator(network):
    """Its PReLUs have one slope for all channels, 0.25; so have ours at the start."""
    fill_convolution(network.head[0], "conv1.0")
    for index, block in enumerate(network.blocks):
        conv1, norm1, _, conv2, norm2 = block.branch.layers
        fill_convolution(conv1, f"trunk.{index}.rcb.0")
        fill_norm(norm1, f"trunk.{index}.rcb.1")
        fill_convolution(conv2, f"trunk.{index}.rcb.3")
        fill_norm(norm2, f"trunk.{index}.rcb.4")
    fill_convolution(network.tail[0], "conv2.0")
    fill_norm(network.tail[1], "conv2.1")
    for index, expand in enumerate(network.expansions):
        fill_convolution(expand, f"upsampling.{index}.upsample_block.0")
    fill_convolution(network.to_image, "conv3")


def fill_discriminator(network):
    for index, layer in enumerate(network.layers[:-4]):
        if isinstance(layer, PaddedConv2D):
            fill_convolution(layer, f"features.{index}")
        elif layer.weights:
            fill_norm(layer, f"features.{index}")
    hidden, _, last = network.layers[-3:]
    # PyTorch flattens [channel, row, column], ours is [row, column, channel].
    weight = parameter("classifier.0.weight", (1024, 512 * 6 * 6)).reshape(1024, 512, 6, 6)
    hidden.kernel.assign(weight.transpose(2, 3, 1, 0).reshape(-1, 1024))
    hidden.bias.assign(parameter("classifier.0.bias", (1024,)))
    fill_linear(last, "classifier.2")


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_generator(model, mode):
    unit = (inputs((1, 3, 24, 24)) + 1.0) / 2.0  # what is recorded was made from [0, 1]
    small = (2.0 * unit - 1.0).transpose(0, 2, 3, 1).astype(np.float32)
    images = model.generator(small, training=mode == "train")
    assert_golden("srgan", f"G.{mode}.preclamp", np.transpose(images, (0, 3, 1, 2)))
    fill_generator(model.generator)  # the moving averages have moved


def test_discriminator(model):
    images = inputs((1, 3, 96, 96)).transpose(0, 2, 3, 1).astype(np.float32)
    assert_golden("srgan", "D.eval", model.discriminator(images))
