"""The official configuration "paper512" of StyleGAN2-ADA, for 512 px.

Training Generative Adversarial Networks with Limited Data, Karras et al., NeurIPS 2020, arXiv
2006.06676.

    python -m ganzoo.train --config=stylegan2_ada_paper512 --dataset=folder:PATH

It was run on eight GPUs; a batch counts the images of all devices together.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("stylegan2_ada_paper256")
    config.model.image_size = 512
    config.model.channel_base = 32768
    config.model.r1_gamma = 0.5
    return config
