import numpy as np
import pytest

from ganzoo.metrics import RECONSTRUCTION, luma, psnr, ssim

RANDOM = np.random.default_rng(0)


def constant(level, channels=3):
    return np.full((20, 24, channels), level, np.uint8)


@pytest.mark.parametrize(
    "color, expected",
    [
        ((255, 255, 255), 235.0),
        ((0, 0, 0), 16.0),
        ((255, 0, 0), 81.481),
        ((0, 255, 0), 144.553),
        ((0, 0, 255), 40.966),
    ],
)
def test_luma_is_matlabs(color, expected):
    assert luma(np.uint8(color).reshape(1, 1, 3)).item() == pytest.approx(expected, abs=1e-9)


def test_grey_has_the_luma_of_equal_colors():
    np.testing.assert_allclose(luma(constant(77, 1)), luma(constant(77)))


def test_psnr_of_known_errors():
    assert psnr(constant(100), constant(110)) == pytest.approx(28.130804, abs=1e-6)
    assert psnr(constant(100), constant(100)) == float("inf")
    # An offset of 10 in RGB is one of 8.588 in luma.
    offset = RECONSTRUCTION["psnr_y"](constant(100), constant(110))
    assert offset == pytest.approx(29.4531, abs=1e-3)


def test_ssim_of_a_constant_offset():
    expected = (2 * 100 * 110 + 6.5025) / (100**2 + 110**2 + 6.5025)
    assert ssim(constant(100), constant(110)) == pytest.approx(expected, abs=1e-9)
    assert expected == pytest.approx(0.9954764, abs=1e-7)


def pattern():
    """Two images by a formula, [32, 24, 3], uint8."""
    index = np.arange(32 * 24 * 3).reshape(32, 24, 3)
    values = 7919 * index % 256, (7919 * index + index**2 % 61) % 256
    return tuple(np.uint8(image) for image in values)


@pytest.mark.parametrize(
    "name, border, expected",
    [
        ("psnr_rgb", 0, 10.005418377239135),
        ("ssim_rgb", 0, 0.4069251074641909),
        ("psnr_rgb", 4, 9.910039274135796),
        ("ssim_rgb", 4, 0.42356224357674027),
        ("psnr_y", 0, 13.316082843548502),
        ("ssim_y", 0, 0.5045528462045704),
    ],
)
def test_numbers_are_those_of_scikit_image(name, border, expected):
    """0.26: gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255."""
    assert RECONSTRUCTION[name](*pattern(), border) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", RECONSTRUCTION.values(), ids=RECONSTRUCTION)
def test_grey_images_need_no_axis_for_channels(metric):
    x, y = (image[..., :1] for image in pattern())
    assert metric(x[..., 0], y[..., 0]) == metric(x, y) == metric(np.float32(x), np.float64(y))


def test_ssim_is_the_definition_summed_up_window_by_window():
    x, y = RANDOM.uniform(0, 255, (2, 13, 12, 1))
    offsets = np.arange(-5, 6)
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / 4.5)
    window /= window.sum()
    values = []
    for top in range(3):
        for left in range(2):
            a, b = (z[top : top + 11, left : left + 11, 0] for z in (x, y))
            mean_a, mean_b = (window * a).sum(), (window * b).sum()
            var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
            covariance = (window * (a - mean_a) * (b - mean_b)).sum()
            value = (2 * mean_a * mean_b + 6.5025) * (2 * covariance + 58.5225)
            value /= (mean_a**2 + mean_b**2 + 6.5025) * (var_a + var_b + 58.5225)
            values.append(value)
    assert ssim(x, y) == pytest.approx(np.mean(values), abs=1e-9)


@pytest.mark.parametrize("metric", RECONSTRUCTION.values(), ids=RECONSTRUCTION)
def test_what_lies_in_the_border_does_not_count(metric):
    x = RANDOM.integers(0, 256, (30, 30, 3)).astype(np.uint8)
    y = RANDOM.integers(0, 256, (30, 30, 3)).astype(np.uint8)
    changed = y.copy()
    changed[:4] = changed[-4:] = 0
    changed[:, :4] = changed[:, -4:] = 255
    assert metric(x, changed, 4) == metric(x, y, 4) != metric(x, changed, 3)


def test_images_that_cannot_be_compared_are_refused():
    with pytest.raises(ValueError, match=r"\(20, 24, 3\) and \(20, 24, 1\)"):
        psnr(constant(0), constant(0, 1))
    with pytest.raises(ValueError, match="a border of -3 pixels; expected 0 or more"):
        psnr(constant(0), constant(0), border=-3)
    with pytest.raises(ValueError, match="20x24 pixels without a border of 10"):
        psnr(constant(0), constant(0), border=10)
    with pytest.raises(ValueError, match="at least 11"):
        ssim(constant(0), constant(0), border=5)
