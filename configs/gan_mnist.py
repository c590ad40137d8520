"""The first GAN on MNIST at 28 px, as PyTorch-GAN has it: digits after some minutes.

Generative Adversarial Networks, Goodfellow et al., NIPS 2014, arXiv 1406.2661.

    python -m ganzoo.train --model=gan --dataset=mnist

The lines below that have a comment differ from the default recipe, the authors' own for MNIST:
--config=gan --dataset=mnist.
"""

from ml_collections import ConfigDict

from ganzoo.config import load
from ganzoo.recipes import optimizer


def get_config() -> ConfigDict:
    config = load("gan")
    config.data.dataset = "mnist"
    config.batch_size = 64  # paper: 100
    config.total_images = 3_000_000  # 50 epochs; PyTorch-GAN: 200
    config.tick_images = 60_000
    config.model.image_size = 28
    config.model.channels = 1
    config.model.architecture = "pytorch_gan"  # paper: "paper"
    for player in config.optimizers:
        config.optimizers[player] = optimizer()  # paper: SGD
    return config
