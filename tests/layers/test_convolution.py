"""Against PyTorch 2.13, float64: `conv2d` of an input that was padded by `pad` ("constant" or
"reflect"), and `conv_transpose2d` with `padding` and `output_padding`. Weights and input are
2 u - 1 by the formula in `tests/models/goldens.py`, for the names input, weight and bias."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from models.goldens import hashed

from ganzoo.layers import ConvToImage, CroppedConv2DTranspose, PaddedConv2D

INPUT = (2.0 * hashed("input", (2, 3, 10, 8)) - 1.0).transpose(0, 2, 3, 1).astype(np.float32)
# kernel size, stride, mode: outputs 0, 1, a third of all and the last, in NCHW order; mean, std.
PADDED = {
    (3, 1, "constant"): ([-2.50562, -1.670275, 0.843172, 0.542], 0.005737, 1.701296),
    (3, 1, "reflect"): ([-3.484802, -2.221163, 0.843172, -0.157713], -0.037634, 1.823602),
    (3, 2, "constant"): ([-2.50562, -1.467088, 0.058302, -0.825808], -0.040678, 1.760256),
    (3, 2, "reflect"): ([-3.484802, -1.434691, 0.058302, -0.825808], -0.153246, 1.901014),
    (5, 1, "constant"): ([2.632919, 5.380106, -4.306826, -0.288721], -0.037921, 2.662044),
    (5, 1, "reflect"): ([2.334414, 3.817686, -4.306826, -3.027937], -0.008129, 3.022806),
    (5, 2, "constant"): ([2.632919, -2.059254, 2.42626, -0.793689], 0.115099, 2.547089),
    (5, 2, "reflect"): ([2.334414, -1.178249, 2.42626, 0.947471], 0.260044, 2.915622),
    (7, 1, "constant"): ([0.225105, 0.176703, 1.407389, 1.81934], 0.006234, 3.476645),
    (7, 1, "reflect"): ([3.50182, 1.531714, 1.504264, 0.69282], 0.016198, 4.25508),
    (7, 2, "constant"): ([0.225105, 3.945082, 0.178168, 2.357523], -0.216758, 3.683355),
    (7, 2, "reflect"): ([3.50182, 6.367052, 1.034004, 3.597407], -0.237296, 4.59371),
}
# kernel size, padding; output_padding makes the outputs of odd kernels twice as large as inputs.
TRANSPOSED = {
    (3, 1): ([-1.632271, 0.114556, -0.179953, -0.068426], 0.038055, 1.06403),
    (5, 2): ([0.142151, 0.844633, 1.00549, -0.883551], 0.042821, 1.491929),
    (4, 1): ([-0.408298, -0.132721, 1.214481, 0.132519], 0.030955, 1.329686),
}


def fill(layer, kernel_shape):
    """Sets the weights from PyTorch's layout: [out, in, k, k], or [in, out, k, k] transposed."""
    layer.build(INPUT.shape)
    weight = 2.0 * hashed("weight", kernel_shape) - 1.0
    order = (2, 3, 1, 0)  # also for transposed ones, where Keras has [k, k, out, in]
    layer.kernel.assign(weight.transpose(order))
    layer.bias.assign(2.0 * hashed("bias", (4,)) - 1.0)
    return layer


def assert_recorded(outputs, expected):
    values, mean, std = expected
    flat = np.transpose(outputs, (0, 3, 1, 2)).ravel()
    chosen = flat[[0, 1, flat.size // 3, -1]]
    np.testing.assert_allclose([*chosen, flat.mean(), flat.std()], [*values, mean, std], atol=1e-5)


@pytest.mark.parametrize("kernel_size, strides, mode", PADDED)
def test_padded_as_pytorch(kernel_size, strides, mode):
    pad = kernel_size // 2
    layer = fill(
        PaddedConv2D(4, kernel_size, pad, mode, strides=strides), (4, 3, kernel_size, kernel_size)
    )
    outputs = layer(INPUT)
    assert outputs.shape == (2, 10 // strides, 8 // strides, 4)
    assert layer.compute_output_shape(INPUT.shape) == tuple(outputs.shape)
    assert_recorded(outputs, PADDED[kernel_size, strides, mode])


@pytest.mark.parametrize("kernel_size, crop", TRANSPOSED)
def test_transposed_as_pytorch(kernel_size, crop):
    layer = fill(
        CroppedConv2DTranspose(4, kernel_size, crop, strides=2), (3, 4, kernel_size, kernel_size)
    )
    outputs = layer(INPUT)
    assert outputs.shape == (2, 20, 16, 4)
    assert layer.compute_output_shape(INPUT.shape) == tuple(outputs.shape)
    assert_recorded(outputs, TRANSPOSED[kernel_size, crop])


def test_keras_same_is_another_convolution():
    """Which is why these layers exist: "same" would shift all by a pixel."""
    options = {"kernel_size": 3, "strides": 2}
    padded = fill(PaddedConv2D(4, pad=1, **options), (4, 3, 3, 3))
    same = fill(keras.layers.Conv2D(4, padding="same", **options), (4, 3, 3, 3))
    assert abs(padded(INPUT) - same(INPUT)).numpy().max() > 1
    cropped = fill(CroppedConv2DTranspose(4, crop=1, **options), (3, 4, 3, 3))
    same = fill(keras.layers.Conv2DTranspose(4, padding="same", **options), (3, 4, 3, 3))
    assert abs(cropped(INPUT) - same(INPUT)).numpy().max() > 1


@pytest.mark.parametrize("kernel_size", [1, 3, 9])
def test_to_an_image_as_keras(kernel_size):
    results = []
    for kind in (ConvToImage, keras.layers.Conv2D):
        shape = (4, 3, kernel_size, kernel_size)
        layer, images = fill(kind(4, kernel_size, padding="same"), shape), tf.constant(INPUT)
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = layer(images)
            value = tf.reduce_sum(outputs * tf.sin(outputs))
        gradients = tape.gradient(value, [images, *layer.trainable_variables])
        results.append([outputs, *(g / tf.reduce_max(abs(g)) for g in gradients)])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_reflection_does_not_repeat_the_edge():
    layer = PaddedConv2D(1, (1, 3), 1, "reflect", kernel_initializer="ones")
    outputs = layer(np.float32([1, 2, 3]).reshape(1, 1, 3, 1).repeat(3, axis=1))
    assert outputs[0, 1, :, 0].numpy().tolist() == [2 + 1 + 2, 1 + 2 + 3, 2 + 3 + 2]


@pytest.mark.parametrize(
    "kernel_size, crop, strides", [*((*key, 2) for key in TRANSPOSED), (5, 2, 1), (7, 2, 3)]
)
def test_transposed_is_the_gradient_of_padded(kernel_size, crop, strides):
    rng = np.random.default_rng(0)
    up = CroppedConv2DTranspose(3, kernel_size, crop, strides=strides, use_bias=False)
    down = PaddedConv2D(5, kernel_size, crop, strides=strides, use_bias=False)
    small = rng.normal(size=(1, 4, 6, 5)).astype(np.float32)
    large = tf.constant(rng.normal(size=(1, 4 * strides, 6 * strides, 3)).astype(np.float32))
    up.build(small.shape)
    down.build(large.shape)
    down.kernel.assign(up.kernel)
    with tf.GradientTape() as tape:
        tape.watch(large)
        product = tf.reduce_sum(down(large) * small)
    np.testing.assert_allclose(tape.gradient(product, large), up(small), atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [PaddedConv2D(4, 3, 1, "reflect", strides=2), CroppedConv2DTranspose(4, 4, 1, strides=2)],
    ids=["padded", "cropped"],
)
def test_any_size_and_serialization(layer):
    expected = layer(INPUT)
    signature = [tf.TensorSpec([None, None, None, 3])]
    for jit in (False, True):
        graph = tf.function(layer, signature, jit_compile=jit)
        np.testing.assert_allclose(graph(INPUT), expected, atol=1e-5)
    saved = keras.saving.serialize_keras_object(layer)
    twin = keras.saving.deserialize_keras_object(saved)
    assert twin.get_config() == layer.get_config()
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(INPUT), expected)
    shape = layer.compute_output_shape((None, None, None, 3))
    assert tuple(shape) == (None, None, None, 4)


@pytest.mark.parametrize(
    "kernel_size, strides, pad, side", [(4, 2, 1, 8), (4, 2, 1, 7), (3, 1, 1, 5)]
)
def test_padding_that_same_has_is_no_operation_of_its_own(kernel_size, strides, pad, side):
    layer = PaddedConv2D(4, kernel_size, pad, strides=strides)
    x = keras.random.normal((2, side, side, 3), seed=1)
    layer.build(x.shape)
    padded = tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]])
    expected = tf.nn.conv2d(padded, layer.kernel, strides, "VALID")
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    graph = tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, 3])])
    np.testing.assert_allclose(graph(x), expected, atol=1e-5)
    operations = {
        op.type for op in tf.function(layer).get_concrete_function(x).graph.get_operations()
    }
    assert ("PadV2" in operations or "Pad" in operations) == (side % strides > 0)
