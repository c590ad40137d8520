"""WGAN with a gradient penalty in place of clipped weights, WGAN-GP: images of any kind.

Improved Training of Wasserstein GANs, Gulrajani, Ahmed, Arjovsky, Dumoulin & Courville, NeurIPS
2017, arXiv 1704.00028.

    python -m ganzoo.train --config=wgan_gp --dataset=folder:PATH

Values left as placeholders are inferred from the data and printed. Optimizers, penalty and batch
size are those of the authors' code for 64 px, which makes 200,000 generator steps.
"""

from ml_collections import ConfigDict

from ganzoo.config import load
from ganzoo.recipes import optimizer


def get_config() -> ConfigDict:
    config = load("wgan")
    config.total_images = 64_000_000
    for player in config.optimizers:
        config.optimizers[player] = optimizer(learning_rate=1e-4, beta_1=0.0, beta_2=0.9)
    config.model.latent_dim = 128
    config.model.clip_weights = 0.0
    config.model.gradient_penalty_weight = 10.0
    return config
