"""cGAN on MNIST at 28 px as PyTorch-GAN has it, for a computer without a GPU.

Conditional Generative Adversarial Nets, Mirza & Osindero 2014, arXiv 1411.1784.

    python -m ganzoo.train --model=cgan --dataset=mnist

The lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load
from ganzoo.recipes import optimizer


def get_config() -> ConfigDict:
    config = load("cgan")
    config.data.dataset = "mnist"
    config.batch_size = 64  # paper: 100
    config.total_images = 6_000_000  # 100 epochs
    config.tick_images = 60_000
    for player in config.optimizers:
        config.optimizers[player] = optimizer()  # paper: SGD
    config.model.image_size = 28
    config.model.channels = 1
    config.model.num_classes = 10
    config.model.architecture = "pytorch_gan"  # paper: "concat"
    config.model.dropout_rate = 0.4  # paper: 0.5
    config.model.loss = "least_squares"  # paper: "non_saturating"
    config.model.ema_half_life_images = 10_000  # none
    return config
