"""The official configuration "paper1024" of StyleGAN2-ADA, for 1024 px.

Training Generative Adversarial Networks with Limited Data, Karras et al., NeurIPS 2020, arXiv
2006.06676.

    python -m ganzoo.train --config=stylegan2_ada_paper1024 --dataset=folder:PATH

It was run on eight GPUs; a batch counts the images of all devices together.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("stylegan2_ada_paper512")
    config.batch_size = 32
    config.model.image_size = 1024
    config.model.minibatch_stddev_group = 4  # images on a device, at least
    config.model.r1_gamma = 2.0
    config.model.ema_half_life_images = 10000
    config.optimizers.generator.learning_rate = 0.002 * 4 / 5
    config.optimizers.discriminator.learning_rate = 0.002 * 16 / 17
    return config
