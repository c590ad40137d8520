import keras
import numpy as np
import pytest

from ganzoo.layers import ConditionalBatchNorm, batch_norm

RNG = np.random.default_rng(0)
X = RNG.normal(2.0, 3.0, size=(6, 4, 4, 3)).astype(np.float32)
CLASSES = np.eye(4, dtype=np.float32)[[0, 1, 2, 3, 0, 1]]
LATENTS = RNG.normal(size=(6, 5)).astype(np.float32)


def randomized(layer, condition):
    """The layer with weights and moments that none of its parts starts with."""
    layer.build(X.shape, condition.shape)
    rng = np.random.default_rng(1)
    for variable in layer.variables:
        variable.assign(rng.uniform(0.5, 2.0, variable.shape))
    return layer


def standardized(x, mean, variance):
    return (x - mean) / np.sqrt(variance + 1e-5)


def rows(values):
    return values[:, None, None, :]


def test_each_class_has_its_scale_and_offset():
    layer = randomized(ConditionalBatchNorm(), CLASSES)
    gamma, beta = CLASSES @ layer.gamma.kernel.numpy(), CLASSES @ layer.beta.kernel.numpy()
    mean, variance = layer.normalize.moving_mean.numpy(), layer.normalize.moving_variance.numpy()

    expected = standardized(X, mean, variance) * rows(gamma) + rows(beta)
    np.testing.assert_allclose(layer(X, CLASSES), expected, rtol=1e-4, atol=1e-5)

    batch_mean, batch_variance = X.mean(axis=(0, 1, 2)), X.var(axis=(0, 1, 2))
    expected = standardized(X, batch_mean, batch_variance) * rows(gamma) + rows(beta)
    trained = layer(X, CLASSES, training=True)
    np.testing.assert_allclose(trained, expected, rtol=1e-4, atol=1e-5)
    moved = 0.9 * mean + 0.1 * batch_mean, 0.9 * variance + 0.1 * batch_variance
    np.testing.assert_allclose(layer.normalize.moving_mean, moved[0], rtol=1e-5)
    np.testing.assert_allclose(layer.normalize.moving_variance, moved[1], rtol=1e-5)


def test_self_modulation_is_a_network_of_the_latents():
    layer = randomized(ConditionalBatchNorm(hidden_units=7), LATENTS)

    def linear(x, part):
        return x @ part.kernel.numpy() + part.bias.numpy()

    hidden = np.maximum(linear(LATENTS, layer.hidden), 0.0)
    gamma, beta = linear(hidden, layer.gamma), linear(hidden, layer.beta)
    normal = standardized(X, X.mean(axis=(0, 1, 2)), X.var(axis=(0, 1, 2)))
    expected = normal * rows(gamma) + rows(beta)
    outputs = layer(X, LATENTS, training=True)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4)


def test_a_class_is_deaf_to_the_rows_of_others():
    layer = randomized(ConditionalBatchNorm(), CLASSES)
    before = layer(X, CLASSES).numpy()
    for part in (layer.gamma, layer.beta):
        kernel = part.kernel.numpy()
        kernel[2] += 1.0
        part.kernel.assign(kernel)
    changed = np.any(layer(X, CLASSES).numpy() != before, axis=(1, 2, 3))
    assert changed.tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize("training", [False, True])
def test_starts_as_plain_batch_normalization(training):
    conditional = ConditionalBatchNorm()(X, CLASSES, training=training)
    np.testing.assert_allclose(conditional, batch_norm()(X, training=training), atol=1e-5)


def test_self_modulation_starts_near_plain_batch_normalization():
    keras.utils.set_random_seed(0)
    modulated = ConditionalBatchNorm(hidden_units=32)(X, LATENTS, training=True)
    np.testing.assert_allclose(modulated, batch_norm()(X, training=True), atol=0.05)


@pytest.mark.parametrize("condition, hidden_units", [(CLASSES, 0), (LATENTS, 7)])
def test_survives_serialization(condition, hidden_units):
    layer = randomized(ConditionalBatchNorm(hidden_units), condition)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(X, condition), layer(X, condition))
