"""The first GAN on the bundled procedural shapes at 32 px: nothing to download.

Generative Adversarial Networks, Goodfellow et al., NIPS 2014, arXiv 1406.2661.

    python -m ganzoo.train --model=gan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
Compare with dcgan_shapes.
"""

from ml_collections import ConfigDict

from ganzoo.config import load
from ganzoo.recipes import optimizer


def get_config() -> ConfigDict:
    config = load("gan")
    config.data.dataset = "shapes"
    config.batch_size = 64  # paper: 100
    config.total_images = 1_280_000
    config.tick_images = 64_000
    config.model.image_size = 32
    config.model.channels = 3
    config.model.architecture = "pytorch_gan"  # paper: "paper"
    for player in config.optimizers:
        config.optimizers[player] = optimizer()  # paper: SGD
    return config
