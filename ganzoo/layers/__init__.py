"""Layers that GANs share and Keras lacks."""

from ganzoo.layers.composite import Composite, Network, scaled_widths, small_normal
from ganzoo.layers.convolution import ConvToImage, CroppedConv2DTranspose, PaddedConv2D
from ganzoo.layers.dropout import dropout, gaussian_noise
from ganzoo.layers.equalized import EqualizedConv2D, EqualizedDense, activate
from ganzoo.layers.grouped import GroupedConv2D
from ganzoo.layers.image_pool import ImagePool
from ganzoo.layers.maxout import maxout
from ganzoo.layers.minibatch_stddev import MinibatchStddev
from ganzoo.layers.modulated import ModulatedConv2D, StyledConv2D, ToImage
from ganzoo.layers.normalization import ConditionalBatchNorm, InstanceNorm, batch_norm
from ganzoo.layers.prelu import PReLU
from ganzoo.layers.resample import (
    blur,
    downsample_average,
    downsample_blurred,
    pixel_shuffle,
    unpool,
    upsample_bilinear,
    upsample_blurred,
    upsample_nearest,
    upscale_bilinear,
)
from ganzoo.layers.spectral_norm import (
    SpectralConv2D,
    SpectralDense,
    power_iteration,
    spectral_norm,
)
from ganzoo.layers.weight_norm import (
    WeightNormConv2D,
    WeightNormConv2DTranspose,
    WeightNormDense,
)
