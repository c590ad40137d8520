"""AC-GAN on CIFAR-10 at 32 px, by the paper's table 2.

Conditional Image Synthesis with Auxiliary Classifier GANs, Odena, Olah & Shlens, ICML 2017,
arXiv 1610.09585.

    python -m ganzoo.train --model=acgan --dataset=cifar10

The lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("acgan")
    config.data.dataset = "cifar10"
    config.model.image_size = 32
    config.model.channels = 3
    config.model.num_classes = 10
    return config
