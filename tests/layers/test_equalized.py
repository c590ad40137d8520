"""Numbers of `test_*_is_the_official_one` were made by NVlabs/stylegan2-ada-pytorch."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import (
    EqualizedConv2D,
    EqualizedDense,
    MinibatchStddev,
    ModulatedConv2D,
    activate,
    downsample_blurred,
    upsample_blurred,
)
from ganzoo.layers.equalized import convolve

X = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
KERNEL = (np.arange(9, dtype=np.float32) / 9).reshape(3, 3, 1, 1)


def test_upsampling_is_the_official_one():
    up = np.asarray(upsample_blurred(X))
    row = [0, 0.1875, 0.5625, 0.9375, 1.3125, 1.6875, 2.0625, 1.6875]
    np.testing.assert_allclose(up[0, 0, :, 0], row)
    assert up.sum() == pytest.approx(421.875)


def test_downsampling_is_the_official_one():
    down = np.asarray(downsample_blurred(X))[0, :, :, 0]
    np.testing.assert_allclose(down, [[2.734375, 3.9375], [7.546875, 8.75]])


def test_halving_in_bfloat16_rounds_the_result_alone():
    x = tf.cast(X / 16, "bfloat16")  # exact
    with tf.GradientTape() as tape:
        tape.watch(x)
        down = downsample_blurred(x)
    exact = tf.cast(downsample_blurred(X / 16), "bfloat16")
    assert down.dtype == tf.bfloat16
    np.testing.assert_array_equal(np.asarray(down), np.asarray(exact))
    slope = np.asarray(tape.gradient(down, x)[0, :, 1, 0], np.float64)  # both columns see it: 4 / 8
    np.testing.assert_allclose(slope, [3 / 16, 1 / 4, 1 / 4, 3 / 16])


def test_edges_of_a_plain_image_darken():
    ones = np.ones([1, 6, 6, 1], np.float32)
    up, down = (np.asarray(f(ones))[0, :, :, 0] for f in (upsample_blurred, downsample_blurred))
    assert [up[0, 0], up[0, 5], up[5, 5]] == [0.5625, 0.75, 1]
    assert [down[0, 0], down[0, 1], down[1, 1]] == [0.765625, 0.875, 1]


@pytest.mark.parametrize(
    "resample, row, total",
    [
        (None, [0.506944, 0.840278, 1.069444, 0.715278], 23.541668),
        (
            "up",
            [0.015191, 0.046875, 0.096788, 0.156684, 0.216580, 0.276476, 0.310330, 0.276476],
            90.479172,
        ),
        ("down", [1.091688, 1.204970], 5.236545),
    ],
)
def test_resampling_convolution_is_the_official_one(resample, row, total):
    result = np.asarray(convolve(X / 16, tf.constant(KERNEL), resample))
    np.testing.assert_allclose(result[0, 0, :, 0], row, atol=1e-6)
    assert result.sum() == pytest.approx(total, abs=1e-4)


@pytest.mark.parametrize("resample, total", [("up", 26.367188), ("down", 1.435547)])
def test_resampling_by_single_pixels_is_the_official_one(resample, total):
    one = tf.ones([1, 1, 1, 1])
    assert np.sum(convolve(X / 16, one, resample)) == pytest.approx(total, abs=1e-5)


def test_activation():
    x = tf.constant([-10.0, -1.0, 2.0, 100.0])
    np.testing.assert_allclose(activate(x, leaky=False, gain=0.5, clamp=6), [-3, -0.5, 1, 3])
    slopes = np.sqrt(2) * np.array([-2, -0.2, 2, 100])
    np.testing.assert_allclose(activate(x, leaky=True), slopes, rtol=1e-6)


def test_dense_layers_start_with_unit_variance_however_slow_they_learn():
    x = np.random.default_rng(0).normal(size=(512, 256)).astype(np.float32)
    layer = EqualizedDense(256, lr_multiplier=0.01, bias_init=1.0)
    y = np.asarray(layer(x))
    assert y.std() == pytest.approx(1, rel=0.05) and y.mean() == pytest.approx(1, abs=0.05)
    assert np.std(layer.kernel) == pytest.approx(100, rel=0.05)


def test_convolutions_start_with_unit_variance():
    x = np.random.default_rng(0).normal(size=(4, 16, 16, 64)).astype(np.float32)
    inner = np.asarray(EqualizedConv2D(64, 3)(x))[:, 1:-1, 1:-1]
    assert inner.std() == pytest.approx(1, rel=0.05)


def modulated(**kwargs):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 4, 4, 5)).astype(np.float32)
    styles = rng.normal(size=(3, 5)).astype(np.float32)
    layer = ModulatedConv2D(6, 3, **kwargs)
    return layer, x, styles, np.asarray(layer(x, styles))


@pytest.mark.parametrize("resample", [None, "up"])
def test_modulation_is_that_of_each_images_weights(resample):
    layer, x, styles, result = modulated(resample=resample)
    for image, style, expected in zip(x, styles, result, strict=True):
        kernel = layer.kernel.numpy() * style[:, None]
        kernel /= np.sqrt((kernel**2).sum((0, 1, 2)) + 1e-8)
        alone = np.asarray(convolve(image[None], tf.constant(kernel), resample))[0]
        np.testing.assert_allclose(expected, alone, atol=1e-5)


def test_the_scale_of_demodulated_weights_is_of_no_effect():
    layer, x, styles, before = modulated()
    layer.kernel.assign(7 * layer.kernel.value)
    np.testing.assert_allclose(layer(x, styles), before, atol=1e-5)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_does_not_overflow(dtype):
    layer, x, styles, _ = modulated(dtype=dtype)
    layer.kernel.assign(1e4 * layer.kernel.value)
    result = layer(1e3 * x, 1e3 * styles)
    assert result.dtype == layer.compute_dtype
    exact = ModulatedConv2D(6, 3)
    exact.build(x.shape)
    exact.kernel.assign(layer.kernel.value)
    exact = np.asarray(exact(1e3 * x, 1e3 * styles))
    np.testing.assert_allclose(tf.cast(result, tf.float32), exact, atol=0.02 * abs(exact).max())


def test_groups_of_a_batch_are_interleaved():
    x = np.zeros([8, 2, 2, 3], np.float32)
    x[1::2] = np.array([0, 0, 2, 2], np.float32)[:, None, None, None]
    appended = np.asarray(MinibatchStddev(4)(x))[..., -1]
    np.testing.assert_allclose(appended[::2], 1e-4, rtol=1e-5)  # alike, but for the epsilon
    np.testing.assert_allclose(appended[1::2], 1, rtol=1e-5)


def test_small_batches_are_one_group_and_broken_ones_are_refused():
    x = np.random.default_rng(0).normal(size=(3, 2, 2, 1)).astype(np.float32)
    appended = np.asarray(MinibatchStddev(4)(x))[..., -1]
    np.testing.assert_allclose(appended, x.std(axis=0).mean(), rtol=1e-4)
    with pytest.raises(ValueError, match="6 images per replica do not make groups of 4"):
        MinibatchStddev(4)(np.zeros([6, 2, 2, 1], np.float32))
