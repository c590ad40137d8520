"""AC-GAN on the bundled procedural shapes at 32 px, by their forms: nothing to download.

Conditional Image Synthesis with Auxiliary Classifier GANs, Odena, Olah & Shlens, ICML 2017,
arXiv 1610.09585.

    python -m ganzoo.train --model=acgan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load


def get_config() -> ConfigDict:
    config = load("acgan")
    config.data.dataset = "shapes"
    config.batch_size = 32  # paper: 100; more steps in the same time
    config.total_images = 160_000
    config.tick_images = 16_000
    config.model.image_size = 32
    config.model.channels = 3
    config.model.architecture = "dcgan"  # paper: "paper"; trains steadily at few images
    config.model.generator_width = 128
    config.model.discriminator_width = 256  # paper: 512
    config.model.dropout_rate = 0.2  # paper: 0.5
    config.model.ema_half_life_images = 5_000  # none
    return config
