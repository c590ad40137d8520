"""StyleGAN2-ADA on CIFAR-10, unconditional: the official "cifar".

Training Generative Adversarial Networks with Limited Data, Karras et al., NeurIPS 2020, arXiv
2006.06676.

    python -m ganzoo.train --model=stylegan2_ada --dataset=cifar10

It was run on two GPUs. The paper has an FID of 2.92 (50,000 images against the training set, the
best of the run); conditional, with `--config.data.labels=true`, of 2.42. Not yet measured here.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("stylegan2_ada")
    config.data.dataset = "cifar10"
    config.batch_size = 64
    config.total_images = 100_000_000
    config.tick_images = 200_000
    config.model.image_size = 32
    config.model.channels = 3
    config.model.channel_base = 16384
    config.model.discriminator_architecture = "orig"
    config.model.minibatch_stddev_group = 32  # images on a device, at least
    config.model.style_mixing = 0.0
    config.model.r1_gamma = 0.01
    config.model.path_length_weight = 0.0
    config.model.ema_half_life_images = 500_000
    config.optimizers.generator.learning_rate = 0.0025 * 4 / 5  # though there is no such penalty
    config.optimizers.discriminator.learning_rate = 0.0025 * 16 / 17
    return config
