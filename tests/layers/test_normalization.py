import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from models.goldens import FOLDER, hashed

from ganzoo.layers import ConditionalBatchNorm, InstanceNorm, batch_norm

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


# Instance normalization.


def test_instance_norm_by_hand():
    """The channel {0, 0.01}: 0.005 / sqrt(0.005**2 + 1e-5); Keras' epsilon of 1e-3 gives 0.156."""
    channel = np.float32([0.0, 0.01]).reshape(1, 1, 2, 1)
    np.testing.assert_allclose(InstanceNorm()(channel).numpy().ravel(), [-0.84515, 0.84515], 1e-5)


@pytest.mark.parametrize("kind", ["plain", "affine"])
def test_instance_norm_as_in_tensorflow_addons_and_pytorch(kind):
    golden = json.loads((FOLDER / "instance_norm.json").read_text())
    images = 3.0 * hashed("input", (2, 3, 5, 4)).transpose(0, 2, 3, 1) + 1.0
    layer = InstanceNorm(golden[kind]["epsilon"], affine=kind == "affine")
    layer.build(images.shape)
    if layer.affine:
        layer.set_weights([np.array([0.5, 1.0, 2.0]), np.array([-1.0, 0.0, 1.0])])
    assert len(layer.weights) == (2 if layer.affine else 0)
    outputs = np.transpose(layer(images.astype(np.float32)), (0, 3, 1, 2)).ravel()
    np.testing.assert_allclose(outputs[golden["indices"]], golden[kind]["values"], atol=2e-6)


def test_instance_norm_sees_each_image_and_channel_alone():
    outputs = InstanceNorm()(X).numpy()
    np.testing.assert_allclose(outputs.mean(axis=(1, 2)), 0.0, atol=1e-6)
    np.testing.assert_allclose(outputs.std(axis=(1, 2)), 1.0, atol=1e-4)
    np.testing.assert_allclose(InstanceNorm()(X[3:4])[0], outputs[3], atol=1e-6)
    np.testing.assert_array_equal(InstanceNorm()(X, training=True), outputs)


@pytest.mark.parametrize("jit", [False, True])
def test_instance_norm_of_images_of_any_size(jit):
    layer = InstanceNorm()
    compiled = tf.function(layer, [tf.TensorSpec([None, None, None, 3])], jit_compile=jit)
    for images in (X, X[:2, :3]):
        np.testing.assert_allclose(compiled(images), layer(images), atol=1e-5)


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_instance_norm_computes_in_float32(precision):
    """The mean of 300 would overflow float16 where it is squared; bfloat16 has 3 digits."""
    images = (300.0 + X).astype(np.float16 if precision == "mixed_float16" else np.float32)
    rough = tf.cast(images, precision.removeprefix("mixed_"))
    outputs = InstanceNorm(dtype=precision)(rough)
    assert outputs.dtype == rough.dtype
    exact = InstanceNorm()(tf.cast(rough, tf.float32))
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), exact, atol=2e-2)


@pytest.mark.parametrize("affine", [False, True])
def test_instance_norm_of_few_images_is_that_of_many(affine):
    """Few are normalized by a fused operation: outputs, first and second derivatives."""
    layer = InstanceNorm(affine=affine)
    few = tf.constant(np.random.default_rng(0).normal(2.0, 3.0, size=(2, 6, 5, 4)), tf.float32)
    layer.build(few.shape)
    layer.set_weights([np.arange(1.0, 5.0) for _ in layer.weights])

    def results(copies):
        with tf.GradientTape() as outer:
            outer.watch(few)
            with tf.GradientTape() as tape:
                tape.watch(few)
                outputs = layer(tf.concat([few] * copies, 0))[:2]
                value = tf.reduce_sum(tf.sin(outputs))
            gradient = tape.gradient(value, few)
            length = tf.reduce_sum(tf.sin(gradient))
        return outputs, gradient, outer.gradient(length, few)

    for result, expected in zip(results(1), results(5), strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-4)


def test_instance_norm_survives_serialization():
    layer = InstanceNorm(epsilon=1e-3, affine=True)
    layer.build(X.shape)
    layer.set_weights([np.full(3, 2.0), np.ones(3)])
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(X), layer(X))


@pytest.mark.parametrize("policy, atol", [("float32", 1e-5), ("mixed_bfloat16", 0.2)])
def test_fused_batch_normalization_is_that_of_keras(policy, atol):
    """Outputs, moments, gradients of first and second order; inference, too."""
    keras.mixed_precision.set_global_policy(policy)
    fused, plain = batch_norm(), keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    found, expected = (results_of(layer) for layer in (fused, plain))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=atol * np.abs(theirs).max())
    for ours, theirs in zip(fused.variables, plain.variables, strict=True):
        assert ours.name == theirs.name
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def results_of(layer):
    layer.build(X.shape)
    rng = np.random.default_rng(2)
    for variable in layer.variables:
        variable.assign(rng.uniform(0.5, 2.0, variable.shape))
    weights = rng.normal(size=X.shape).astype(np.float32)
    x = tf.cast(X, layer.compute_dtype)
    watched = [x, layer.gamma.value, layer.beta.value]
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(watched)
            outputs = tf.cast(layer(x, training=True), tf.float32)
            loss = tf.reduce_sum(weights * tf.square(outputs))
        gradients = inner.gradient(loss, watched)
        penalty = tf.reduce_sum(tf.square(tf.cast(gradients[0], tf.float32)))
    second = outer.gradient(penalty, x)
    results = [outputs, *gradients, second, layer(x)]
    assert all(result.dtype == layer.compute_dtype for result in (second, layer(x)))
    return [tf.cast(result, tf.float32).numpy() for result in results]


@pytest.mark.parametrize("x", [X, X[:, 0, 0]], ids=["images", "vectors"])
def test_moments_of_the_batch_may_leave_the_moving_averages_alone(x):
    layer = batch_norm()
    layer.build(x.shape)
    layer.gamma.assign([0.5, 1.0, 2.0])
    layer.beta.assign([0.1, 0.2, 0.3])
    before = [average.numpy() for average in (layer.moving_mean, layer.moving_variance)]
    outputs = layer(x, update_moments=False)
    after = [average.numpy() for average in (layer.moving_mean, layer.moving_variance)]
    np.testing.assert_array_equal(before, after)
    np.testing.assert_allclose(outputs, layer(x, training=True), atol=1e-5)
    assert np.abs(layer.moving_mean - before[0]).max() > 0
