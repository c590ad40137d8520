"""SSGAN's default recipe: the paper's training on images of any kind.

Self-Supervised GANs via Auxiliary Rotation Loss, Chen et al., CVPR 2019, arXiv 1811.11212.

    python -m ganzoo.train --model=ssgan --dataset=folder:PATH

Values left as placeholders are inferred from the data and printed.
"""

from ml_collections import ConfigDict, config_dict


def get_config() -> ConfigDict:
    config = ConfigDict()

    # Run. Durations are counted in real images shown to the discriminator.
    config.seed = 0
    config.batch_size = 64
    config.total_images = 100_000 * 2 * 64  # 100,000 generator steps
    config.tick_images = 64_000  # between two log lines, sample grids and checkpoints
    config.keep_checkpoints = 2
    config.num_samples = 64  # images of a sample grid
    config.jit = "auto"
    config.precision = "auto"

    # Model: the arguments of the class.
    config.model_name = "ssgan"
    config.model = ConfigDict()
    config.model.image_size = config_dict.placeholder(int)  # 32, 48, 64 or 128
    config.model.channels = config_dict.placeholder(int)
    config.model.num_classes = config_dict.placeholder(int)  # 0: labels are not used
    config.model.architecture = "compare_gan"
    config.model.latent_dim = 128
    config.model.generator_width = config_dict.placeholder(int)  # None: as published
    config.model.discriminator_width = config_dict.placeholder(int)
    config.model.self_modulation = False  # True: the paper's sBN, its second row
    config.model.loss = "hinge"
    config.model.rotation_batch = "quarter"  # the last quarter of the batch in four rotations
    config.model.generator_rotation_weight = 0.2
    config.model.discriminator_rotation_weight = 1.0
    config.model.discriminator_steps = 2  # per generator step
    config.model.ema_half_life_images = 0  # 0: no average, as in the paper

    # Optimizers, one for each player.
    config.optimizers = ConfigDict()
    config.optimizers.discriminator = _adam()
    config.optimizers.generator = _adam()

    # Data.
    config.data = ConfigDict()
    config.data.dataset = config_dict.placeholder(str)
    config.data.split = "train"
    config.data.data_dir = config_dict.placeholder(str)  # None: where TFDS keeps its data
    config.data.resize = "lanczos"
    config.data.flip = False
    config.data.labels = False
    config.data.background = "white"  # what shows through transparent pixels
    config.data.on_bad_file = "fail"
    return config


def _adam() -> ConfigDict:
    return ConfigDict(
        {
            "learning_rate": 2e-4,
            "beta_1": 0.0,
            "beta_2": 0.9,
            "epsilon": 1e-8,
            "decay_start_images": 0,  # linear to zero between the two; both 0: constant
            "decay_end_images": 0,
        }
    )
