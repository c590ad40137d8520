"""DCGAN's default recipe: images of any kind, in one of the four sizes.

Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks,
Radford, Metz & Chintala, ICLR 2016, arXiv 1511.06434.

    python -m ganzoo.train --model=dcgan --dataset=celeb_a

Values left as placeholders are inferred from the data and printed. Networks and batch size are
those of the authors' Torch code; "theano" and a batch of 128 are the paper's. Both train for 25
epochs, which is up to the data: here, for as many images as 25 epochs of 256,000.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("dcgan", players=("discriminator", "generator"))

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)  # 28, 32, 64 or 128
    config.model.channels = config_dict.placeholder(int)
    config.model.architecture = "torch"
    config.model.latent_dim = 100
    config.model.width = config_dict.placeholder(int)  # None: as published
    config.model.loss = "non_saturating"  # or "least_squares"
    config.model.ema_half_life_images = schedulable(0)  # 0: no average, as in the paper
    return config
