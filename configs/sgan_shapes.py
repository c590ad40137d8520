"""SGAN on the bundled procedural shapes with 50 labels of their forms: nothing to download.

Improved Techniques for Training GANs, Salimans, Goodfellow, Zaremba, Cheung, Radford & Chen,
NIPS 2016, arXiv 1606.03498.

    python -m ganzoo.train --model=sgan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("sgan")
    config.data.dataset = "shapes"
    config.data.labeled = 50  # paper: 4,000
    config.batch_size = 32  # paper: 100; more steps in the same time
    config.total_images = 160_000
    config.tick_images = 16_000
    for options in config.optimizers.values():
        options.learning_rate = 1e-3  # paper: 3e-4
    config.model.image_size = 32
    config.model.channels = 3
    config.model.generator_width = 128  # paper: 512
    config.model.discriminator_width = 64  # paper: 192
    config.model.ema_half_life_images = 10_000  # paper: 1e-4 a step
    return config
