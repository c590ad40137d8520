"""R3GAN on CIFAR-10 at 32 px, by class: the official preset "CIFAR10".

The GAN is dead; long live the GAN! A Modern Baseline GAN, Huang et al., NeurIPS 2024, arXiv
2501.05441.

    python -m ganzoo.train --model=r3gan --dataset=cifar10

It was run on eight GPUs. The paper has an FID of 1.96 (50,000 images against the training set). Not
yet measured here.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("r3gan")
    config.data.dataset = "cifar10"
    config.data.labels = True
    config.batch_size = 512
    config.model.image_size = 32
    config.model.channels = 3
    config.model.gamma = ("cosine", (0, 0.05), (20_000_000, 0.005))
    config.model.ema_half_life_images = ("cosine", (0, 0), (20_000_000, 5_000_000))
    config.augment.strength = ("cosine", (0, 0.0), (20_000_000, 0.55))
    return config
