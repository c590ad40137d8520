"""R3GAN's default recipe: images of any kind, with the values published for FFHQ at 64 px.

The GAN is dead; long live the GAN! A Modern Baseline GAN, Huang et al., NeurIPS 2024, arXiv
2501.05441.

    python -m ganzoo.train --model=r3gan --dataset=folder:PATH

Values left as placeholders are inferred from the data and printed. What depends most on the data is
`gamma`: published are 0.05 (CIFAR-10), 0.5 and 1 (ImageNet at 32 and 64 px), 2 and 150 (FFHQ at 64
and 256 px), each falling to a tenth.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable

DECAY_IMAGES = 20_000_000


def get_config() -> ConfigDict:
    config = recipe("r3gan", players=("discriminator", "generator"))
    config.batch_size = 256
    config.total_images = 100_000_000  # the authors' trainings have no end of their own
    config.tick_images = 200_000

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 16 to 256, a power of two
    config.model.channels = config_dict.placeholder(int)
    config.model.num_classes = config_dict.placeholder(int)  # 0: labels are not used
    config.model.latent_dim = 64
    config.model.channel_base = 24576
    config.model.channel_max = 768
    config.model.group_width = 16
    config.model.num_blocks = 2
    config.model.gamma = schedulable(("cosine", (0, 2.0), (DECAY_IMAGES, 0.2)))
    config.model.ema_half_life_images = schedulable(("cosine", (0, 0), (DECAY_IMAGES, 500_000)))

    for adam in config.optimizers.values():
        adam.learning_rate = ("cosine", (0, 2e-4), (DECAY_IMAGES, 5e-5))
        adam.beta_1 = 0.0
        adam.beta_2 = ("cosine", (0, 0.9), (DECAY_IMAGES, 0.99))

    config.augment.pipe = "r3gan"
    config.augment.strength = ("cosine", (0, 0.0), (DECAY_IMAGES, 0.3))

    # Data: labels, for class conditioning, come from folders or TFDS.
    config.data.labels = False
    config.data.flip = True
    return config
