import numpy as np
import pytest
import tensorflow as tf

from ganzoo.losses import path_lengths, r1, slope_of_one

RNG = np.random.default_rng(0)


def test_r1_of_a_quadratic_form():
    """D(x) = sum a x^2 has the gradient 2 a x."""
    x, a = (RNG.normal(size=(3, 4, 4, 2)).astype(np.float32) for _ in range(2))
    penalty, logits = r1(
        lambda images: tf.reduce_sum(a * images**2, axis=[1, 2, 3])[:, None], tf.constant(x)
    )
    np.testing.assert_allclose(logits[:, 0], (a * x**2).sum((1, 2, 3)), rtol=1e-4)
    np.testing.assert_allclose(penalty, ((2 * a * x) ** 2).sum((1, 2, 3)) / 2, rtol=1e-4)


def test_r1_has_derivatives_by_weights():
    """D(x) = w sum x^2: the penalty is 2 w^2 sum x^2, its derivative 4 w sum x^2."""
    x, w = tf.constant(RNG.normal(size=(2, 3, 3, 1)).astype(np.float32)), tf.Variable(0.7)
    with tf.GradientTape() as tape:
        penalty, _ = r1(lambda images: w * tf.reduce_sum(images**2, axis=[1, 2, 3])[:, None], x)
        total = tf.reduce_sum(penalty)
    expected = 4 * 0.7 * np.sum(np.square(x))
    assert float(tape.gradient(total, w)) == pytest.approx(expected, rel=1e-5)


def test_path_lengths_of_a_linear_map():
    """J is the matrix itself, so that the length is |J^T y|, averaged over layers."""
    matrix = RNG.normal(size=(2, 5, 48)).astype(np.float32)  # layers, dimensions, pixels
    styles = tf.constant(RNG.normal(size=(3, 2, 5)).astype(np.float32))
    noise = RNG.normal(size=(3, 4, 4, 3)).astype(np.float32)

    def synthesize(styles):
        return tf.reshape(tf.einsum("nld,ldp->np", styles, matrix), [3, 4, 4, 3])

    y = noise.reshape(3, 48) / 4.0  # over the root of 16 pixels
    back = np.einsum("ldp,np->nld", matrix, y)
    expected = np.sqrt((back**2).sum(2).mean(1))
    lengths = path_lengths(synthesize, styles, tf.constant(noise))
    np.testing.assert_allclose(lengths, expected, rtol=1e-4)


def test_slope_of_one_between_two_images():
    """D(x) = sum a x^2 has the gradient 2 a x, here at a quarter of the way."""
    real, fake, a = (RNG.normal(size=(3, 4, 4, 2)).astype(np.float32) for _ in range(3))
    penalty = slope_of_one(
        lambda x: tf.reduce_sum(a * x**2, axis=[1, 2, 3])[:, None],
        tf.constant(real),
        tf.constant(fake),
        tf.fill([3, 1, 1, 1], 0.25),
    )
    slopes = np.sqrt(((2 * a * (0.75 * real + 0.25 * fake)) ** 2).sum((1, 2, 3)))
    np.testing.assert_allclose(penalty, (slopes - 1) ** 2, rtol=1e-4)


def test_slope_of_one_has_derivatives_also_where_there_is_no_slope():
    x, w = tf.ones([2, 3, 3, 1]), tf.Variable([0.0, 2.0])
    with tf.GradientTape() as tape:
        penalty = slope_of_one(lambda x: w[:, None] * x[:, 0, 0], x, x, tf.zeros([2, 1, 1, 1]))
    np.testing.assert_allclose(penalty, [1.0, 1.0], rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(penalty, w), [0.0, 2.0], rtol=1e-5)
