"""StyleGAN2-ADA on the bundled drawings `shapes` at 32 px: nothing to download.

Training Generative Adversarial Networks with Limited Data, Karras et al., NeurIPS 2020, arXiv
2006.06676.

    python -m ganzoo.train --model=stylegan2_ada --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("stylegan2_ada")
    config.data.dataset = "shapes"
    config.batch_size = 16  # 32
    config.total_images = 200_000  # 25,000,000
    config.tick_images = 10_000
    config.model.image_size = 32
    config.model.channels = 3
    config.model.num_classes = 0
    config.model.latent_dim = 64  # 512
    config.model.style_dim = 64  # 512
    config.model.channel_base = 1024  # 16384
    config.model.channel_max = 64  # 512
    config.model.ema_half_life_images = 5_000
    config.augment.pipe = "none"  # drawings never repeat
    return config
