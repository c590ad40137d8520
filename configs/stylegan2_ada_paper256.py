"""The official configuration "paper256" of StyleGAN2-ADA, for 256 px.

Training Generative Adversarial Networks with Limited Data, Karras et al., NeurIPS 2020, arXiv
2006.06676.

    python -m ganzoo.train --config=stylegan2_ada_paper256 --dataset=folder:PATH

It was run on eight GPUs; a batch counts the images of all devices together.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("stylegan2_ada")
    config.batch_size = 64
    config.model.image_size = 256
    config.model.mapping_layers = 8
    config.model.channel_base = 16384
    config.model.minibatch_stddev_group = 8  # images on a device, at least
    config.model.r1_gamma = 1.0
    config.model.ema_half_life_images = 20000
    config.model.ema_ramp_up = 0.0
    config.optimizers.generator.learning_rate = 0.0025 * 4 / 5
    config.optimizers.discriminator.learning_rate = 0.0025 * 16 / 17
    return config
