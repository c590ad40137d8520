"""SSGAN on MNIST, resized from 28 to 32 px, for a computer without a GPU.

Self-Supervised GANs via Auxiliary Rotation Loss, Chen et al., CVPR 2019, arXiv 1811.11212.

    python -m ganzoo.train --model=ssgan --dataset=mnist

The paper has no MNIST; the lines below that have a comment differ from its CIFAR-10 recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("ssgan")
    config.data.dataset = "mnist"
    config.batch_size = 32  # paper: 64; more steps in the same time
    config.total_images = 320_000
    config.tick_images = 32_000
    config.model.image_size = 32  # the smallest network; digits come with 28 px
    config.model.channels = 1
    config.model.num_classes = 0  # unconditional
    config.model.architecture = "sngan_mean"  # narrow compare_gan leaves the grid of its unpooling
    config.model.generator_width = 32  # paper: 256
    config.model.discriminator_width = 32  # paper: 128
    config.model.discriminator_steps = 1  # paper: 2
    config.model.ema_half_life_images = 10_000  # paper: none
    for optimizer in config.optimizers.values():
        optimizer.learning_rate = 4e-4  # paper: 2e-4
        optimizer.beta_1 = 0.5  # paper: 0
    return config
