"""CAN's default recipe: paintings in folders, one for each style, at 256 px as in the paper.

Creative Adversarial Networks, Generating "Art" by Learning About Styles and Deviating from Style
Norms, Elgammal, Liu, Elhoseiny & Mazzone, ICCC 2017, arXiv 1706.07068.

    python -m ganzoo.train --model=can --dataset=folder:PATH

A folder inside PATH is a style, as in WikiArt. Values left as placeholders are inferred from the
data and printed.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("can", players=("discriminator", "generator"))
    config.batch_size = 128
    config.total_images = 8_000_000  # the paper does not say; about 100 epochs of WikiArt
    config.tick_images = 80_000
    for player in ("discriminator", "generator"):
        config.optimizers[player].learning_rate = 1e-4

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 32, 64, 128 or 256
    config.model.channels = config_dict.placeholder(int)
    config.model.num_classes = config_dict.placeholder(int)  # styles
    config.model.latent_dim = 100
    config.model.generator_width = 64
    config.model.discriminator = "paper"  # or "mlberkeley"
    config.model.discriminator_width = 32
    config.model.style_units = (1024, 512)
    config.model.ambiguity = "binary"  # or "sigmoid", "softmax"
    config.model.ambiguity_weight = schedulable(1.0)
    config.model.ema_half_life_images = schedulable(0)  # 0: no average, as in the paper
    return config
