"""CycleGAN on horse2zebra as in the authors' PyTorch code: 256 px, 200 epochs.

Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, Zhu, Park, Isola &
Efros, ICCV 2017, arXiv 1703.10593.

    python -m ganzoo.train --model=cyclegan --dataset=horse2zebra

Differs from the paper in the identity term, which the code has for all data and the paper for
paintings; and from the code in the learning rate, which falls with every image and not with every
epoch.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("cyclegan")
    config.data.dataset = "horse2zebra"
    config.data.load_size = 286
    config.model.image_size = 256
    config.model.channels = 3
    config.model.num_blocks = 9
    return config
