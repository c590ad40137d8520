"""SRGAN on photos, narrower and shorter than the paper's: for a computer without a GPU.

Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, Ledig et al.,
CVPR 2017, arXiv 1609.04802.

    python -m ganzoo.train --config=srgan_small --dataset=folder:PATH

The lines below that have a comment differ from the paper.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("srgan")
    config.total_images = 80_000  # 4,000 steps, then 1,000; paper: 1,000,000 and 200,000
    config.tick_images = 8_000
    config.model.num_blocks = 4  # paper: 16
    config.model.width = 32  # paper: 64
    config.model.discriminator_width = 16  # paper: 64
    config.model.content_loss = "vgg22"  # paper: VGG54, four times the arithmetic
    config.model.pretrain_images = 64_000
    config.optimizers.pretrain.learning_rate = 1e-3  # paper: 1e-4
    for player in ("generator", "discriminator"):
        adam = config.optimizers[player]
        adam.decay_start_images = adam.decay_end_images = 72_000
    return config
