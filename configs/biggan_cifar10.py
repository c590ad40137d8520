"""BigGAN on CIFAR-10, as the author trained it.

Large Scale GAN Training for High Fidelity Natural Image Synthesis, Brock, Donahue & Simonyan,
ICLR 2019, arXiv 1809.11096.

    python -m ganzoo.train --model=biggan --dataset=cifar10

The values are those of the script launch_cifar_ema.sh of github.com/ajbrock/BigGAN-PyTorch.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("biggan")
    config.data.dataset = "cifar10"
    config.data.flip = False
    config.batch_size = 50
    config.total_images = 500_000 * 50  # 125,000 steps of the generator
    config.tick_images = 500_000
    for adam in config.optimizers.values():
        adam.learning_rate, adam.epsilon = 2e-4, 1e-8
    config.model.image_size = 32
    config.model.channels = 3
    config.model.num_classes = 10
    config.model.latent_dim = 128
    config.model.generator_width = 64
    config.model.discriminator_width = 64
    config.model.shared_dim = 0
    config.model.hierarchical = False
    config.model.attention = ()
    config.model.initializer = "normal"
    config.model.discriminator_steps = 4
    config.model.ema_half_life_images = 1_386_000  # 0.9999 a step of the generator
    return config
