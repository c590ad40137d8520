"""LSGAN on the bundled procedural shapes at 32 px: nothing to download.

Least Squares Generative Adversarial Networks, Mao et al., ICCV 2017, arXiv 1611.04076.

    python -m ganzoo.train --model=lsgan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("lsgan")
    config.data.dataset = "shapes"
    config.batch_size = 32  # paper: 64; more steps in the same time
    config.total_images = 160_000
    config.tick_images = 16_000
    config.model.image_size = 32
    config.model.channels = 3
    config.model.width = 32  # paper: 64
    config.model.latent_dim = 128  # paper: 1024
    for adam in config.optimizers.values():
        adam.learning_rate = 2e-4  # the paper's for characters; 1e-3 for scenes
    return config
