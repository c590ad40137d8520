"""SGAN's default recipe: images of which few have labels, at 32 px, as the paper has CIFAR-10.

Improved Techniques for Training GANs, Salimans, Goodfellow, Zaremba, Cheung, Radford & Chen,
NIPS 2016, arXiv 1606.03498.

    python -m ganzoo.train --model=sgan --dataset=folder:PATH --config.data.labeled=200

A folder inside PATH is a class; the labels of so many images are used, and all images without.
Values left as placeholders are inferred from the data and printed.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import optimizer, recipe, schedulable

# Constant for 800 epochs of CIFAR-10, and then falling for 400. The published Adam has its epsilon
# of 1e-8 below the root: like 1e-4 beside it.
LEARNING_RATE = ("linear", (40_000_000, 3e-4), (60_000_000, 0.0))
EPSILON = 1e-4


def get_config() -> ConfigDict:
    config = recipe("sgan", players=("discriminator", "generator"))
    config.batch_size = 100  # images with labels, and as many without
    config.total_images = 60_000_000
    config.tick_images = 100_000
    for player in config.optimizers:
        config.optimizers[player] = optimizer(learning_rate=LEARNING_RATE, epsilon=EPSILON)

    # Data: how many labels are used, of each class as many.
    config.data.labeled = config_dict.placeholder(int)  # None: all; 4,000 of CIFAR-10
    config.data.labeled_seed = 0  # of their choice

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)
    config.model.channels = config_dict.placeholder(int)
    config.model.num_classes = config_dict.placeholder(int)
    config.model.architecture = "convolutional"  # or "dense"
    config.model.latent_dim = 100
    config.model.generator_width = config_dict.placeholder(int)  # None: as published
    config.model.discriminator_width = config_dict.placeholder(int)  # for SVHN 128
    config.model.loss = "feature_matching_l1"  # or "feature_matching_l2", "odena"
    config.model.unlabeled_weight = schedulable(1.0)  # 0.0: learns from the labels alone
    config.model.ema_half_life_images = schedulable(700_000)  # 1e-4 a step
    return config
