"""SSGAN on CIFAR-10 as in the paper: 32 px, unconditional, 100,000 generator steps.

Self-Supervised GANs via Auxiliary Rotation Loss, Chen et al., CVPR 2019, arXiv 1811.11212.

    python -m ganzoo.train --model=ssgan --dataset=cifar10

Differs from the paper in nothing known; which of the two losses its CIFAR-10 runs used is not
stated in the text, and hinge is taken here.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("ssgan")
    config.data.dataset = "cifar10"
    config.model.image_size = 32
    config.model.channels = 3
    config.model.num_classes = 0  # unconditional
    return config
