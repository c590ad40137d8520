"""Augmentations that work on batches of images inside the training step."""

from ganzoo.augment.rotation import (
    NUM_ROTATIONS,
    ROTATION_BATCHES,
    rotate90,
    rotation_batch_quarter,
    rotation_batch_split,
)

__all__ = [
    "NUM_ROTATIONS",
    "ROTATION_BATCHES",
    "rotate90",
    "rotation_batch_quarter",
    "rotation_batch_split",
]
