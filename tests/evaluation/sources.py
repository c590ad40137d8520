"""Small sources of images, in memory."""

import numpy as np

from ganzoo.data import ArraySource


def source_of(images, labels=None):
    """Of images `[N, S, S, C]`, uint8, with labels `[N]` if they are given."""
    names = () if labels is None else map(str, range(int(max(labels)) + 1))
    return ArraySource.of_images(images, labels, tuple(names), name="few")


def noise(count, size=32, channels=3, seed=0):
    """Images without meaning."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, size, size, channels), np.uint8)
