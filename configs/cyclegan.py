"""CycleGAN's default recipe: two sets of images without pairs, in the sizes of the paper.

Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, Zhu, Park, Isola &
Efros, ICCV 2017, arXiv 1703.10593.

    python -m ganzoo.train --model=cyclegan --dataset=apple2orange

Values left as placeholders are inferred from the data and printed. The paper trains for 200 epochs,
an epoch being all images of the larger domain: durations here are those of horse2zebra.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable

EPOCH = 1334  # images of zebras, of which there are more than of horses


def get_config() -> ConfigDict:
    config = recipe("cyclegan", players=("generators", "discriminators"))
    config.batch_size = 1
    config.total_images = 200 * EPOCH
    config.tick_images = 2 * EPOCH
    config.num_samples = 36  # 6 images of either domain, each with two translations
    for adam in config.optimizers.values():
        # For the first half, then falling to 0.
        adam.learning_rate = ("linear", (100 * EPOCH, 2e-4), (200 * EPOCH, 0.0))
        adam.beta_1, adam.beta_2 = 0.5, 0.999

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # of the crops; 64, 128 or 256
    config.model.channels = config_dict.placeholder(int)
    config.model.generator = "resnet"
    config.model.num_blocks = config_dict.placeholder(int)  # None: 6, from 256 px on 9
    config.model.generator_width = 64
    config.model.discriminator = "patch"
    config.model.discriminator_layers = 3  # 70 x 70 pixels
    config.model.discriminator_width = 64
    config.model.normalization = "instance"  # or "batch", or "image"
    config.model.loss = "least_squares"
    config.model.cycle_weight_a = schedulable(10.0)
    config.model.cycle_weight_b = schedulable(10.0)
    config.model.identity_weight = schedulable(0.5)  # times the cycle's; paper: 0 for most data
    config.model.pool_size = 50

    # Data: images are resized, then cropped and mirrored at random.
    config.data.resize = "bicubic"
    config.data.load_size = config_dict.placeholder(int)  # None: 286/256 of the crops
    config.data.fit = "stretch"  # "crop": the middle square of an image instead of all of it
    config.data.flip = True
    return config
