"""Against TensorFlow's convolutions: what is computed in another way has the same results."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import strided

RNG = np.random.default_rng(0)
# Outputs, and gradients by the input and by the kernel.
DIRECTIONS = {
    "halve": (strided.halve, (2, 8, 12, 5), (4, 4, 5, 3)),
    "double": (strided.double, (2, 4, 6, 5), (4, 4, 3, 5)),
}


def plain(name, x, kernel):
    if name == "halve":
        return tf.nn.conv2d(tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]]), kernel, 2, "VALID")
    count, height, width, _ = x.shape
    size = [count, 2 * height + 2, 2 * width + 2, kernel.shape[2]]
    return tf.nn.conv2d_transpose(x, kernel, size, 2, "VALID")[:, 1:-1, 1:-1]


def results(function, x, kernel):
    """Outputs, first derivatives, and a derivative of these."""
    with tf.GradientTape() as outer:
        outer.watch([x, kernel])
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = function(x, kernel)
            value = tf.reduce_sum(tf.sin(tf.cast(y, tf.float32)))
        gradients = tape.gradient(value, [x, kernel])
        length = sum(tf.reduce_sum(tf.cast(g, tf.float32) ** 2) for g in gradients)
    return [y, *gradients, *outer.gradient(length, [x, kernel])]


def drawn(name, dtype):
    _, *shapes = DIRECTIONS[name]
    return [tf.cast(0.3 * RNG.normal(size=shape), dtype) for shape in shapes]


@pytest.mark.parametrize("name", DIRECTIONS)
@pytest.mark.parametrize("jit", [False, True])
def test_the_product_of_matrices_is_the_convolution(monkeypatch, name, jit):
    """In float32, whose results can be compared closely."""
    monkeypatch.setattr(strided, "_is_slow", lambda *_: True)
    x, kernel = drawn(name, tf.float32)
    function = tf.function(DIRECTIONS[name][0], jit_compile=jit)
    expected = results(lambda *a: plain(name, *a), x, kernel)
    for result, right in zip(results(function, x, kernel), expected, strict=True):
        np.testing.assert_allclose(result, right, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_bfloat16_on_few_pixels_is_near_float32(name):
    x, kernel = drawn(name, tf.bfloat16)
    exact = results(lambda *a: plain(name, *a), tf.cast(x, "float32"), tf.cast(kernel, "float32"))
    for result, right in list(zip(results(DIRECTIONS[name][0], x, kernel), exact, strict=True))[:3]:
        assert result.dtype == tf.bfloat16
        error = np.abs(tf.cast(result, "float32") - right).max()
        assert error <= 0.03 * np.abs(right).max()


def test_which_convolutions_are_slow():
    def is_slow(dtype, side, size):
        x, kernel = tf.zeros([1, side, side, 1], dtype), tf.zeros([size, size, 1, 1], dtype)
        return strided._is_slow(x, kernel, strided.FEW_PIXELS)

    assert is_slow(tf.bfloat16, 8, 4)
    assert not is_slow(tf.float32, 8, 4)
    assert not is_slow(tf.bfloat16, 9, 4)
    assert not is_slow(tf.bfloat16, 8, 6)
