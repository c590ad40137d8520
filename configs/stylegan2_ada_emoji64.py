"""StyleGAN2-ADA at 64 px, narrow: for few images of simple things and a computer without a GPU.

Training Generative Adversarial Networks with Limited Data, Karras et al., NeurIPS 2020, arXiv
2006.06676.

    python -m ganzoo.train --config=stylegan2_ada_emoji64 --dataset=folder:PATH

Made for emoji (github.com/googlefonts/noto-emoji); transparent pixels become white, as
`config.data.background` says. The lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("stylegan2_ada")
    config.batch_size = 16  # 32
    config.total_images = 528_000  # 25,000,000
    config.tick_images = 4_000
    config.model.image_size = 64
    config.model.channels = 3
    config.model.num_classes = 0
    config.model.latent_dim = 128  # 512
    config.model.style_dim = 128  # 512
    config.model.channel_base = 1024  # 16384
    config.model.channel_max = 256  # 512
    config.model.ema_half_life_images = 100_000  # 5,000; at most 5 % of the images seen
    config.model.r1_gamma = 1.0  # 0.05 by the official rule; as measured
    config.augment.speed_images = 100_000  # 500,000; the run is shorter
    return config
