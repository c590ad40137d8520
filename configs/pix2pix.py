"""pix2pix's default recipe: pairs of images, in the sizes of the paper.

Image-to-Image Translation with Conditional Adversarial Networks, Isola, Zhu, Zhou & Efros, CVPR
2017, arXiv 1611.07004.

    python -m ganzoo.train --model=pix2pix --dataset=paired:PATH

Values left as placeholders are inferred from the data and printed. The paper trains for 200 epochs:
durations here are those of facades. The authors' second code lets the learning rate fall to 0 over
the last half of them.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable

EPOCH = 400  # pairs of facades


def get_config() -> ConfigDict:
    config = recipe("pix2pix", players=("discriminator", "generator"))
    config.batch_size = 1
    config.total_images = 200 * EPOCH
    config.tick_images = 2 * EPOCH
    config.num_samples = 36  # 12 pairs, each with its translation

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # of the crops; 64, 128 or 256
    config.model.channels = config_dict.placeholder(int)
    config.model.out_channels = config_dict.placeholder(int)  # None: as many
    config.model.generator_width = 64
    config.model.dropout = "paper"  # or "pytorch", "none"
    config.model.discriminator = "patch"  # or "pixel"
    config.model.discriminator_layers = 3  # 70 x 70 pixels
    config.model.discriminator_width = 64
    config.model.conditional = True
    config.model.loss = "non_saturating"
    config.model.adversarial_weight = schedulable(1.0)
    config.model.l1_weight = schedulable(100.0)

    # Data: pairs are resized, then cropped and mirrored at random, both images alike.
    config.data.resize = "bicubic"
    config.data.load_size = config_dict.placeholder(int)  # None: 286/256 of the crops
    config.data.fit = "stretch"
    config.data.flip = True
    config.data.direction = "a2b"  # "b2a": the other way
    return config
