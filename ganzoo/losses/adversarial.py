"""Adversarial losses as pairs of functions, both to be minimized.

Logits are `[N]` or `[N, 1]`, every loss is `[N]`, float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from keras import ops


class AdversarialLoss(NamedTuple):
    """The two sides of one game.

    Attributes:
        discriminator: `(real_logits, fake_logits) -> [N]`.
        generator: `(fake_logits,) -> [N]`.
    """

    discriminator: Callable
    generator: Callable


def hinge_discriminator(real_logits, fake_logits):
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))): Miyato et al. 2018, eq. 16.

    https://arxiv.org/abs/1802.05957
    """
    return _flat(ops.relu(1.0 - real_logits) + ops.relu(1.0 + fake_logits))


def hinge_generator(fake_logits):
    """-D(G(z)): Miyato et al. 2018, eq. 17."""
    return _flat(-fake_logits)


def non_saturating_discriminator(real_logits, fake_logits):
    """softplus(-D(x)) + softplus(D(G(z))): the cross-entropy of Goodfellow et al. 2014, eq. 1.

    https://arxiv.org/abs/1406.2661
    """
    return _flat(ops.softplus(-real_logits) + ops.softplus(fake_logits))


def non_saturating_generator(fake_logits):
    """softplus(-D(G(z))): maximizes log D(G(z)), Goodfellow et al. 2014, section 3."""
    return _flat(ops.softplus(-fake_logits))


ADVERSARIAL = {
    "hinge": AdversarialLoss(hinge_discriminator, hinge_generator),
    "non_saturating": AdversarialLoss(non_saturating_discriminator, non_saturating_generator),
}


def _flat(losses):
    return ops.reshape(ops.cast(losses, "float32"), (-1,))
