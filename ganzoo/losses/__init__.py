"""Losses as pure functions of tensors: one number per example, float32."""

from ganzoo.losses.adversarial import (
    ADVERSARIAL,
    AdversarialLoss,
    hinge_discriminator,
    hinge_generator,
    least_squares_discriminator,
    least_squares_generator,
    non_saturating_discriminator,
    non_saturating_generator,
)
from ganzoo.losses.penalties import orthogonality, path_lengths, r1
from ganzoo.losses.perceptual import VGG_FEATURES, VGGLoss
