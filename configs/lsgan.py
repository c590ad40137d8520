"""LSGAN's default recipe: the authors' for scenes of 112 px, for images of any kind.

Least Squares Generative Adversarial Networks, Mao et al., ICCV 2017, arXiv 1611.04076.

    python -m ganzoo.train --model=lsgan --dataset=celeb_a

Values left as placeholders are inferred from the data and printed.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("lsgan", players=("discriminator", "generator"))
    config.total_images = 64_000_000  # a million steps

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 28, 32, 64, 112 or 128
    config.model.channels = config_dict.placeholder(int)
    config.model.latent_dim = 1024
    config.model.width = 64
    config.model.a = 0.0  # the target of generated images; -1, 1, 0: Pearson's chi-squared
    config.model.b = 1.0  # of real ones
    config.model.c = 1.0  # what the generator aims at
    config.model.ema_half_life_images = schedulable(0)  # 0: no average, as in the paper

    for adam in config.optimizers.values():
        adam.learning_rate = 1e-3
    return config
