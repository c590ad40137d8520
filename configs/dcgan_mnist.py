"""DCGAN on MNIST at 28 px, for a computer without a GPU.

Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks,
Radford, Metz & Chintala, ICLR 2016, arXiv 1511.06434.

    python -m ganzoo.train --model=dcgan --dataset=mnist

The paper's MNIST model is conditional and has other networks; here the 64 px networks have two
layers less. The lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("dcgan")
    config.data.dataset = "mnist"
    config.total_images = 3_300_000  # 55 epochs
    config.tick_images = 30_000
    config.model.image_size = 28
    config.model.channels = 1
    config.model.ema_half_life_images = 10_000  # none
    return config
