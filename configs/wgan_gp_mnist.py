"""WGAN-GP on MNIST at 28 px, for a computer without a GPU.

Improved Training of Wasserstein GANs, Gulrajani, Ahmed, Arjovsky, Dumoulin & Courville, NeurIPS
2017, arXiv 1704.00028.

    python -m ganzoo.train --config=wgan_gp_mnist

The authors' code for MNIST has networks without any normalization, and a batch of 50; the lines
below that have a comment differ from the 64 px recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("wgan_gp")
    config.data.dataset = "mnist"
    config.batch_size = 32  # 64; more steps in the same time
    config.total_images = 1_600_000  # 10,000 generator steps
    config.tick_images = 16_000
    for optimizer in config.optimizers.values():
        optimizer.learning_rate = 5e-4  # 1e-4
        optimizer.beta_1 = 0.5  # 0, but 0.5 for MNIST
    config.model.image_size = 28
    config.model.channels = 1
    config.model.width = 32  # 64; half as long
    config.model.ema_half_life_images = 5_000  # none
    return config
