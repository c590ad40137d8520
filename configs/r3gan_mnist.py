"""R3GAN on MNIST at 32 px, by digit, for a computer without a GPU.

The GAN is dead; long live the GAN! A Modern Baseline GAN, Huang et al., NeurIPS 2024, arXiv
2501.05441.

    python -m ganzoo.train --model=r3gan --dataset=mnist

The networks and schedules are those of r3gan_shapes. The paper has Stacked MNIST, three digits as
the colors of one image, of whose 1,000 combinations its generator draws all.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("r3gan_shapes")
    config.data.dataset = "mnist"
    config.data.labels = True
    config.model.channels = 1
    return config
