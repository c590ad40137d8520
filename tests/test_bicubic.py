"""Exact values are those of MATLAB's `imresize`, worked out by hand from its definition."""

import numpy as np
import pytest

from ganzoo import bicubic

SQUARES = np.arange(8.0)[None, :, None] ** 2


@pytest.mark.parametrize(
    "count, expected",
    [
        (2, [2.63184, 32.36816]),
        (4, [0.30078, 6.26172, 20.42578, 43.01172]),
    ],
)
def test_reductions_are_matlabs(count, expected):
    np.testing.assert_allclose(bicubic.resize(SQUARES, 1, count).ravel(), expected, atol=1e-5)


def test_enlargements_are_matlabs():
    expected = [-0.09375, 0.13281, 0.58594, 1.5625, 3.0625, 5.22656, 8.05469, 9.46875]
    found = bicubic.resize(SQUARES[:, :4], 1, 8).ravel()
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_axes_are_independent():
    image = np.random.default_rng(0).uniform(0, 255, (12, 20, 3))
    both = bicubic.resize(image, 4, 30)
    one_by_one = bicubic.resize(bicubic.resize(image, 12, 30), 4, 30)
    np.testing.assert_allclose(both, one_by_one, atol=1e-9)
    turned = bicubic.resize(image.transpose(1, 0, 2), 30, 4).transpose(1, 0, 2)
    np.testing.assert_allclose(both, turned, atol=1e-9)


@pytest.mark.parametrize("size", [(3, 5), (9, 7), (12, 20), (40, 13)])
def test_constants_stay_and_lines_stay_straight_inside(size):
    image = np.full((12, 20, 1), 77.0)
    np.testing.assert_allclose(bicubic.resize(image, *size), 77.0)
    ramp = np.arange(64.0)[None, :, None]
    np.testing.assert_allclose(np.diff(bicubic.resize(ramp, 1, 16).ravel())[2:-2], 4.0)


def test_bytes_are_rounded_and_clipped():
    black_and_white = np.zeros((8, 8, 1), np.uint8)
    black_and_white[:, 4:] = 255
    large = bicubic.upscale(black_and_white, 4)
    assert large.dtype == np.uint8 and large.shape == (32, 32, 1)
    exact = bicubic.resize(black_and_white, 32, 32)
    assert exact.min() < 0 and exact.max() > 255
    np.testing.assert_array_equal(large, np.floor(np.clip(exact, 0, 255) + 0.5))


def test_sides_that_are_no_multiple_are_refused():
    with pytest.raises(ValueError, match="10x8 pixels cannot be reduced by 4"):
        bicubic.downscale(np.zeros((10, 8, 3), np.uint8), 4)
