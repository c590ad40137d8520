"""cGAN by projection, with the residual networks of SNGAN: labelled images of 32 to 128 px.

cGANs with Projection Discriminator, Miyato & Koyama, ICLR 2018, arXiv 1802.05637.

    python -m ganzoo.train --config=cgan_projection --dataset=cifar10

Values left as placeholders are inferred from the data and printed. Numbers are those of the
authors' code for CIFAR-10: 50,000 generator steps.
"""

from ml_collections import ConfigDict

from ganzoo.config import load
from ganzoo.recipes import optimizer


def get_config() -> ConfigDict:
    config = load("cgan")
    config.batch_size = 64
    config.total_images = 16_000_000
    rate = ("linear", (0, 2e-4), (config.total_images, 0.0))
    for player in config.optimizers:
        config.optimizers[player] = optimizer(learning_rate=rate, beta_1=0.0, beta_2=0.9)
    config.model.image_size = 32  # or 48, 64, 128
    config.model.architecture = "projection"
    config.model.latent_dim = 128
    config.model.loss = "hinge"
    config.model.discriminator_steps = 5
    config.model.generator_batches = 2
    return config
