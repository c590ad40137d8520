"""Measures of images; the names of metrics carry what they measure."""

from ganzoo.metrics.distributions import (
    Moments,
    density_coverage,
    frechet_distance,
    inception_score,
    kernel_distance,
    precision_recall,
)
from ganzoo.metrics.features import INCEPTION, FeatureNetwork, open_network
from ganzoo.metrics.protocols import FeatureSet, Protocol, measure, parse
from ganzoo.metrics.reconstruction import RECONSTRUCTION, luma, psnr, ssim

__all__ = [
    "INCEPTION",
    "RECONSTRUCTION",
    "FeatureNetwork",
    "FeatureSet",
    "Moments",
    "Protocol",
    "density_coverage",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "luma",
    "measure",
    "open_network",
    "parse",
    "precision_recall",
    "psnr",
    "ssim",
]
