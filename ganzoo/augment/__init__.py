"""Augmentations that work on batches of images inside the training step."""

from ganzoo.augment.augmentation import Augmentation
from ganzoo.augment.diffaugment import DiffAugment
from ganzoo.augment.options import make
from ganzoo.augment.pipe import PIPES, AugmentPipe
from ganzoo.augment.rotation import (
    NUM_ROTATIONS,
    ROTATION_BATCHES,
    Rotation,
    rotate90,
    rotation_batch_quarter,
    rotation_batch_split,
)
from ganzoo.augment.strength import AdaptiveStrength, Strength
