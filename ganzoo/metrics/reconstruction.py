"""How near an image comes to the one it should be: PSNR and SSIM, in luma or in RGB.

Images are uint8 or float, `[H, W, C]` or `[H, W]`, with values from 0 to 255; everything is
computed in float64. Benchmarks of super-resolution measure the luma of MATLAB's `rgb2ycbcr`, not
rounded, and cut off as many pixels at each border as the image was enlarged by.
"""

import numpy as np

PEAK = 255.0
_WINDOW = 11  # pixels; side of SSIM's window


def luma(image) -> np.ndarray:
    """Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255: `[H, W, 3] -> [H, W, 1]`, 16 to 235.

    ITU-R BT.601, with the coefficients of MATLAB's `rgb2ycbcr`. A grey image stands for R = G = B.
    """
    image = np.atleast_3d(np.asarray(image, np.float64))
    if image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=-1)
    return 16.0 + image @ np.array([[65.481], [128.553], [24.966]]) / PEAK


def psnr(image, reference, border: int = 0) -> float:
    """Peak signal-to-noise ratio, 10 log10(255^2 / MSE), in dB; infinite for equal images.

    Args:
        image: `[H, W, C]` or `[H, W]`.
        reference: of the same shape.
        border: pixels cut off on each side first.

    Raises:
        ValueError: when the shapes differ, the border is negative, or nothing is left inside it.
    """
    image, reference = _cut(image, reference, border, least=1)
    error = np.mean((image - reference) ** 2)
    return float(10.0 * np.log10(PEAK**2 / error)) if error else float("inf")


def ssim(image, reference, border: int = 0) -> float:
    """Structural similarity (Wang et al. 2004, eq. 13): mean over positions and channels, up to 1.

    Gaussian window of 11 x 11 pixels with standard deviation 1.5, only where it lies inside the
    image; K1 = 0.01, K2 = 0.03. Arguments and errors as `psnr` has them.
    """
    from skimage.metrics import structural_similarity  # takes a second

    pair = _cut(image, reference, border, least=_WINDOW)
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(*pair, data_range=PEAK, channel_axis=-1, **gaussian))


def _cut(image, reference, border: int, least: int) -> tuple[np.ndarray, np.ndarray]:
    pair = [np.atleast_3d(np.asarray(x, np.float64)) for x in (image, reference)]
    if pair[0].shape != pair[1].shape or pair[0].ndim != 3:
        raise ValueError(
            f"images of shapes {pair[0].shape} and {pair[1].shape}; expected one shape, [H, W, C]"
        )
    if border < 0:
        raise ValueError(f"a border of {border} pixels; expected 0 or more")
    if min(pair[0].shape[:2]) - 2 * border < least:
        raise ValueError(
            f"{pair[0].shape[0]}x{pair[0].shape[1]} pixels without a border of {border}: expected"
            f" at least {least} on each side to be left"
        )
    inside = slice(border, -border or None)
    return pair[0][inside, inside], pair[1][inside, inside]


def _of_luma(metric):
    return lambda image, reference, border=0: metric(luma(image), luma(reference), border)


# By name: `(image, reference, border) -> float`; "y" is luma.
RECONSTRUCTION = {
    "psnr_y": _of_luma(psnr),
    "ssim_y": _of_luma(ssim),
    "psnr_rgb": psnr,
    "ssim_rgb": ssim,
}
