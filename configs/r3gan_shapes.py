"""R3GAN on the bundled drawings `shapes` at 32 px, for a computer without a GPU.

The GAN is dead; long live the GAN! A Modern Baseline GAN, Huang et al., NeurIPS 2024, arXiv
2501.05441.

    python -m ganzoo.train --model=r3gan --dataset=shapes

The paper has no such data; the lines below that have a comment differ from the default recipe.
"""

from ml_collections import ConfigDict

from ganzoo.config import load

DECAY_IMAGES = 400_000  # paper: 20,000,000 and more


def get_config() -> ConfigDict:
    config = load("r3gan")
    config.data.dataset = "shapes"
    config.data.flip = False
    config.batch_size = 32  # paper: 256 and more
    config.precision = "float32"  # which CPUs compute these in half the time of bfloat16
    config.total_images = 400_000
    config.tick_images = 8_000
    config.model.image_size = 32
    config.model.channels = 3
    config.model.channel_base = 512  # paper: 24576
    config.model.channel_max = 96  # paper: 768
    config.model.num_blocks = 1  # paper: 2
    config.model.gamma = ("cosine", (0, 0.5), (DECAY_IMAGES, 0.05))
    config.model.ema_half_life_images = ("cosine", (0, 0), (DECAY_IMAGES, 20_000))
    for adam in config.optimizers.values():
        adam.learning_rate = ("cosine", (0, 2e-4), (DECAY_IMAGES, 5e-5))
        adam.beta_2 = ("cosine", (0, 0.9), (DECAY_IMAGES, 0.99))
    config.augment.pipe = "none"  # drawings never repeat
    return config
