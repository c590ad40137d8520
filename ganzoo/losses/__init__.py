"""Losses as pure functions of tensors: one number per example, float32."""

from ganzoo.losses.adversarial import (
    ADVERSARIAL,
    AdversarialLoss,
    hinge_discriminator,
    hinge_generator,
    non_saturating_discriminator,
    non_saturating_generator,
)

__all__ = [
    "ADVERSARIAL",
    "AdversarialLoss",
    "hinge_discriminator",
    "hinge_generator",
    "non_saturating_discriminator",
    "non_saturating_generator",
]
