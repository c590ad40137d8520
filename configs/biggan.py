"""BigGAN's default recipe: labelled images of 128 px, as the author trained it on ImageNet.

Large Scale GAN Training for High Fidelity Natural Image Synthesis, Brock, Donahue & Simonyan,
ICLR 2019, arXiv 1809.11096.

    python -m ganzoo.train --model=biggan --dataset=folder:PATH

A folder inside PATH is a class. Values left as placeholders are inferred from the data and printed.
They are those of the script launch_BigGAN_bs256x8.sh of github.com/ajbrock/BigGAN-PyTorch.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("biggan", players=("discriminator", "generator"))
    config.batch_size = 2048  # on few devices with --config.microbatch
    config.total_images = 150_000 * 2048
    config.tick_images = 2_000 * 2048
    for player, rate in (("discriminator", 4e-4), ("generator", 1e-4)):
        adam = config.optimizers[player]
        adam.learning_rate, adam.beta_1, adam.beta_2, adam.epsilon = rate, 0.0, 0.999, 1e-6

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 32, 64, 128 or 256
    config.model.channels = config_dict.placeholder(int)
    config.model.num_classes = config_dict.placeholder(int)
    config.model.architecture = "biggan"  # or "biggan_deep", "studiogan"
    config.model.latent_dim = 120  # biggan_deep: 128
    config.model.generator_width = 96  # biggan_deep: 128
    config.model.discriminator_width = 96
    config.model.shared_dim = 128
    config.model.hierarchical = True
    config.model.attention = (64,)
    config.model.initializer = "orthogonal"
    config.model.orthogonal_weight = schedulable(0.0)  # the paper's tables: 1e-4
    config.model.discriminator_steps = 1  # the paper: 2
    config.model.ema_half_life_images = schedulable(14_200_000)  # 0.9999 a step
    return config
