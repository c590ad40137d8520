import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import (
    SpectralConv2D,
    SpectralDense,
    downsample_average,
    power_iteration,
    spectral_norm,
)

LAYERS = {
    "dense": (lambda **kwargs: SpectralDense(5, **kwargs), (3, 4)),
    "convolution": (lambda **kwargs: SpectralConv2D(5, 3, **kwargs), (2, 6, 6, 4)),
}


@pytest.fixture(params=LAYERS)
def make(request):
    """Builds a layer, and a random input for it."""
    new, shape = LAYERS[request.param]

    def build(**kwargs):
        layer = new(**kwargs)
        layer.build(shape)
        x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        rows = np.prod(layer.kernel.shape[:-1])
        layer.u.assign(np.random.default_rng(2).normal(size=(rows, 1)))
        return layer, x

    return build


def matrix(kernel):
    return np.asarray(kernel, np.float64).reshape(-1, kernel.shape[-1])


def numpy_iteration(matrix, u):
    v = matrix.T @ u
    v /= np.linalg.norm(v)
    u = matrix @ v
    return u / np.linalg.norm(u), v


def converge(layer):
    iterate = tf.function(layer.power_iteration)
    for _ in range(200):
        iterate()


def test_one_iteration_by_hand():
    sigma, u = spectral_norm(tf.constant([[3.0, 0.0], [0.0, 1.0]]), tf.fill([2, 1], 0.5**0.5))
    np.testing.assert_allclose(u[:, 0], [0.993884, 0.110432], atol=1e-6)
    np.testing.assert_allclose(sigma, [[2.863564]], atol=1e-6)


def test_length_of_u_does_not_matter():
    w, u = (np.random.default_rng(0).normal(size=s).astype(np.float32) for s in [(4, 3), (4, 1)])
    for expected, scaled in zip(spectral_norm(w, u), spectral_norm(w, 100 * u), strict=True):
        np.testing.assert_allclose(scaled, expected, rtol=1e-5)


def test_iterations_make_the_largest_singular_value_one(make):
    layer, _ = make()
    for seed in range(2):  # the kernel moves, as in training, and the vector follows
        noise = np.random.default_rng(seed).normal(size=layer.kernel.shape)
        layer.kernel.assign(layer.kernel.numpy() + noise)
        converge(layer)
        values = np.linalg.svd(matrix(layer.normalized_kernel()), compute_uv=False)
        assert values[0] == pytest.approx(1.0, abs=1e-5)


def test_calls_move_nothing(make):
    layer, x = make()
    before = [v.numpy() for v in layer.variables]
    first = layer(x, training=True)
    np.testing.assert_array_equal(layer(x, training=False), first)
    np.testing.assert_array_equal(layer(x, training=True), first)
    for old, variable in zip(before, layer.variables, strict=True):
        np.testing.assert_array_equal(variable, old)


def test_the_layer_applies_the_normalized_kernel(make):
    layer, x = make()
    layer.bias.assign(np.arange(5))
    kernel = layer.normalized_kernel()
    plain = tf.matmul(x, kernel) if x.ndim == 2 else tf.nn.conv2d(x, kernel, 1, "SAME")
    np.testing.assert_allclose(layer(x), plain + np.arange(5), atol=1e-5)


def test_gradient_flows_through_sigma_but_not_through_the_vectors(make):
    layer, x = make()
    weights = np.random.default_rng(3).normal(size=layer(x).shape)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x) * weights)
    gradient = tape.gradient(loss, layer.kernel.value).numpy()

    kernel = layer.kernel.numpy().astype(np.float64)
    u, v = numpy_iteration(matrix(kernel), layer.u.numpy())

    def formula(kernel):
        normalized = kernel / (u.T @ matrix(kernel) @ v).item()
        if x.ndim == 2:
            return np.sum(x @ normalized * weights)
        return tf.reduce_sum(tf.nn.conv2d(x.astype(float), normalized, 1, "SAME") * weights)

    for index in list(np.ndindex(kernel.shape))[::7]:
        step = np.zeros_like(kernel)
        step[index] = 1e-5
        slope = (formula(kernel + step) - formula(kernel - step)) / 2e-5
        assert gradient[index] == pytest.approx(float(slope), rel=1e-3, abs=1e-3)
    # A kernel's own direction is the one that normalization takes away.
    assert abs(np.sum(gradient * kernel)) < 1e-4 * np.abs(gradient * kernel).sum()


def test_bfloat16_layers_normalize_in_float32(make):
    exact, x = make()
    layer, _ = make(dtype="mixed_bfloat16")
    layer.set_weights(exact.get_weights())
    assert {v.dtype for v in layer.variables} == {"float32"}
    rounded = tf.cast(exact.normalized_kernel(), tf.bfloat16)
    np.testing.assert_array_equal(layer.normalized_kernel(), rounded)
    outputs = layer(x)
    assert outputs.dtype == tf.bfloat16
    x = tf.cast(x, tf.bfloat16)
    plain = tf.matmul(x, rounded) if x.ndim == 2 else tf.nn.conv2d(x, rounded, 1, "SAME")
    np.testing.assert_array_equal(outputs, plain)
    layer.power_iteration()
    exact.power_iteration()
    np.testing.assert_array_equal(layer.u, exact.u)


def test_power_iteration_reaches_nested_layers():
    class Block(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.layers = [SpectralConv2D(3, 3), SpectralConv2D(3, 1)]

        def call(self, x):
            return self.layers[1](self.layers[0](x))

    inner = keras.Sequential([Block(), keras.layers.Flatten(), SpectralDense(2)])
    network = keras.Sequential([SpectralConv2D(3, 3), inner])
    network(np.zeros((1, 4, 4, 3)))
    layers = [layer for layer in network._flatten_layers() if hasattr(layer, "u")]
    assert len(layers) == 4
    expected = [numpy_iteration(matrix(layer.kernel), layer.u.numpy())[0] for layer in layers]
    power_iteration(network)
    for layer, vector in zip(layers, expected, strict=True):
        np.testing.assert_allclose(layer.u, vector, atol=1e-5)


def test_layers_survive_serialization(make):
    options = {"use_bias": False, "kernel_initializer": keras.initializers.RandomNormal(stddev=9.0)}
    layer, x = make(name="head", **options)
    saved = keras.saving.serialize_keras_object(layer)
    twin = keras.saving.deserialize_keras_object(saved)
    assert type(twin) is type(layer)
    assert twin.get_config() == layer.get_config()
    assert twin.kernel.numpy().std() == pytest.approx(9.0, rel=0.5)
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(x), layer(x))


@pytest.mark.parametrize("kernel_size", [1, 3])
def test_pooling_inside_is_pooling_afterwards(kernel_size):
    x = tf.constant(np.random.default_rng(1).normal(size=(2, 6, 8, 4)), tf.float32)
    inside, plain = (SpectralConv2D(5, kernel_size, pool) for pool in (True, False))
    inside.build(x.shape), plain.build(x.shape)
    inside.set_weights([np.random.default_rng(2).normal(size=w.shape) for w in inside.weights])
    plain.set_weights(inside.get_weights())
    results = []
    for function in (inside, lambda x: downsample_average(plain(x))):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            value = tf.reduce_sum(tf.sin(y))
        layer = inside if function is inside else plain
        results.append([y, *tape.gradient(value, [x, layer.kernel.value, layer.bias.value])])
    for result, expected in zip(*results, strict=True):
        np.testing.assert_allclose(result, expected, atol=1e-5)
    assert inside.compute_output_shape(x.shape) == (2, 3, 4, 5)
