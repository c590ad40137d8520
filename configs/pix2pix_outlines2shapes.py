"""pix2pix on the bundled pairs at 64 px, outlines and the drawings that they are of: nothing to
download.

Image-to-Image Translation with Conditional Adversarial Networks, Isola, Zhu, Zhou & Efros, CVPR
2017, arXiv 1611.07004.

    python -m ganzoo.train --model=pix2pix --dataset=outlines2shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("pix2pix")
    config.data.dataset = "outlines2shapes"
    config.batch_size = 16  # 1; quicker
    config.total_images = 64_000
    config.tick_images = 4_000
    config.model.image_size = 64
    config.model.channels = 3
    config.model.generator_width = 32  # 64
    config.model.discriminator_layers = 2  # 3; 34 x 34 pixels
    config.model.discriminator_width = 32  # 64
    return config
