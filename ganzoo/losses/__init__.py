"""Losses as pure functions of tensors: one number per example, float32."""

from ganzoo.losses.adversarial import (
    ADVERSARIAL,
    WASSERSTEIN,
    AdversarialLoss,
    hinge_discriminator,
    hinge_generator,
    least_squares,
    least_squares_generator,
    non_saturating_discriminator,
    non_saturating_generator,
    relativistic,
    saturating_generator,
    wasserstein_critic,
)
from ganzoo.losses.penalties import orthogonality, path_lengths, r1, slope_of_one
from ganzoo.losses.perceptual import VGG_FEATURES, VGGLoss
