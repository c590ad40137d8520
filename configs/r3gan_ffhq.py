"""The official presets "FFHQ-64" and "FFHQ-256" of R3GAN.

The GAN is dead; long live the GAN! A Modern Baseline GAN, Huang et al., NeurIPS 2024, arXiv
2501.05441. The number at the end of the name is the size of the images, in pixels:

    python -m ganzoo.train --config=r3gan_ffhq64 --dataset=folder:PATH
    python -m ganzoo.train --config=r3gan_ffhq256 --dataset=folder:PATH

They were run on eight GPUs. The paper has an FID of 1.95 at 64 px and of 2.75 at 256 px (50,000
images against all training images). Not yet measured here.
"""

from ml_collections import ConfigDict

from ganzoo.config import load

GAMMA = {64: 2.0, 256: 150.0}


def get_config(image_size: int = 64) -> ConfigDict:
    config = load("r3gan")
    config.model.image_size = image_size
    config.model.channels = 3
    config.model.gamma = ("cosine", (0, GAMMA[image_size]), (20_000_000, GAMMA[image_size] / 10))
    return config
