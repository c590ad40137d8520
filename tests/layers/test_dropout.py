"""Dropout: as many values as wished are 0, and which ones follows from the random numbers."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import dropout, gaussian_noise
from ganzoo.seeds import Random

X = tf.ones([8, 16, 16, 4])


def test_a_share_is_dropped_and_the_mean_stays():
    y = np.asarray(dropout(X, 0.25, Random(0, 0), "a"))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert y.mean() == pytest.approx(1.0, abs=0.03)


def test_the_random_numbers_decide():
    y = dropout(X, 0.5, Random(1, 2), "a")
    np.testing.assert_array_equal(y, dropout(X, 0.5, Random(1, 2), "a"))
    for random, stream in ((Random(1, 3), "a"), (Random(2, 2), "a"), (Random(1, 2), "b")):
        assert np.abs(y - dropout(X, 0.5, random, stream)).max() > 0
    halves = [dropout(X[:4], 0.5, Random(1, 2, part, 2), "a") for part in range(2)]
    np.testing.assert_array_equal(y, tf.concat(halves, axis=0))  # as two replicas have them


def test_noise_has_its_deviation_and_follows_from_the_random_numbers():
    noise = np.asarray(gaussian_noise(X, 0.3, Random(0, 0), "a") - X)
    assert noise.mean() == pytest.approx(0.0, abs=0.01)
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    np.testing.assert_array_equal(noise, gaussian_noise(X, 0.3, Random(0, 0), "a") - X)
    assert np.abs(noise - (gaussian_noise(X, 0.3, Random(0, 0), "b") - X)).max() > 0


def test_nothing_is_dropped_or_added_without_them():
    for amount, random in ((0.5, None), (0.0, Random(0, 0))):
        assert dropout(X, amount, random, "a") is X
        assert gaussian_noise(X, amount, random, "a") is X


def test_half_precision_stays():
    y = dropout(tf.cast(X, tf.bfloat16), 0.5, Random(0, 0), "a")
    assert y.dtype == tf.bfloat16
    exact = dropout(X, 0.5, Random(0, 0), "a")
    np.testing.assert_array_equal(tf.cast(y, tf.float32), exact)


def test_sides_may_be_unknown():
    @tf.function(input_signature=[tf.TensorSpec([8, None, None, 4])], autograph=False)
    def run(x):
        return dropout(x, 0.5, Random(0, 0), "a")

    np.testing.assert_array_equal(run(X), dropout(X, 0.5, Random(0, 0), "a"))
