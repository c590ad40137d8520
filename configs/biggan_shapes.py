"""BigGAN on drawn shapes at 32 px, for a computer without a GPU: nothing to download.

Large Scale GAN Training for High Fidelity Natural Image Synthesis, Brock, Donahue & Simonyan,
ICLR 2019, arXiv 1809.11096.

    python -m ganzoo.train --model=biggan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("biggan")
    config.data.dataset = "shapes"
    config.batch_size = 64  # 2048
    config.total_images = 960_000
    config.tick_images = 16_000
    for adam in config.optimizers.values():
        adam.learning_rate = 2e-4  # 4e-4 and 1e-4
    config.model.image_size = 32
    config.model.channels = 3
    config.model.num_classes = 5
    config.model.latent_dim = 80  # 120
    config.model.generator_width = 16  # 96
    config.model.discriminator_width = 16  # 96
    config.model.shared_dim = 32  # 128
    config.model.attention = (16,)  # 64
    config.model.discriminator_steps = 2  # 1
    config.model.ema_half_life_images = 20_000
    return config
