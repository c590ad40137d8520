"""CycleGAN's networks and losses give the numbers of the authors' PyTorch code."""

import json

import numpy as np
import pytest

from ganzoo import models
from ganzoo.models.cyclegan import (
    UNetGenerator,
    patch_discriminator,
    pixel_discriminator,
    resnet_generator,
)
from ganzoo.programs import cyclegan_pytorch as layouts

from .goldens import FOLDER, assert_golden, fill, hashed


def images(size, name="input"):
    nchw = 2.0 * hashed(name, (1, 3, size, size)) - 1.0
    return nchw.transpose(0, 2, 3, 1).astype(np.float32)


def nchw(outputs):
    return np.transpose(outputs, (0, 3, 1, 2))


@pytest.mark.parametrize("num_blocks", [6, 9])
def test_resnet(num_blocks):
    network = resnet_generator(3, 64, num_blocks, "generator")
    network.build((None, None, None, 3))
    fill(layouts.resnet(network))
    assert_golden("cyclegan", f"G.resnet_{num_blocks}blocks", nchw(network(images(64))))


@pytest.mark.slow
def test_unet():
    network = UNetGenerator(3, 64, 7)
    network.build((None, None, None, 3))
    fill(layouts.unet(network, prefix=""))  # recorded without its first "model."
    assert_golden("cyclegan", "G.unet_128", nchw(network(images(128))))


@pytest.mark.slow
def test_batch_normalization():
    residual = resnet_generator(3, 64, 6, "generator", "batch")
    unet = UNetGenerator(3, 64, 7, "batch")
    judge = patch_discriminator(64, 3, "discriminator", "batch")
    for key, network, layout, size in (
        ("G.resnet_6blocks", residual, layouts.generator, 64),
        ("G.unet_128", unet, layouts.generator, 128),
        ("D.basic", judge, layouts.discriminator, 128),
    ):
        network.build((None, None, None, 3))
        fill(layout(network))
        assert_golden("cyclegan", f"{key}.batch.eval", nchw(network(images(size))))


def test_statistics_of_each_image():
    """Alike for one image, whatever was averaged in training."""
    batch, image = (UNetGenerator(3, 8, 5, name) for name in ("batch", "image"))
    for network in (batch, image):
        network.build((None, None, None, 3))
        fill(layouts.generator(network))
    np.testing.assert_allclose(batch(images(64), training=True), image(images(64)), atol=1e-4)


@pytest.mark.parametrize(
    "key, network, size",
    [
        ("D.basic", patch_discriminator(64, 3, "discriminator"), 128),
        ("D.n_layers_5", patch_discriminator(64, 5, "discriminator"), 256),
        ("D.pixel", pixel_discriminator(64, "discriminator"), 16),
    ],
)
def test_discriminators(key, network, size):
    network.build((None, None, None, 3))
    fill(layouts.discriminator(network, "net" if key == "D.pixel" else "model"))
    assert_golden("cyclegan", key, nchw(network(images(size))))


@pytest.mark.slow
def test_losses():
    """The official D_A judges images of domain b."""
    expected = json.loads((FOLDER / "cyclegan.json").read_text())["losses"]
    model = models.build("cyclegan", image_size=64, cycle_weight_b=8.0, pool_size=0)
    fill(layouts.resnet(model.a2b, "G_A."))
    fill(layouts.resnet(model.b2a, "G_B."))
    fill(layouts.discriminator(model.discriminator_b, "D_A.model"))
    fill(layouts.discriminator(model.discriminator_a, "D_B.model"))
    batch = {"a": images(64, "real_A"), "b": images(64, "real_B")}
    translated = model.generator_loss(batch, None)
    judged = model.discriminator_loss(batch | dict(translated.reuse), None)
    found = {
        "G_A": translated.logs["adversarial_a2b"],
        "G_B": translated.logs["adversarial_b2a"],
        "cycle_A": translated.logs["cycle_a"],
        "cycle_B": translated.logs["cycle_b"],
        "idt_A": translated.logs["identity_a2b"],
        "idt_B": translated.logs["identity_b2a"],
        "G": translated.value[0],
        "D_A": judged.logs["loss_b"],
        "D_B": judged.logs["loss_a"],
    }
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(value, rel=1e-4), name
