"""The first GAN's default recipe: the authors' for MNIST, for images of any kind.

Generative Adversarial Networks, Goodfellow et al., NIPS 2014, arXiv 1406.2661.

    python -m ganzoo.train --model=gan --dataset=shapes

Values left as placeholders are inferred from the data and printed. The authors' training has no
end; here it is that of the schedule of its momentum, 250 epochs of 50,000 images.
"""

from ml_collections import ConfigDict, config_dict

from ganzoo.recipes import optimizer, recipe, schedulable


def get_config() -> ConfigDict:
    config = recipe("gan", players=("discriminator", "generator"))
    config.batch_size = 100
    config.total_images = 12_500_000
    config.tick_images = 50_000

    # Model: the arguments of the class.
    config.model.image_size = config_dict.placeholder(int)
    config.model.channels = config_dict.placeholder(int)
    config.model.architecture = "paper"
    config.model.latent_dim = 100
    config.model.width = config_dict.placeholder(int)  # None: as published
    config.model.loss = "non_saturating"
    config.model.ema_half_life_images = schedulable(0)  # 0: no average, as in the paper

    # Rates are divided by 1.000004 after each batch, down to 1e-6.
    for player in config.optimizers:
        config.optimizers[player] = optimizer(
            "SGD",
            learning_rate=("exponential", (0, 0.1), (287_823_700, 1e-6)),
            momentum=("linear", (50_000, 0.5), (12_500_000, 0.7)),
        )
    return config
