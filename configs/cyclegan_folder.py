"""CycleGAN on your own images: a folder that holds the folders trainA and trainB.

Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, Zhu, Park, Isola &
Efros, ICCV 2017, arXiv 1703.10593.

    python -m ganzoo.train --model=cyclegan --dataset=unpaired:PATH

The size of the crops is inferred from the domain with the smaller images. The line below that has a
comment differs from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("cyclegan")
    config.data.fit = "crop"  # photographs of any shape, which stretching would distort
    return config
