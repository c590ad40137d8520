"""StyleGAN2-ADA's default recipe: the official "auto", for images of any kind, few or many.

Training Generative Adversarial Networks with Limited Data, Karras et al., NeurIPS 2020, arXiv
2006.06676.

    python -m ganzoo.train --model=stylegan2_ada --dataset=folder:PATH

Values left as placeholders follow from the size of the images and the number of devices, and are
printed. `--config.data.flip=true` mirrors half of the images, where left and right do not matter.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("stylegan2_ada", players=("generator", "discriminator"))
    config.batch_size = config_dict.placeholder(int)
    config.total_images = 25_000_000
    config.tick_images = 20_000

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 16 to 1024, a power of two
    config.model.channels = config_dict.placeholder(int)
    config.model.num_classes = config_dict.placeholder(int)  # 0: labels are not used
    config.model.latent_dim = 512
    config.model.style_dim = 512
    config.model.mapping_layers = 2
    config.model.channel_base = config_dict.placeholder(int)
    config.model.channel_max = 512
    config.model.generator_architecture = "skip"
    config.model.discriminator_architecture = "resnet"
    config.model.discriminator_mapping_layers = 8  # 0 as in the TensorFlow code
    config.model.minibatch_stddev_group = config_dict.placeholder(int)
    config.model.num_half_precision = 4  # resolutions
    config.model.clamp = config_dict.placeholder(float)  # None: 256 with float16, else 0
    config.model.style_mixing = 0.9
    config.model.r1_gamma = schedulable()
    config.model.r1_every = 16
    config.model.path_length_weight = schedulable(2.0)
    config.model.path_length_every = 4
    config.model.ema_half_life_images = schedulable()
    config.model.ema_ramp_up = 0.05

    # Each optimizer also makes the steps of its lazy penalty: 5 steps in the time of 4, and 17 in
    # that of 16, with learning rates and averages slowed accordingly.
    for player, lazy in (("generator", 4 / 5), ("discriminator", 16 / 17)):
        adam = config.optimizers[player]
        adam.learning_rate = None  # inferred from the size
        adam.beta_1, adam.beta_2 = 0.0, 0.99**lazy

    # Augmentation: adaptive.
    config.augment.pipe = "bgc"
    config.augment.target = 0.6

    # Data: labels, for class conditioning, come from folders or TFDS.
    config.data.labels = False
    return config
