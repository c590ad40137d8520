"""How well two sets of features cover each other, by the balls around their nearest neighbors.

Features are arrays `[N, D]`, worked on in float32. Distances are made by TensorFlow, on its current
device, a block of rows at a time.
"""

import numpy as np
import tensorflow as tf

BLOCK = 1024  # rows of a matrix of distances that are in memory at once


def precision_recall(real, fake, neighbors: int = 3) -> tuple[float, float]:
    """Improved precision and recall: Kynkaanniemi et al. 2019, eq. 1 and 2.

    https://arxiv.org/abs/1904.06991

    Each set covers the balls around its features that reach to the k-th nearest other one.

    Args:
        real: `[N, D]`, worked on in float32.
        fake: `[M, D]`.
        neighbors: k.

    Returns:
        precision, the share of fakes that real balls cover, and recall, the converse.
    """
    real, fake = tf.cast(real, tf.float32), tf.cast(fake, tf.float32)
    real_radii, fake_radii = _radii(real, neighbors), _radii(fake, neighbors)
    precise, recalled = 0, tf.zeros([len(real)], tf.bool)
    for part in _blocks(fake):
        inside, reached = _covered(fake[part], real, real_radii, fake_radii[part])
        precise += int(inside)
        recalled |= reached
    return precise / len(fake), float(np.mean(recalled))


def density_coverage(real, fake, neighbors: int = 5) -> tuple[float, float]:
    """Density and coverage: Naeem et al. 2020, eq. 5 and 6.

    https://arxiv.org/abs/2002.09797

    Args:
        real: `[N, D]`, worked on in float32.
        fake: `[M, D]`.
        neighbors: k, of the real balls.

    Returns:
        density, how many real balls cover a fake, over k; coverage, the share of real balls that
        hold a fake.
    """
    real, fake = tf.cast(real, tf.float32), tf.cast(fake, tf.float32)
    radii, covering, holding = _radii(real, neighbors), 0, tf.zeros([len(real)], tf.bool)
    for part in _blocks(fake):
        count, held = _covering(fake[part], real, radii)
        covering += int(count)
        holding |= held
    return covering / (neighbors * len(fake)), float(np.mean(holding))


def _blocks(points):
    """Slices of `BLOCK` rows."""
    return (slice(start, start + BLOCK) for start in range(0, len(points), BLOCK))


def _radii(points, neighbors: int):
    """The squared distance of each point to its k-th nearest other one, `[N]`."""
    return tf.concat([_reach(points[part], points, neighbors) for part in _blocks(points)], axis=0)


@tf.function(autograph=False, reduce_retracing=True)
def _reach(points, others, neighbors: int):
    nearest, _ = tf.math.top_k(-_squared_distances(points, others), neighbors + 1)
    return -nearest[:, neighbors]  # itself is the 0th


@tf.function(autograph=False, reduce_retracing=True)
def _covered(fake, real, real_radii, fake_radii):
    """How many fakes lie in balls of real ones, and which real ones in balls of these fakes."""
    distances = _squared_distances(fake, real)
    inside = tf.reduce_any(distances <= real_radii, axis=1)
    reached = tf.reduce_any(distances <= fake_radii[:, None], axis=0)
    return tf.math.count_nonzero(inside), reached


@tf.function(autograph=False, reduce_retracing=True)
def _covering(fake, real, radii):
    """How often balls of real ones cover these fakes, and which balls hold one of them."""
    inside = _squared_distances(fake, real) <= radii
    return tf.math.count_nonzero(inside), tf.reduce_any(inside, axis=0)


def _squared_distances(points, others):
    norms = tf.reduce_sum(points**2, axis=1)[:, None] + tf.reduce_sum(others**2, axis=1)
    products = tf.matmul(points, others, transpose_b=True)
    return tf.maximum(norms - 2.0 * products, 0.0)
