"""AC-GAN on MNIST at 28 px, for a computer without a GPU.

Conditional Image Synthesis with Auxiliary Classifier GANs, Odena, Olah & Shlens, ICML 2017,
arXiv 1610.09585.

    python -m ganzoo.train --model=acgan --dataset=mnist

The paper has no such data; the lines below that have a comment differ from the default recipe. The
generator is that of dcgan_mnist, half as wide, and the discriminator the paper's, half as wide.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("acgan")
    config.data.dataset = "mnist"
    config.batch_size = 64  # paper: 100
    config.total_images = 3_300_000  # 55 epochs
    config.tick_images = 30_000
    config.model.image_size = 28
    config.model.channels = 1
    config.model.num_classes = 10
    config.model.architecture = "dcgan"  # the paper's has 32 or 128 px
    config.model.generator_width = 64
    config.model.discriminator_width = 256  # paper: 512
    config.model.ema_half_life_images = 10_000  # none
    return config
