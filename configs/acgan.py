"""AC-GAN's default recipe: labelled images, in the sizes of the paper.

Conditional Image Synthesis with Auxiliary Classifier GANs, Odena, Olah & Shlens, ICML 2017,
arXiv 1610.09585.

    python -m ganzoo.train --model=acgan --dataset=folder:PATH

A folder inside PATH is a class. Values left as placeholders are inferred from the data and printed.
The paper trains 100 models of 10 classes each on ImageNet, not one of 1,000.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("acgan", players=("discriminator", "generator"))
    config.batch_size = 100
    config.total_images = 5_000_000  # 50,000 steps
    config.tick_images = 50_000

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 32 or 128; "dcgan": 28 and 64, too
    config.model.channels = config_dict.placeholder(int)
    config.model.num_classes = config_dict.placeholder(int)
    config.model.architecture = "paper"  # or "clvrai", "dcgan"
    config.model.latent_dim = 100
    config.model.generator_width = config_dict.placeholder(int)  # None: as published
    config.model.discriminator_width = config_dict.placeholder(int)
    config.model.dropout_rate = 0.5
    config.model.activation_noise = 0.0  # for CIFAR-10 the paper tries 0.1 and 0.2, too
    config.model.loss = "non_saturating"  # or "hinge", "least_squares"
    config.model.real_class_weight = schedulable(1.0)
    config.model.fake_class_weight = schedulable(1.0)
    config.model.generator_class_weight = schedulable(1.0)
    config.model.twin_weight = schedulable(0.0)  # 1.0: TAC-GAN, with a fake_class_weight of 0
    config.model.ema_half_life_images = schedulable(0)  # 0: no average, as in the paper
    return config
