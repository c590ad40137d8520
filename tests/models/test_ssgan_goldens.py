"""SSGAN's networks give the numbers that kwotsin/mimicry's give with the same weights."""

import numpy as np
import pytest

from ganzoo import models
from ganzoo.programs import mimicry
from tests.weights.layouts import mimicry_discriminator

from .goldens import assert_golden, converge, fill, hashed, inputs


def test_the_formula():
    np.testing.assert_allclose(hashed("input", 2), [0.04398329, 0.10627623], atol=1e-8)
    expected = [0.68750239, 0.31886913, 0.87264269]
    np.testing.assert_allclose(hashed("model.1.weight", 3), expected, atol=1e-8)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_generator(mode):
    generator = models.build("ssgan", architecture="mimicry", discriminator_width=8).generator
    fill(mimicry.generator(generator))
    images = generator(inputs((4, 128)).astype(np.float32), training=mode == "train")
    assert_golden("ssgan", f"mimicry.G32.{mode}", np.transpose(images, (0, 3, 1, 2)))


@pytest.mark.parametrize("architecture", ["mimicry", "sngan"])
def test_discriminator(architecture):
    model = models.build("ssgan", architecture=architecture, generator_width=8)
    fill(mimicry_discriminator(model.discriminator))
    converge(model.discriminator)
    images = inputs((4, 3, 32, 32)).transpose(0, 2, 3, 1).astype(np.float32)
    logits, rotations = model.discriminator(images)
    assert_golden("ssgan", f"{architecture}.D32.logit", logits)
    assert_golden("ssgan", f"{architecture}.D32.rot", rotations)
