"""WGAN on MNIST at 28 px, for a computer without a GPU.

Wasserstein GAN, Arjovsky, Chintala & Bottou, ICML 2017, arXiv 1701.07875.

    python -m ganzoo.train --model=wgan --dataset=mnist

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("wgan")
    config.data.dataset = "mnist"
    config.batch_size = 32  # 64; more steps in the same time
    config.total_images = 1_600_000  # 10,000 generator steps
    config.tick_images = 16_000
    for optimizer in config.optimizers.values():
        optimizer.learning_rate = 5e-4  # 5e-5
    config.model.image_size = 28
    config.model.channels = 1
    config.model.width = 32  # 64; half as long
    config.model.ema_half_life_images = 5_000  # none
    return config
