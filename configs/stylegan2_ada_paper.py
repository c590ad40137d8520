"""The official configurations "paper256", "paper512" and "paper1024" of StyleGAN2-ADA.

Training Generative Adversarial Networks with Limited Data, Karras et al., NeurIPS 2020, arXiv
2006.06676. The number at the end of the name is the size of the images, in pixels:

    python -m ganzoo.train --config=stylegan2_ada_paper256 --dataset=folder:PATH
    python -m ganzoo.train --config=stylegan2_ada_paper512 --dataset=folder:PATH
    python -m ganzoo.train --config=stylegan2_ada_paper1024 --dataset=folder:PATH

They were run on eight GPUs; a batch counts the images of all devices together.
"""

from ml_collections import ConfigDict

from ganzoo.config import load

R1_GAMMA = {256: 1.0, 512: 0.5, 1024: 2.0}


def get_config(image_size: int = 256) -> ConfigDict:
    largest = image_size == 1024
    rate = 0.002 if largest else 0.0025
    config = load("stylegan2_ada")
    config.batch_size = 32 if largest else 64
    config.model.image_size = image_size
    config.model.mapping_layers = 8
    config.model.channel_base = 16384 if image_size == 256 else 32768
    config.model.minibatch_stddev_group = 4 if largest else 8  # images on a device, at least
    config.model.r1_gamma = R1_GAMMA[image_size]
    config.model.ema_half_life_images = 10000 if largest else 20000
    config.model.ema_ramp_up = 0.0
    config.optimizers.generator.learning_rate = rate * 4 / 5
    config.optimizers.discriminator.learning_rate = rate * 16 / 17
    return config
