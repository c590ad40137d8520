"""SSGAN on the bundled procedural shapes at 32 px: nothing to download.

Self-Supervised GANs via Auxiliary Rotation Loss, Chen et al., CVPR 2019, arXiv 1811.11212.

    python -m ganzoo.train --model=ssgan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from its CIFAR-10 recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("ssgan")
    config.data.dataset = "shapes"
    config.batch_size = 16  # paper: 64; more steps in the same time
    config.total_images = 128_000
    config.tick_images = 12_800
    config.model.image_size = 32
    config.model.channels = 3
    config.model.num_classes = 0  # unconditional
    config.model.architecture = "sngan_mean"  # narrow compare_gan leaves the grid of its unpooling
    config.model.generator_width = 32  # paper: 256
    config.model.discriminator_width = 32  # paper: 128
    config.model.discriminator_steps = 1  # paper: 2
    config.model.ema_half_life_images = 5_000  # paper: none
    for optimizer in config.optimizers.values():
        optimizer.learning_rate = 4e-4  # paper: 2e-4
        optimizer.beta_1 = 0.5  # paper: 0
    return config
