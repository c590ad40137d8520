"""Small sources of images, in memory."""

import hashlib

import numpy as np

from ganzoo.data import ArraySource


def source_of(images, labels=None):
    """Of images `[N, S, S, C]`, uint8, with labels `[N]` if they are given."""
    num_classes = 0 if labels is None else int(max(labels)) + 1
    return ArraySource(
        name="few",
        image_size=images.shape[1],
        channels=images.shape[3],
        num_classes=num_classes,
        class_names=tuple(map(str, range(num_classes))),
        fingerprint=hashlib.sha256(images.tobytes()).hexdigest(),
        preparation={},
        images=images,
        labels=np.zeros([len(images)], np.int32) if labels is None else np.int32(labels),
    )


def noise(count, size=32, channels=3, seed=0):
    """Images without meaning."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, size, size, channels), np.uint8)
