"""SRGAN on your own photos: a folder of images of any size, from 96 pixels a side.

Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, Ledig et al.,
CVPR 2017, arXiv 1609.04802.

    python -m ganzoo.train --model=srgan --dataset=folder:PATH

The lines below that have a comment differ from the paper: a tenth of its steps.
"""

from ml_collections import ConfigDict

from ganzoo.config import load

PRETRAINING, SRGAN = 100_000, 20_000  # steps; paper: 1,000,000 and 200,000


def get_config() -> ConfigDict:
    config = load("srgan")
    config.total_images = (PRETRAINING + SRGAN) * 16
    config.tick_images = 32_000
    config.model.pretrain_images = PRETRAINING * 16
    for player in ("generator", "discriminator"):
        half = (PRETRAINING + SRGAN // 2) * 16
        config.optimizers[player].learning_rate = ("step", (0, 1e-4), (half, 1e-5))
    return config
