"""DCGAN on the bundled procedural shapes at 32 px: nothing to download.

Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks,
Radford, Metz & Chintala, ICLR 2016, arXiv 1511.06434.

    python -m ganzoo.train --model=dcgan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("dcgan")
    config.data.dataset = "shapes"
    config.batch_size = 32  # more steps in the same time
    config.total_images = 160_000
    config.tick_images = 16_000
    config.model.image_size = 32
    config.model.channels = 3
    config.model.width = 32  # published: 64
    return config
