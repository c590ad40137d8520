"""SGAN on MNIST with 100 labels, by the published networks and numbers.

Improved Techniques for Training GANs, Salimans, Goodfellow, Zaremba, Cheung, Radford & Chen,
NIPS 2016, arXiv 1606.03498.

    python -m ganzoo.train --model=sgan --dataset=mnist

The lines below differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("sgan")
    config.data.dataset = "mnist"
    config.data.labeled = 100
    config.total_images = 18_000_000  # 300 epochs
    config.tick_images = 60_000
    for options in config.optimizers.values():
        options.learning_rate = 3e-3
    config.model.image_size = 28
    config.model.channels = 1
    config.model.num_classes = 10
    config.model.architecture = "dense"
    config.model.loss = "feature_matching_l2"
    return config
