"""LSGAN on MNIST at 28 px, for a computer without a GPU.

Least Squares Generative Adversarial Networks, Mao et al., ICCV 2017, arXiv 1611.04076.

    python -m ganzoo.train --model=lsgan --dataset=mnist

The paper's networks for characters of 28 px are conditional; here those for 112 px have two
layers less, and half the channels. The lines below that have a comment differ from the default
recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("lsgan")
    config.data.dataset = "mnist"
    config.total_images = 3_300_000  # 55 epochs
    config.tick_images = 30_000
    config.model.image_size = 28
    config.model.channels = 1
    config.model.width = 32  # paper: 64
    config.model.latent_dim = 128  # paper: 1024
    config.model.ema_half_life_images = 10_000  # none
    for adam in config.optimizers.values():
        adam.learning_rate = 2e-4  # the paper's for characters; 1e-3 for scenes
    return config
