"""CycleGAN at 128 px, narrower and shorter than the paper's: for a computer without a GPU.

Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, Zhu, Park, Isola &
Efros, ICCV 2017, arXiv 1703.10593.

    python -m ganzoo.train --config=cyclegan_small --dataset=unpaired:PATH

Differs from the authors' PyTorch code in the lines below that have a comment.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("cyclegan")
    config.total_images = 8_000  # code: 200 epochs
    config.tick_images = 500
    for adam in config.optimizers.values():
        adam.learning_rate = ("linear", (4_000, 2e-4), (8_000, 0.0))
    config.data.load_size = 143
    config.data.fit = "crop"  # code: "stretch"
    config.model.image_size = 128
    config.model.num_blocks = 6
    config.model.generator_width = 32  # code: 64
    config.model.discriminator_width = 32  # code: 64
    return config
