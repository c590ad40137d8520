"""How near a set of generated images comes to a set of real ones, by their features.

All functions take features as arrays `[N, D]`, compute in float64, or in float32 where they say so,
and know nothing of networks: what the numbers may be called depends on which network made them.
"""

import numpy as np
import tensorflow as tf


class Moments:
    """Mean and covariance of features that come in batches, in float64, on their device.

    Attributes:
        count: features seen.
        sum: of the features, `[D]`; None before the first.
        products: sum of their outer products, `[D, D]`.
    """

    def __init__(self, count: int = 0, sum=None, products=None):
        self.count, self.sum, self.products = count, sum, products

    def add(self, features) -> None:
        """Takes a batch `[N, D]` into account."""
        features = tf.cast(features, tf.float64)
        if self.sum is None:
            width = features.shape[1]
            self.sum = tf.Variable(tf.zeros([width], tf.float64))
            self.products = tf.Variable(tf.zeros([width, width], tf.float64))
        self.count += len(features)
        self.sum.assign_add(tf.reduce_sum(features, axis=0))
        self.products.assign_add(tf.matmul(features, features, transpose_a=True))

    def mean(self) -> np.ndarray:
        """`[D]`."""
        return np.asarray(self.sum) / self.count

    def covariance(self, ddof: int = 1) -> np.ndarray:
        """`[D, D]`; divided by N - ddof, which is 1 in most codes, 0 in that of StyleGAN2-ADA."""
        mean = self.mean()
        products = np.asarray(self.products)
        return (products - self.count * np.outer(mean, mean)) / (self.count - ddof)


def frechet_distance(mean, covariance, other_mean, other_covariance) -> float:
    """|m1 - m2|^2 + Tr(C1 + C2 - 2 (C1 C2)^(1/2)): Heusel et al. 2017, eq. 6.

    https://arxiv.org/abs/1706.08500

    The eigenvalues of C1 C2 are those of the symmetric C1^(1/2) C2 C1^(1/2), which are real, also
    where covariances lack rank; tiny negative ones are rounding.

    Args:
        mean: `[D]`.
        covariance: `[D, D]`.
        other_mean: `[D]`.
        other_covariance: `[D, D]`.

    Raises:
        ValueError: when the dimensions differ, or a number is not finite.
    """
    arrays = [np.asarray(a, np.float64) for a in (mean, covariance, other_mean, other_covariance)]
    mean, covariance, other_mean, other_covariance = arrays
    if mean.shape != other_mean.shape or covariance.shape != other_covariance.shape:
        raise ValueError(
            f"features of {mean.shape[-1]} and of {other_mean.shape[-1]} dimensions have no"
            " distance: take both from one network"
        )
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("features are not finite: the images, or the network, hold NaN")
    root = _root(covariance)
    eigenvalues = np.linalg.eigvalsh(root @ other_covariance @ root)
    cross = np.sqrt(np.maximum(eigenvalues, 0.0)).sum()
    difference = np.sum((mean - other_mean) ** 2)
    return float(difference + np.trace(covariance) + np.trace(other_covariance) - 2.0 * cross)


def kernel_distance(
    features, others, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> float:
    """Unbiased squared MMD with the kernel (x.y / D + 1)^3: Binkowski et al. 2018, section 4.

    https://arxiv.org/abs/1801.01401

    Args:
        features: `[N, D]`.
        others: `[M, D]`.
        subsets: how many pairs of random subsets are averaged.
        subset_size: features in each, at most N and M.
        seed: of the subsets.

    Returns:
        the mean, which may be slightly negative.
    """
    features, others = np.asarray(features), np.asarray(others)
    rng, size = np.random.default_rng(seed), min(subset_size, len(features), len(others))
    total = 0.0
    for _ in range(subsets):
        x, y = (
            tf.constant(array[rng.choice(len(array), size, replace=False)], tf.float64)
            for array in (features, others)
        )
        total += float(_squared_mmd(x, y))
    return total / subsets


def inception_score(probabilities, splits: int = 10) -> tuple[float, float]:
    """exp(mean KL(p(y|x) || p(y))), its mean and deviation over splits: Salimans et al. 2016.

    https://arxiv.org/abs/1606.03498

    Args:
        probabilities: of the classes, `[N, classes]`.
        splits: consecutive parts, each with a p(y) of its own.
    """
    scores = []
    for part in np.array_split(np.asarray(probabilities, np.float64), splits):
        marginal = part.mean(axis=0)
        divergence = part * (_log(part) - _log(marginal))
        scores.append(np.exp(divergence.sum(axis=1).mean()))
    return float(np.mean(scores)), float(np.std(scores))


def mode_coverage(real, fake) -> tuple[int, float]:
    """How many of the classes that real images have are generated, and how evenly.

    As Metz et al. 2017 count them, https://arxiv.org/abs/1611.02163, section 3.3.1: an image is of
    its most probable class.

    Args:
        real: probabilities of the classes, `[N, K]`.
        fake: likewise, `[M, K]`.

    Returns:
        the number of real images' classes that generated images have, and the divergence
        KL(q || p) of the classes' shares q among generated from p among real images, in nats;
        infinite where a class is generated that no real image has.
    """
    shares = []
    for probabilities in (real, fake):
        probabilities = np.asarray(probabilities)
        counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
        shares.append(counts / counts.sum())
    p, q = shares
    if (q[p == 0] > 0).any():
        return int(np.count_nonzero(q[p > 0])), float("inf")
    return int(np.count_nonzero(q)), float(np.sum(q * (_log(q) - _log(p))))


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


@tf.function(autograph=False)
def _squared_mmd(x, y):
    """Unbiased, of two sets of one size."""
    size = x.shape[0]
    own = _kernel(x, x) + _kernel(y, y)
    pairs = tf.reduce_sum(own) - tf.linalg.trace(own)
    return pairs / (size * (size - 1)) - 2.0 * tf.reduce_mean(_kernel(x, y))


def _kernel(x, y):
    return (tf.matmul(x, y, transpose_b=True) / x.shape[1] + 1.0) ** 3


def _log(p):
    """With 0 for p = 0, where p log p is 0."""
    return np.log(np.where(p > 0, p, 1.0))
