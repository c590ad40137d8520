"""SSGAN on CIFAR-10, narrower and shorter than the paper's: for a computer without a GPU.

Self-Supervised GANs via Auxiliary Rotation Loss, Chen et al., CVPR 2019, arXiv 1811.11212.

    python -m ganzoo.train --config=ssgan_cifar10_small

Differs from the paper in the lines below that have a comment.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("ssgan_cifar10")
    config.total_images = 576_000  # 18,000 generator steps; paper: 100,000
    config.tick_images = 32_000
    config.batch_size = 32  # paper: 64
    config.model.architecture = "sngan"  # narrow compare_gan leaves the grid of its unpooling
    config.model.self_modulation = True  # the paper's sBN, its second row
    config.model.generator_width = 64  # paper: 256
    config.model.discriminator_width = 64  # paper: 128
    config.model.ema_half_life_images = 30_000  # paper: none
    config.model.discriminator_steps = 1  # paper: 2
    config.optimizers.discriminator.learning_rate = 4e-4  # paper: as the generator's
    # Paper: constant rates.
    config.optimizers.generator.learning_rate = ("linear", (440_000, 2e-4), (576_000, 2e-5))
    return config
