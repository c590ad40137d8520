"""SGAN on CIFAR-10 with 4,000 labels, by the published networks and numbers.

Improved Techniques for Training GANs, Salimans, Goodfellow, Zaremba, Cheung, Radford & Chen,
NIPS 2016, arXiv 1606.03498.

    python -m ganzoo.train --model=sgan --dataset=cifar10

The lines below differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("sgan")
    config.data.dataset = "cifar10"
    config.data.labeled = 4000
    config.model.image_size = 32
    config.model.channels = 3
    config.model.num_classes = 10
    return config
