"""cGAN by projection on the bundled procedural shapes at 32 px: nothing to download.

cGANs with Projection Discriminator, Miyato & Koyama, ICLR 2018, arXiv 1802.05637.

    python -m ganzoo.train --model=cgan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from its CIFAR-10 recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load
from ganzoo.recipes import optimizer


def get_config() -> ConfigDict:
    config = load("cgan_projection")
    config.data.dataset = "shapes"
    config.batch_size = 16  # paper: 64; more steps in the same time
    config.total_images = 256_000
    config.tick_images = 12_800
    for player in config.optimizers:
        config.optimizers[player] = optimizer(learning_rate=4e-4)  # paper: 2e-4 to 0, betas 0, 0.9
    config.model.channels = 3
    config.model.generator_width = 32  # paper: 256
    config.model.discriminator_width = 32  # paper: 128
    config.model.discriminator_steps = 1  # paper: 5
    config.model.generator_batches = 1  # paper: 2
    config.model.ema_half_life_images = 5_000  # paper: none
    return config
