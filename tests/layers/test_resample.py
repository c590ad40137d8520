import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import (
    downsample_average,
    resample,
    unpool,
    upsample_bilinear,
    upsample_nearest,
    upscale_bilinear,
)

TOLERANCES = {"float32": 1e-5, "bfloat16": 0.2, "float16": 0.02}  # of values up to 50
IMAGES = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype(np.float32)


def test_unpool_puts_zeros_between():
    image = tf.constant([[1.0, 2.0], [3.0, 4.0]])[None, :, :, None]
    expected = [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]
    np.testing.assert_array_equal(unpool(image)[0, :, :, 0], expected)


def test_nearest_repeats_pixels():
    x = np.arange(12.0).reshape(1, 2, 3, 2)
    np.testing.assert_array_equal(upsample_nearest(x), np.kron(x, np.ones((1, 2, 2, 1))))


def test_unpool_keeps_channels_and_examples_apart():
    expected = np.zeros((2, 8, 12, 3), np.float32)
    expected[:, ::2, ::2] = IMAGES
    np.testing.assert_array_equal(unpool(IMAGES), expected)


@pytest.mark.parametrize("axis", [1, 2])
def test_bilinear_of_an_edge(axis):
    edge = np.array([0.0, 1.0], np.float32).reshape([2 if i == axis else 1 for i in range(4)])
    doubled = np.moveaxis(upsample_bilinear(edge), axis, 0)
    np.testing.assert_allclose(doubled[:, 0, 0, 0], [0.0, 0.25, 0.75, 1.0])


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 6), (7, 3)])
def test_bilinear_is_that_of_resize_operations(shape):
    images = np.random.default_rng(1).normal(size=(2, *shape, 3)).astype(np.float32)
    expected = tf.image.resize(images, [2 * side for side in shape], "bilinear")
    np.testing.assert_allclose(upsample_bilinear(images), expected, atol=1e-6)
    for scale in (2, 3, 4):
        expected = tf.image.resize(images, [scale * side for side in shape], "bilinear")
        np.testing.assert_allclose(upscale_bilinear(images, scale), expected, atol=2e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("jit", [None, True], ids=["graph", "xla"])
def test_bilinear_as_one_operation_equals_the_sums_of_other_backends(dtype, jit):
    x = tf.cast(IMAGES, dtype)

    def with_gradient(upsample):
        @tf.function(jit_compile=jit)
        def compute(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = upsample(x)
                total = tf.reduce_sum(y * y * y)
            return y, tape.gradient(total, x)

        return compute(x)

    one = with_gradient(upsample_bilinear)
    several = with_gradient(lambda x: resample._double(resample._double(x, 1), 2))
    for left, right in zip(one, several, strict=True):
        assert left.dtype == dtype
        np.testing.assert_allclose(
            tf.cast(left, "float32"), tf.cast(right, "float32"), rtol=2e-2, atol=TOLERANCES[dtype]
        )


def test_downsampling_takes_the_mean_of_blocks():
    expected = IMAGES.reshape(2, 2, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(downsample_average(IMAGES), expected, atol=1e-6)


@pytest.mark.parametrize("resample", [unpool, upsample_bilinear, downsample_average])
def test_second_derivatives(resample):
    """For a linear map A, the gradient of |gradient of |A x|^2 / 2|^2 / 2 is (A'A)(A'A) x."""
    x = tf.constant(IMAGES)

    def normal(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            half_square = tf.reduce_sum(tf.square(resample(x))) / 2
        return tape.gradient(half_square, x)

    with tf.GradientTape() as tape:
        tape.watch(x)
        penalty = tf.reduce_sum(tf.square(normal(x))) / 2
    np.testing.assert_allclose(tape.gradient(penalty, x), normal(normal(x)), atol=1e-5)
