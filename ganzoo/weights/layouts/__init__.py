"""How the files of other programs lay out the weights of networks that ganzoo has, too."""

from ganzoo.weights.layouts.entries import Entry, assign, export
from ganzoo.weights.layouts.published import (
    cyclegan_discriminator,
    cyclegan_generator,
    cyclegan_resnet,
    cyclegan_unet,
    dcgan_generator,
    leftthomas_generator,
    mimicry_generator,
    mmagic_msrresnet,
    stylegan2_discriminator,
    stylegan2_filters,
    stylegan2_generator,
)
