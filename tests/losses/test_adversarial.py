import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.losses import (
    ADVERSARIAL,
    WASSERSTEIN,
    hinge_discriminator,
    hinge_generator,
    least_squares,
    least_squares_generator,
    non_saturating_discriminator,
    non_saturating_generator,
    relativistic,
    saturating_generator,
)

REAL = np.array([2.0, 0.5, -1.0], np.float32)
FAKE = np.array([-3.0, -0.25, 1.0], np.float32)
LOSSES = pytest.mark.parametrize("name", ADVERSARIAL)


def log1pexp(x):
    return np.log1p(np.exp(x))


def test_hinge_by_hand():
    np.testing.assert_allclose(hinge_discriminator(REAL, FAKE), [0.0, 0.5 + 0.75, 2.0 + 2.0])
    np.testing.assert_allclose(hinge_generator(FAKE), [3.0, 0.25, -1.0])


def test_non_saturating_by_hand():
    expected = log1pexp(-REAL) + log1pexp(FAKE)
    np.testing.assert_allclose(non_saturating_discriminator(REAL, FAKE), expected, rtol=1e-6)
    np.testing.assert_allclose(non_saturating_generator(FAKE), log1pexp(-FAKE), rtol=1e-6)


def test_saturating_by_hand():
    np.testing.assert_allclose(saturating_generator(FAKE), -log1pexp(FAKE), rtol=1e-6)


def test_least_squares_by_hand():
    expected = [(1.0 + 9.0) / 2, (0.25 + 0.0625) / 2, (4.0 + 1.0) / 2]
    np.testing.assert_allclose(least_squares().discriminator(REAL, FAKE), expected)
    np.testing.assert_allclose(least_squares_generator(FAKE), [16.0, 1.5625, 0.0])


def test_least_squares_with_other_targets():
    """Those of the Pearson chi-squared divergence."""
    loss = least_squares(a=-1.0, b=1.0, c=0.0)
    expected = [(1.0 + 4.0) / 2, (0.25 + 0.5625) / 2, (4.0 + 4.0) / 2]
    np.testing.assert_allclose(loss.discriminator(REAL, FAKE), expected)
    np.testing.assert_allclose(loss.generator(FAKE), [4.5, 0.03125, 0.5])
    assert (loss.boundary, least_squares().boundary) == (0.0, 0.5)


def test_wasserstein_by_hand():
    """Scores have no origin: what counts for real are those above the middle of both means."""
    np.testing.assert_allclose(WASSERSTEIN.discriminator(REAL, FAKE), [-5.0, -0.75, 2.0])
    np.testing.assert_allclose(WASSERSTEIN.generator(FAKE), [3.0, 0.25, -1.0])
    for shift in (0.0, 100.0):
        logs = WASSERSTEIN.discriminator_logs(REAL + shift, FAKE + shift)
        assert float(logs["real_sign"]) == pytest.approx(1.0 / 3.0)
        assert float(logs["real_logits"]) == pytest.approx(0.5 + shift)


def test_least_squares_between_its_targets():
    half = np.full((2, 3, 3, 1), 0.5, np.float32)
    np.testing.assert_allclose(least_squares().discriminator(half, half), [0.25, 0.25])
    np.testing.assert_allclose(least_squares().generator(half), [0.125, 0.125])
    np.testing.assert_allclose(least_squares_generator(half), [0.25, 0.25])


def test_undecided_logits():
    zero = np.zeros(2, np.float32)
    np.testing.assert_allclose(non_saturating_discriminator(zero, zero), 2 * np.log([2.0, 2.0]))
    np.testing.assert_allclose(non_saturating_generator(zero), np.log([2.0, 2.0]))
    np.testing.assert_allclose(hinge_discriminator(zero, zero), [2.0, 2.0])
    np.testing.assert_allclose(hinge_generator(zero), zero)


def test_relativistic_by_hand():
    np.testing.assert_allclose(relativistic(REAL, FAKE), log1pexp(FAKE - REAL), rtol=1e-6)
    shifted = relativistic(REAL + 5.0, FAKE + 5.0)  # an offset of both changes nothing
    np.testing.assert_allclose(shifted, relativistic(REAL, FAKE), rtol=1e-5)


def test_non_saturating_stays_finite_where_exponentials_overflow():
    sure = np.array([200.0], np.float32)
    np.testing.assert_allclose(non_saturating_discriminator(-sure, sure), [400.0])
    np.testing.assert_allclose(non_saturating_generator(-sure), [200.0])


@LOSSES
def test_the_players_pull_the_fakes_apart_and_the_reals_up(name):
    real, fake = tf.Variable([0.5]), tf.Variable([0.25])
    with tf.GradientTape(persistent=True) as tape:
        discriminator = ADVERSARIAL[name].discriminator(real, fake)
        generator = ADVERSARIAL[name].generator(fake)
    assert tape.gradient(discriminator, real) < 0 < tape.gradient(discriminator, fake)
    assert tape.gradient(generator, fake) < 0


@LOSSES
def test_gradients_are_finite_differences(name):
    def check(loss, inputs):
        variables = [tf.Variable(value) for value in inputs]
        with tf.GradientTape() as tape:
            losses = loss(*variables)
        for k, gradient in enumerate(tape.gradient(losses, variables)):
            up, down = ([*inputs[:k], inputs[k] + s, *inputs[k + 1 :]] for s in (1e-2, -1e-2))
            np.testing.assert_allclose(gradient, (loss(*up) - loss(*down)) / 2e-2, atol=1e-3)

    away_from_kinks = np.array([2.0, 0.5, -0.5], np.float32)
    check(ADVERSARIAL[name].discriminator, [away_from_kinks, -away_from_kinks[::-1]])
    check(ADVERSARIAL[name].generator, [away_from_kinks])


@LOSSES
@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 2, 4, 1)], ids=str)
def test_each_example_gets_the_mean_of_its_patches(name, shape):
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, *shape)).astype(np.float32)
    loss = ADVERSARIAL[name]
    for inputs, function in [((real, fake), loss.discriminator), ((fake,), loss.generator)]:
        patches = np.reshape(function(*[x.ravel() for x in inputs]), (3, -1))
        outputs = function(*inputs)
        assert outputs.shape == (3,)
        np.testing.assert_allclose(outputs, patches.mean(axis=1), rtol=1e-5, atol=1e-6)


@LOSSES
def test_columns_of_bfloat16_become_rows_of_float32(name):
    real, fake = (keras.ops.cast(x[:, None], "bfloat16") for x in (REAL, FAKE))
    for loss, exact in [
        (ADVERSARIAL[name].discriminator(real, fake), ADVERSARIAL[name].discriminator(REAL, FAKE)),
        (ADVERSARIAL[name].generator(fake), ADVERSARIAL[name].generator(FAKE)),
    ]:
        assert loss.dtype == tf.float32
        assert loss.shape == exact.shape == (3,)
        np.testing.assert_allclose(loss, exact, rtol=0.02, atol=0.01)
