"""The official presets "ImageNet-32" and "ImageNet-64" of R3GAN, by class.

The GAN is dead; long live the GAN! A Modern Baseline GAN, Huang et al., NeurIPS 2024, arXiv
2501.05441. The number at the end of the name is the size of the images, in pixels:

    python -m ganzoo.train --config=r3gan_imagenet32 --dataset=folder:PATH
    python -m ganzoo.train --config=r3gan_imagenet64 --dataset=folder:PATH

A folder inside PATH is a class. They were run on 32 and 64 GPUs. The paper has an FID of 1.27 at
32 px and of 2.09 at 64 px (50,000 images against all training images). Not yet measured here.
"""

from ml_collections import ConfigDict

from ganzoo.config import load

DECAY_IMAGES = 200_000_000
GAMMA, STRENGTH = {32: 0.5, 64: 1.0}, {32: 0.5, 64: 0.4}


def get_config(image_size: int = 32) -> ConfigDict:
    gamma = GAMMA[image_size]
    config = load("r3gan")
    config.data.labels = True
    config.batch_size = 4096
    config.total_images = 1_000_000_000
    config.tick_images = 2_000_000
    config.model.image_size = image_size
    config.model.channels = 3
    config.model.channel_base = 1536 * image_size
    config.model.channel_max = 1536
    config.model.group_width = 32
    config.model.gamma = ("cosine", (0, gamma), (DECAY_IMAGES, gamma / 10))
    config.model.ema_half_life_images = ("cosine", (0, 0), (DECAY_IMAGES, 50_000_000))
    for adam in config.optimizers.values():
        adam.learning_rate = ("cosine", (0, 2e-4), (DECAY_IMAGES, 5e-5))
        adam.beta_2 = ("cosine", (0, 0.9), (DECAY_IMAGES, 0.99))
    config.augment.strength = ("cosine", (0, 0.0), (DECAY_IMAGES, STRENGTH[image_size]))
    return config
