import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import PReLU


@pytest.mark.parametrize(
    "shared_axes, shape", [([1, 2], (3, 4, 5, 6)), (None, (3, 4, 6)), (None, (5, 6))]
)
def test_outputs_and_gradients_are_those_of_keras(shared_axes, shape):
    ours = PReLU(alpha_initializer="random_normal", shared_axes=shared_axes)
    keras_own = keras.layers.PReLU(shared_axes=shared_axes)
    x = tf.constant(np.random.default_rng(0).normal(size=shape), tf.float32)
    results = []
    for layer in (ours, keras_own):
        layer.build(shape)
        layer.alpha.assign(ours.alpha)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            value = tf.reduce_sum(tf.sin(3.0 * y))
        results.append([y, *tape.gradient(value, [x, layer.alpha.value])])
    for result, expected in zip(*results, strict=True):
        np.testing.assert_allclose(result, expected, atol=1e-6)
    assert float(tf.reduce_min(tf.abs(ours.alpha))) > 0
