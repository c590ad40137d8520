"""DCGAN on CIFAR-10 at 32 px.

Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks,
Radford, Metz & Chintala, ICLR 2016, arXiv 1511.06434.

    python -m ganzoo.train --model=dcgan --dataset=cifar10

The paper trains no generator on CIFAR-10; here its 64 px networks have a layer less. The lines
below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("dcgan")
    config.data.dataset = "cifar10"
    config.total_images = 2_500_000  # 50 epochs
    config.tick_images = 50_000
    config.model.image_size = 32
    config.model.channels = 3
    return config
