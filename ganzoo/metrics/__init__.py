"""Measures of images; the names of metrics carry what they measure."""

from ganzoo.metrics.distributions import (
    Moments,
    frechet_distance,
    inception_score,
    kernel_distance,
    mode_coverage,
)
from ganzoo.metrics.features import FeatureNetwork, FeatureSet, published
from ganzoo.metrics.lpips import LPIPS, open_lpips
from ganzoo.metrics.neighbors import density_coverage, precision_recall
from ganzoo.metrics.networks import CLEAN, INCEPTION, open_network
from ganzoo.metrics.paths import path_distances, path_length
from ganzoo.metrics.probe import probe_accuracy
from ganzoo.metrics.protocols import TEST_ERROR, Protocol, measure, parse
from ganzoo.metrics.reconstruction import RECONSTRUCTION, luma, psnr, ssim
