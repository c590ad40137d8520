"""WGAN's default recipe, with clipped weights: images of any kind, in one of DCGAN's sizes.

Wasserstein GAN, Arjovsky, Chintala & Bottou, ICML 2017, arXiv 1701.07875.

    python -m ganzoo.train --model=wgan --dataset=folder:PATH

Values left as placeholders are inferred from the data and printed. Networks, optimizers and batch
size are those of the authors' code for LSUN bedrooms at 64 px, which trains for 25 epochs.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import optimizer, recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("wgan", players=("discriminator", "generator"))
    for player in config.optimizers:
        # As PyTorch has it by default, with the square of its epsilon, which Keras adds to a square
        config.optimizers[player] = optimizer(
            "RMSprop", learning_rate=5e-5, rho=0.99, epsilon=1e-16
        )

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 28, 32, 64 or 128
    config.model.channels = config_dict.placeholder(int)
    config.model.latent_dim = 100
    config.model.width = 64
    config.model.clip_weights = 0.01  # 0: no limit, with a gradient penalty
    config.model.gradient_penalty_weight = schedulable(0.0)  # wgan_gp: 10
    config.model.discriminator_steps = 5
    config.model.ema_half_life_images = schedulable(0)  # 0: no average, as in the paper
    return config
