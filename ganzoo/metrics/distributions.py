"""How near a set of generated images comes to a set of real ones, by their features.

All functions take features as arrays `[N, D]`, compute in float64, or in float32 where they say so,
and know nothing of networks: what the numbers may be called depends on which network made them.
"""

from __future__ import annotations

import numpy as np

BLOCK = 4096  # rows of a matrix of distances that are in memory at once


class Moments:
    """Mean and covariance of features that come in batches, in float64.

    Attributes:
        count: features seen.
        sum: of the features, `[D]`.
        products: sum of their outer products, `[D, D]`.
    """

    def __init__(self, count: int = 0, sum=0.0, products=0.0):
        self.count, self.sum, self.products = count, sum, products

    def add(self, features) -> None:
        """Takes a batch `[N, D]` into account."""
        features = np.asarray(features, np.float64)
        self.count += len(features)
        self.sum = self.sum + features.sum(axis=0)
        self.products = self.products + features.T @ features

    def mean(self) -> np.ndarray:
        """`[D]`."""
        return self.sum / self.count

    def covariance(self, ddof: int = 1) -> np.ndarray:
        """`[D, D]`; divided by N - ddof, which is 1 in most codes, 0 in that of StyleGAN2-ADA."""
        mean = self.mean()
        return (self.products - self.count * np.outer(mean, mean)) / (self.count - ddof)


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
    features, others = np.asarray(features, np.float64), np.asarray(others, np.float64)
    rng, size = np.random.default_rng(seed), min(subset_size, len(features), len(others))
    total = 0.0
    for _ in range(subsets):
        x = features[rng.choice(len(features), size, replace=False)]
        y = others[rng.choice(len(others), size, replace=False)]
        own = _kernel(x, x) + _kernel(y, y)
        total += (own.sum() - np.trace(own)) / (size * (size - 1)) - 2.0 * _kernel(x, y).mean()
    return float(total / subsets)


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
    real, fake = np.asarray(real, np.float32), np.asarray(fake, np.float32)
    real_radii, fake_radii = _radii(real, neighbors), _radii(fake, neighbors)
    precise, recalled = 0, np.zeros(len(real), bool)
    for start in range(0, len(fake), BLOCK):
        part = slice(start, start + BLOCK)
        distances = _squared_distances(fake[part], real)
        precise += np.count_nonzero((distances <= real_radii).any(axis=1))
        recalled |= (distances <= fake_radii[part, None]).any(axis=0)
    return float(precise / len(fake)), float(recalled.mean())


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
    real, fake = np.asarray(real, np.float32), np.asarray(fake, np.float32)
    radii, covering, holding = _radii(real, neighbors), 0, np.zeros(len(real), bool)
    for start in range(0, len(fake), BLOCK):
        inside = _squared_distances(fake[start : start + BLOCK], real) <= radii
        covering += np.count_nonzero(inside)
        holding |= inside.any(axis=0)
    return float(covering / (neighbors * len(fake))), float(holding.mean())


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


def _radii(points, neighbors: int) -> np.ndarray:
    """The squared distance of each point to its k-th nearest other one."""
    parts = []
    for start in range(0, len(points), BLOCK):
        distances = _squared_distances(points[start : start + BLOCK], points)
        parts.append(np.partition(distances, neighbors, axis=1)[:, neighbors])  # itself is the 0th
    return np.concatenate(parts)


def _squared_distances(points, others) -> np.ndarray:
    norms = np.sum(points**2, axis=1)[:, None] + np.sum(others**2, axis=1)
    return np.maximum(norms - 2.0 * points @ others.T, 0.0)


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric square root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _kernel(x, y):
    return (x @ y.T / x.shape[1] + 1.0) ** 3


def _log(p):
    """With 0 for p = 0, where p log p is 0."""
    return np.log(np.where(p > 0, p, 1.0))
