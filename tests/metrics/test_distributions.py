import numpy as np
import pytest
import scipy.linalg

from ganzoo.metrics import (
    Moments,
    density_coverage,
    frechet_distance,
    inception_score,
    kernel_distance,
    mode_coverage,
    neighbors,
    precision_recall,
)

RNG = np.random.default_rng(0)


def of_set(features):
    moments = Moments()
    for part in np.array_split(features, 3):
        moments.add(part)
    return moments


def test_moments_are_those_of_numpy_whatever_the_batches():
    features = RNG.normal(3.0, 2.0, (100, 5))
    moments = of_set(features)
    np.testing.assert_allclose(moments.mean(), features.mean(axis=0))
    np.testing.assert_allclose(moments.covariance(), np.cov(features, rowvar=False))
    np.testing.assert_allclose(moments.covariance(ddof=0), np.cov(features.T, bias=True))
    assert moments.count == 100


def test_frechet_distance_in_one_dimension():
    assert frechet_distance([0.0], [[1.0]], [1.0], [[4.0]]) == pytest.approx(2.0)


@pytest.mark.parametrize("rows, others", [(200, 300), (10, 300), (10, 12)])
def test_frechet_distance_is_that_of_the_matrix_root(rows, others):
    """Also with fewer features than dimensions, where covariances lack rank."""
    mix = RNG.normal(size=(20, 20))
    first, second = of_set(RNG.normal(size=(rows, 20)) @ mix), of_set(RNG.normal(size=(others, 20)))
    pair = [(m.mean(), m.covariance()) for m in (first, second)]
    (mean, covariance), (other_mean, other_covariance) = pair
    # SciPy's root is inexact for singular matrices; a tiny multiple of 1 makes them regular.
    regular = [c + 1e-10 * np.eye(20) for c in (covariance, other_covariance)]
    root = scipy.linalg.sqrtm(regular[0] @ regular[1]).real
    expected = np.sum((mean - other_mean) ** 2)
    expected += np.trace(covariance + other_covariance - 2.0 * root)
    assert frechet_distance(*pair[0], *pair[1]) == pytest.approx(expected, rel=1e-4)


def test_a_set_has_no_distance_from_itself():
    moments = of_set(RNG.normal(size=(30, 50)))
    same = moments.mean(), moments.covariance()
    assert frechet_distance(*same, *same) == pytest.approx(0.0, abs=1e-6)


def test_features_of_two_networks_and_nan_are_refused():
    with pytest.raises(ValueError, match="take both from one network"):
        frechet_distance(np.zeros(2), np.eye(2), np.zeros(3), np.eye(3))
    with pytest.raises(ValueError, match="not finite"):
        frechet_distance(np.array([np.nan]), np.eye(1), np.zeros(1), np.eye(1))


def test_kernel_distance_by_hand():
    """1 + 27 - 2 * 9.25."""
    assert kernel_distance([[0.0], [1.0]], [[1.0], [2.0]], subsets=3) == pytest.approx(9.5)


def test_kernel_distance_is_unbiased():
    values = [
        kernel_distance(RNG.normal(size=(50, 4)), RNG.normal(size=(50, 4)), 1) for _ in range(400)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))


def test_inception_score_of_extreme_predictions():
    assert inception_score(np.full((100, 10), 0.1))[0] == pytest.approx(1.0)
    one_hot = np.tile(np.eye(10), (10, 1))
    assert inception_score(one_hot) == pytest.approx((10.0, 0.0))


def test_precision_and_recall_by_hand():
    real = np.array([[0.0], [1], [2], [3], [10]])
    fake = np.array([[0.5], [-2], [12], [25]])
    assert precision_recall(real, fake) == (0.75, 1.0)


def test_precision_recall_density_and_coverage_against_brute_force(monkeypatch):
    monkeypatch.setattr(neighbors, "BLOCK", 7)
    real, fake = RNG.normal(size=(40, 3)), RNG.normal(0.7, 1.2, (30, 3))

    def distances(a, b):
        return np.linalg.norm(a[:, None] - b, axis=2)

    def inside(points, centers, k):
        radii = np.sort(distances(centers, centers), axis=1)[:, k]
        return distances(points, centers) <= radii + 1e-5

    expected = inside(fake, real, 3).any(1).mean(), inside(real, fake, 3).any(1).mean()
    assert precision_recall(real, fake) == pytest.approx(expected)
    balls = inside(fake, real, 5)
    assert density_coverage(real, fake) == pytest.approx((balls.sum() / 150, balls.any(0).mean()))


def test_mode_coverage_by_hand():
    def of_classes(*classes):
        return np.eye(4)[list(classes)]

    covered, divergence = mode_coverage(of_classes(0, 0, 1, 2), of_classes(0, 1, 1, 1))
    assert covered == 2
    assert divergence == pytest.approx(0.25 * np.log(0.5) + 0.75 * np.log(3))
    assert mode_coverage(of_classes(0, 1), of_classes(1, 0)) == (2, 0.0)
    assert mode_coverage(of_classes(0, 1), of_classes(0, 3)) == (1, np.inf)
