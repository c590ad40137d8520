"""cGAN's default recipe, by concatenation: labelled images, in the sizes of MNIST and CIFAR-10.

Conditional Generative Adversarial Nets, Mirza & Osindero 2014, arXiv 1411.1784.

    python -m ganzoo.train --model=cgan --dataset=mnist

Values left as placeholders are inferred from the data and printed. The paper does not say how long
it trains, and while its momentum rises; here it is as for the first GAN.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import optimizer, recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("cgan", players=("discriminator", "generator"))
    config.batch_size = 100
    config.total_images = 12_500_000
    config.tick_images = 50_000

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 28 or 32; "projection": 32 to 128
    config.model.channels = config_dict.placeholder(int)
    config.model.num_classes = config_dict.placeholder(int)
    config.model.architecture = "concat"  # or "pytorch_gan", "projection"
    config.model.latent_dim = 100
    config.model.generator_width = config_dict.placeholder(int)  # None: as published
    config.model.discriminator_width = config_dict.placeholder(int)
    config.model.dropout_rate = 0.5
    config.model.loss = "non_saturating"  # or "hinge", "least_squares"
    config.model.discriminator_steps = 1
    config.model.generator_batches = 1
    config.model.ema_half_life_images = schedulable(0)  # 0: no average, as in the paper

    # Rates are divided by 1.00004 after each batch, down to 1e-6.
    for player in config.optimizers:
        config.optimizers[player] = optimizer(
            "SGD",
            learning_rate=("exponential", (0, 0.1), (28_782_900, 1e-6)),
            momentum=("linear", (0, 0.5), (12_500_000, 0.7)),
        )
    return config
