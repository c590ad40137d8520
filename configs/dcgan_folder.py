"""DCGAN on your own images at 64 px, the size of the paper.

Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks,
Radford, Metz & Chintala, ICLR 2016, arXiv 1511.06434.

    python -m ganzoo.train --model=dcgan --dataset=folder:PATH

The lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("dcgan")
    config.model.image_size = 64
    config.model.channels = 3
    config.data.flip = True  # left and right are alike in most photographs; twice as many images
    return config
