"""SRGAN on the bundled procedural shapes, 16 to 64 px: nothing to download, minutes on a CPU.

Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, Ledig et al.,
CVPR 2017, arXiv 1609.04802.

    python -m ganzoo.train --model=srgan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("srgan")
    config.data.dataset = "shapes"
    config.total_images = 48_000  # 2,000 steps, then 1,000
    config.tick_images = 8_000
    config.model.image_size = 64  # 96
    config.model.num_blocks = 4  # 16
    config.model.width = 32  # 64
    config.model.discriminator_width = 16  # 64
    config.model.content_loss = "mse"  # "vgg54", whose weights are a download
    config.model.pretrain_images = 32_000
    for player in ("generator", "discriminator"):
        config.optimizers[player].learning_rate = ("step", (0, 1e-4), (40_000, 1e-5))
    config.optimizers.pretrain.learning_rate = 1e-3  # 1e-4
    return config
