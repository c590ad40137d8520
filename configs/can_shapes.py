"""CAN on drawn shapes at 32 px: nothing to download. The kinds of shapes are the styles.

Creative Adversarial Networks, Generating "Art" by Learning About Styles and Deviating from Style
Norms, Elgammal, Liu, Elhoseiny & Mazzone, ICCC 2017, arXiv 1706.07068.

    python -m ganzoo.train --model=can --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("can")
    config.data.dataset = "shapes"
    config.batch_size = 64  # paper: 128
    config.total_images = 640_000
    config.tick_images = 16_000
    for player in ("discriminator", "generator"):
        config.optimizers[player].learning_rate = 2e-4  # paper: 1e-4
    config.model.image_size = 32
    config.model.channels = 3
    config.model.num_classes = 5
    config.model.generator_width = 32  # paper: 64
    config.model.style_units = (128, 64)  # paper: 1024, 512
    config.model.ema_half_life_images = 10_000  # none
    return config
