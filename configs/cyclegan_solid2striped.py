"""CycleGAN on the bundled pair of domains at 64 px, solid and striped shapes: nothing to download.

Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, Zhu, Park, Isola &
Efros, ICCV 2017, arXiv 1703.10593.

    python -m ganzoo.train --model=cyclegan --dataset=solid2striped

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("cyclegan")
    config.data.dataset = "solid2striped"
    config.total_images = 60_000  # six of its epochs
    config.tick_images = 1_000
    for adam in config.optimizers.values():
        adam.learning_rate = ("linear", (30_000, 2e-4), (60_000, 0.0))
    config.model.image_size = 64
    config.model.channels = 3
    config.model.num_blocks = 3  # 6
    config.model.generator_width = 16  # 64
    config.model.discriminator_layers = 2  # 3; 34 x 34 pixels
    config.model.discriminator_width = 32  # 64
    return config
