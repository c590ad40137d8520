"""WGAN-GP on the bundled procedural shapes at 32 px: nothing to download.

Improved Training of Wasserstein GANs, Gulrajani, Ahmed, Arjovsky, Dumoulin & Courville, NeurIPS
2017, arXiv 1704.00028.

    python -m ganzoo.train --model=wgan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from its 64 px recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("wgan_gp")
    config.data.dataset = "shapes"
    config.batch_size = 32  # 64; more steps in the same time
    config.total_images = 640_000  # 4,000 generator steps
    config.tick_images = 32_000
    for optimizer in config.optimizers.values():
        optimizer.learning_rate = 5e-4  # 1e-4
        optimizer.beta_1 = 0.5  # 0, but 0.5 for MNIST
    config.model.image_size = 32
    config.model.channels = 3
    config.model.width = 32  # 64
    config.model.ema_half_life_images = 5_000  # none
    return config
