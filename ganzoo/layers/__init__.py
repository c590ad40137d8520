"""Layers that GANs share and Keras lacks."""

from ganzoo.layers.convolution import CroppedConv2DTranspose, PaddedConv2D
from ganzoo.layers.image_pool import ImagePool
from ganzoo.layers.normalization import ConditionalBatchNorm, InstanceNorm, batch_norm
from ganzoo.layers.resample import downsample_average, pixel_shuffle, unpool, upsample_bilinear
from ganzoo.layers.spectral_norm import (
    SpectralConv2D,
    SpectralDense,
    power_iteration,
    spectral_norm,
)

__all__ = [
    "ConditionalBatchNorm",
    "CroppedConv2DTranspose",
    "ImagePool",
    "InstanceNorm",
    "PaddedConv2D",
    "SpectralConv2D",
    "SpectralDense",
    "batch_norm",
    "downsample_average",
    "pixel_shuffle",
    "power_iteration",
    "spectral_norm",
    "unpool",
    "upsample_bilinear",
]
