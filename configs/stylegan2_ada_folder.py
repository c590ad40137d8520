"""StyleGAN2-ADA on a folder of images, a few hundred or more: the official "auto".

Training Generative Adversarial Networks with Limited Data, Karras et al., NeurIPS 2020, arXiv
2006.06676.

    python -m ganzoo.train --model=stylegan2_ada --dataset=folder:PATH

A tick is short, so that the first pictures come soon. The lines below that have a comment differ
from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("stylegan2_ada")
    config.total_images = 5_000_000  # 25,000,000; most of the gain comes early
    config.tick_images = 10_000  # 20,000
    return config
