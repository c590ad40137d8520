"""Adversarial losses as pairs of functions, both to be minimized.

Logits are `[N]`, `[N, 1]` or maps of patches `[N, H, W, 1]`. Every loss is `[N]`, float32: of each
example the mean over its patches.
"""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops


class AdversarialLoss(NamedTuple):
    """The two sides of one game.

    Attributes:
        discriminator: `(real_logits, fake_logits) -> [N]`.
        generator: `(fake_logits,) -> [N]`.
        boundary: the logit of an image that is as likely real as not; None for scores without an
            origin, which takes the middle between real and generated images.
    """

    discriminator: Callable
    generator: Callable
    boundary: float | None = 0.0

    def discriminator_logs(self, real_logits, fake_logits) -> dict:
        """Logs of the discriminator's opinion.

        `real_sign`, the mean sign of logits of real images, is what adaptive augmentation goes by.
        """
        real, fake = ops.mean(real_logits), ops.mean(fake_logits)
        boundary = (real + fake) / 2.0 if self.boundary is None else self.boundary
        signs = ops.sign(ops.cast(real_logits, "float32") - boundary)
        return {"real_logits": real, "fake_logits": fake, "real_sign": ops.mean(signs)}


def hinge_discriminator(real_logits, fake_logits):
    """max(0, 1 - D(x)) + max(0, 1 + D(G(z))): Miyato et al. 2018, eq. 16.

    https://arxiv.org/abs/1802.05957
    """
    return _per_example(ops.relu(1.0 - real_logits) + ops.relu(1.0 + fake_logits))


def hinge_generator(fake_logits):
    """-D(G(z)): Miyato et al. 2018, eq. 17."""
    return _per_example(-fake_logits)


def non_saturating_discriminator(real_logits, fake_logits):
    """softplus(-D(x)) + softplus(D(G(z))): the cross-entropy of Goodfellow et al. 2014, eq. 1.

    https://arxiv.org/abs/1406.2661
    """
    return _per_example(ops.softplus(-real_logits) + ops.softplus(fake_logits))


def non_saturating_generator(fake_logits):
    """softplus(-D(G(z))): maximizes log D(G(z)), Goodfellow et al. 2014, section 3."""
    return _per_example(ops.softplus(-fake_logits))


def saturating_generator(fake_logits):
    """-softplus(D(G(z))): minimizes log(1 - D(G(z))), Goodfellow et al. 2014, eq. 1."""
    return _per_example(-ops.softplus(fake_logits))


def least_squares(a: float = 0.0, b: float = 1.0, c: float = 1.0) -> AdversarialLoss:
    """((D(x) - b)^2 + (D(G(z)) - a)^2) / 2 and (D(G(z)) - c)^2 / 2, with D the logit itself.

    Mao et al. 2017, https://arxiv.org/abs/1611.04076, eq. 2; by default the 0-1 coding of eq. 9.
    """

    def discriminator(real_logits, fake_logits):
        return _per_example((ops.square(real_logits - b) + ops.square(fake_logits - a)) / 2.0)

    def generator(fake_logits):
        return _per_example(ops.square(fake_logits - c) / 2.0)

    return AdversarialLoss(discriminator, generator, boundary=(a + b) / 2.0)


def least_squares_generator(fake_logits):
    """(D(G(z)) - 1)^2, as the official CycleGAN has it: twice that of Mao et al. 2017, eq. 9."""
    return _per_example(ops.square(fake_logits - 1.0))


def relativistic(logits, others):
    """softplus(-(D(x) - D(y))), of pairs: x is to look more real than y. The discriminator's has
    real images for x, the generator's has its own: Jolicoeur-Martineau 2019, eq. 3 and 4.

    https://arxiv.org/abs/1807.00734
    """
    return _per_example(ops.softplus(others - logits))


def wasserstein_critic(real_logits, fake_logits):
    """D(G(z)) - D(x): minus the estimate of the Wasserstein distance, Arjovsky et al. 2017, eq. 2.

    https://arxiv.org/abs/1701.07875
    """
    return _per_example(fake_logits - real_logits)


# For discriminators whose slopes are bounded, by clipped weights or by a penalty.
WASSERSTEIN = AdversarialLoss(wasserstein_critic, hinge_generator, boundary=None)
ADVERSARIAL = {
    "hinge": AdversarialLoss(hinge_discriminator, hinge_generator),
    "least_squares": least_squares()._replace(generator=least_squares_generator),
    "non_saturating": AdversarialLoss(non_saturating_discriminator, non_saturating_generator),
    "saturating": AdversarialLoss(non_saturating_discriminator, saturating_generator),
}


def _per_example(losses):
    losses = ops.cast(losses, "float32")
    return ops.mean(ops.reshape(losses, (ops.shape(losses)[0], -1)), axis=1)
