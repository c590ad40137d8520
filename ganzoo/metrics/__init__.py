"""Measures of images; the names of metrics carry what they measure."""

from ganzoo.metrics.distributions import (
    Moments,
    density_coverage,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
)
from ganzoo.metrics.reconstruction import RECONSTRUCTION, luma, psnr, ssim

__all__ = [
    "RECONSTRUCTION",
    "Moments",
    "density_coverage",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "luma",
    "precision_recall",
    "psnr",
    "ssim",
]
