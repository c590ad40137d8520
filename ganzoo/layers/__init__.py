"""Layers that GANs share and Keras lacks."""

from ganzoo.layers.normalization import ConditionalBatchNorm, batch_norm
from ganzoo.layers.resample import downsample_average, unpool, upsample_bilinear
from ganzoo.layers.spectral_norm import (
    SpectralConv2D,
    SpectralDense,
    power_iteration,
    spectral_norm,
)

__all__ = [
    "ConditionalBatchNorm",
    "SpectralConv2D",
    "SpectralDense",
    "batch_norm",
    "downsample_average",
    "power_iteration",
    "spectral_norm",
    "unpool",
    "upsample_bilinear",
]
