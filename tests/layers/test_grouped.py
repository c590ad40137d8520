"""Grouped convolutions of a CPU are those of Keras, with their first and second derivatives."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import GroupedConv2D, grouped

RNG = np.random.default_rng(0)
IMAGES = tf.constant(RNG.normal(size=(2, 5, 5, 96)), tf.float32)


def derivatives(layer, images):
    """Outputs, and what a penalty on gradients has: gradients of |dy/dx|^2."""
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images)
            total = tf.reduce_sum(tf.sin(outputs))
        penalty = tf.reduce_sum(tf.square(tape.gradient(total, images)))
    return [outputs, penalty, outer.gradient(penalty, layer.kernel.value)]


@pytest.mark.parametrize("groups", [1, 2, 6, 48])
def test_they_are_those_of_keras(groups, monkeypatch):
    layer = GroupedConv2D(48, 3, padding="same", groups=groups)
    layer.build(IMAGES.shape)
    ours = derivatives(layer, IMAGES)
    monkeypatch.setattr(grouped, "is_on_cpu", lambda: False)  # as XLA computes it
    for left, right in zip(ours, derivatives(layer, IMAGES), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-4, rtol=1e-4)


def test_each_group_sees_its_own_channels_only():
    layer = GroupedConv2D(12, 1, groups=3, use_bias=False)
    layer.build((None, 4, 4, 6))
    x = RNG.normal(size=(1, 4, 4, 6)).astype(np.float32)
    kernel = np.asarray(layer.kernel)[0, 0]
    expected = [x[..., 2 * i : 2 * i + 2] @ kernel[:, 4 * i : 4 * i + 4] for i in range(3)]
    np.testing.assert_allclose(layer(x), np.concatenate(expected, -1), atol=1e-6)


def test_bfloat16_is_that_of_float32():
    exact = GroupedConv2D(48, 3, padding="same", groups=6)
    rough = GroupedConv2D(48, 3, padding="same", groups=6, dtype="mixed_bfloat16")
    for layer in (exact, rough):
        layer.build(IMAGES.shape)
    rough.set_weights(exact.get_weights())
    result = rough(IMAGES)
    assert result.dtype == "bfloat16"
    np.testing.assert_allclose(tf.cast(result, "float32"), exact(IMAGES), atol=0.05)
