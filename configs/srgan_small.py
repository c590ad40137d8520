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
    config.total_images = 408_000  # 20,000 steps, then 5,500; paper: 1,000,000 and 200,000
    config.tick_images = 16_000
    config.model.width = 32  # paper: 64
    config.model.discriminator_width = 32  # paper: 64
    config.model.ema_half_life_images = 20_000  # paper: none
    # Paper: VGG54. Of its other variants, VGG22's pooling overlooks a checkered pattern.
    config.model.content_loss = "mse"
    config.model.adversarial_weight = 3e-4  # paper: 1e-3, beside VGG54
    config.model.flat_region_weight = 1.0  # paper: none; without, even surfaces get a fine grid
    config.model.pretrain_images = 320_000
    # Paper: 1e-4, the same to the end; then a tenth after half of the second stage.
    config.optimizers.pretrain.learning_rate = ("linear", (80_000, 1e-3), (320_000, 0.0))
    for player in ("generator", "discriminator"):
        config.optimizers[player].learning_rate = 1e-4
    return config
