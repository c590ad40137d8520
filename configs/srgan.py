"""SRGAN's default recipe: the paper's two stages on any photos, enlarged by 4.

Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, Ledig et al.,
CVPR 2017, arXiv 1609.04802.

    python -m ganzoo.train --model=srgan --dataset=div2k/bicubic_x4

SRResNet is trained for a million steps, then SRGAN for 100,000 at the same and 100,000 at a tenth
of its learning rate. The paper's 350,000 images are of ImageNet; it names no augmentation, while
here patches are mirrored and turned.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable

PRETRAINING, SRGAN = 1_000_000, 200_000  # steps


def get_config() -> ConfigDict:
    config = recipe("srgan", players=("pretrain", "generator", "discriminator"))
    config.batch_size = 16
    config.total_images = (PRETRAINING + SRGAN) * 16
    config.tick_images = 160_000
    config.num_samples = 24  # eight images, each as input, result and original
    for adam in config.optimizers.values():
        adam.learning_rate = 1e-4
        adam.beta_1, adam.beta_2 = 0.9, 0.999
    for player in ("generator", "discriminator"):
        half = (PRETRAINING + SRGAN // 2) * 16
        config.optimizers[player].learning_rate = ("step", (0, 1e-4), (half, 1e-5))

    # Model: the arguments of the class.
    config.model.image_size = 96  # of the large patches
    config.model.channels = 3
    config.model.scale = 4
    config.model.num_blocks = 16
    config.model.width = 64
    config.model.architecture = "srresnet"  # or "msrresnet"
    config.model.output = "linear"  # or "tanh"
    config.model.normalized_bias = False
    config.model.trunk_end = "norm"  # or "prelu"
    config.model.discriminator_width = 64
    config.model.content_loss = "vgg54"  # or "vgg22", "mse"
    config.model.vgg_weights = config_dict.placeholder(str)  # None: downloaded once
    config.model.adversarial_weight = schedulable(1e-3)
    config.model.flat_region_weight = schedulable(0.0)  # above 0: even surfaces are to stay even
    config.model.pretrain_images = PRETRAINING * 16
    config.model.ema_half_life_images = schedulable(0)  # no averaged generator

    # Data: patches of large images. Small ones are always made by bicubic interpolation.
    del config.data["resize"]
    config.data.flip = True
    config.data.turn = True
    return config
