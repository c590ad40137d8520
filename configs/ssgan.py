"""SSGAN's default recipe: the paper's training on images of any kind.

Self-Supervised GANs via Auxiliary Rotation Loss, Chen et al., CVPR 2019, arXiv 1811.11212.

    python -m ganzoo.train --model=ssgan --dataset=folder:PATH

Values left as placeholders are inferred from the data and printed.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("ssgan", players=("discriminator", "generator"))
    config.total_images = 100_000 * 2 * 64  # 100,000 generator steps
    for adam in config.optimizers.values():
        adam.beta_1, adam.beta_2 = 0.0, 0.9

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 32, 48, 64 or 128
    config.model.channels = config_dict.placeholder(int)
    config.model.num_classes = config_dict.placeholder(int)  # 0: labels are not used
    config.model.architecture = "compare_gan"
    config.model.latent_dim = 128
    config.model.generator_width = config_dict.placeholder(int)  # None: as published
    config.model.discriminator_width = config_dict.placeholder(int)
    config.model.self_modulation = False  # True: the paper's sBN, its second row
    config.model.loss = "hinge"
    config.model.rotation_batch = "quarter"  # every fourth image in all four rotations
    config.model.generator_rotation_weight = schedulable(0.2)
    config.model.discriminator_rotation_weight = schedulable(1.0)
    config.model.discriminator_steps = 2  # per generator step
    config.model.ema_half_life_images = schedulable(0)  # 0: no average, as in the paper

    # Data: labels, for class conditioning, come from folders or TFDS.
    config.data.labels = False
    return config
