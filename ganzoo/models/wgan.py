"""WGAN: Wasserstein GAN, with clipped weights or a gradient penalty.

Arjovsky, Chintala & Bottou, ICML 2017, https://arxiv.org/abs/1701.07875
Gulrajani et al., NeurIPS 2017, https://arxiv.org/abs/1704.00028

The discriminator, here called critic, gives scores instead of probabilities. Among functions of
bounded slope, the largest difference between the mean scores of real and of generated images is the
Wasserstein distance of the two distributions, up to a factor. So the critic is trained close to its
optimum, by five steps for one of the generator, and the difference that it reaches, logged as
`score_difference`, falls as images improve.

    L_D = D(G(z)) - D(x)  (+ lambda (|grad_u D(u)| - 1)^2,  u = x + e (G(z) - x),  e ~ U(0, 1))
    L_G = -D(G(z))

Two ways to bound the slope:

    clip_weights             WGAN: after its step all of the critic's weights, also the scales of
                             its batch normalization, are clipped to [-0.01, 0.01]
    gradient_penalty_weight  WGAN-GP: lambda = 10; layer normalization in the critic, since a
                             penalty of each image takes critics that see each image alone

Networks, latents and initial weights are those of DCGAN in the Torch form, as in the code of WGAN,
github.com/martinarjovsky/WassersteinGAN. Facts of WGAN-GP are those of
github.com/igul222/improved_wgan_training, whose 64 px networks of DCGAN's kind have kernels of
5 x 5, biases, and latents of 128 dimensions.

What differs from the official codes: weights are clipped once the critic is made and after its
steps, as in the papers, where WGAN's code does so before them, and leaves the last step unclipped.
Its 100 steps of the critic for each of the first 25 generator steps, and for every 500th, are left
out. The generator's step comes after the critic's five, on the latents of the last one; WGAN's code
draws new ones. Added: an averaged generator.
"""

import dataclasses
import functools
import math
from types import MappingProxyType

from keras import layers, ops

from ganzoo.ema import make_generators
from ganzoo.engine import Loss
from ganzoo.errors import UserError
from ganzoo.latents import LatentGAN
from ganzoo.losses import WASSERSTEIN, slope_of_one
from ganzoo.models import dcgan


class WGAN(LatentGAN):
    """Wasserstein GAN, unconditional.

    Args:
        image_size: 28, 32, 64 or 128 pixels.
        channels: of the images, 1 (grey) or 3 (RGB).
        latent_dim: dimensions of the latent vector, drawn from the standard normal distribution.
        width: channels at half the image's side; twice as many at a quarter, and so on. None means
            as published, 64.
        clip_weights: the largest size of a weight of the critic; 0 for no limit.
        gradient_penalty_weight: lambda of WGAN-GP; 0 for no penalty.
        discriminator_steps: updates of the critic for one of the generator, each on new images.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a size without a network, a width below 1, or a critic whose slope is bounded
            in neither or in both ways.
    """

    IMAGE_SIZES = tuple(dcgan.HALVINGS)
    TINY = MappingProxyType({"image_size": 28, "width": 8})

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        latent_dim: int = 100,
        width: int | None = None,
        clip_weights: float = 0.01,
        gradient_penalty_weight: float = 0.0,
        discriminator_steps: int = 5,
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if clip_weights < 0 or bool(clip_weights) == bool(gradient_penalty_weight):
            raise UserError(
                f"clip_weights = {clip_weights}, gradient_penalty_weight ="
                f" {gradient_penalty_weight}: one of them bounds the critic's slope, and is above"
                " 0; set the other to 0"
            )
        self.image_size, self.channels, self.latent_dim = image_size, channels, latent_dim
        self.clip_weights, self.gradient_penalty_weight = clip_weights, gradient_penalty_weight
        self.discriminator_steps, self.adversarial = discriminator_steps, WASSERSTEIN
        self.ema_half_life_images = ema_half_life_images
        arch = dcgan.ARCHITECTURES["torch"]
        widths = dcgan.widths_of("WGAN", arch, image_size, width)
        make = functools.partial(dcgan.make_generator, arch, image_size, channels, widths)
        make_generators(self, make)
        norm = _layer_norm if gradient_penalty_weight else None
        self.discriminator = dcgan.make_discriminator(arch, widths, norm)

    def build(self, input_shape=None):
        super().build(input_shape)
        limit = self.clip_weights or math.inf
        for weight in self.discriminator.trainable_variables:
            weight.assign(ops.clip(weight, -limit, limit))

    def updates(self):
        critic, generator = super().updates()
        return dataclasses.replace(critic, clip_weights=self.clip_weights or None), generator

    def discriminator_loss(self, batch, random):
        # Real and generated images
        count = batch["image"].shape[0]
        latents = self.draw_latents(random, count)
        fake = self.augment(self.generator(latents, training=True), random, "fake")
        real = self.augment(batch["image"], random, "real")
        # Scores, either batch normalized by its own statistics
        real_scores = self.discriminator(real, training=True)
        fake_scores = self.discriminator(fake, training=True)
        value = self.adversarial.discriminator(real_scores, fake_scores)
        logs = {"score_difference": -ops.mean(value)}
        # Slopes in between
        if self.gradient_penalty_weight:
            mix = random.uniform("mix", [count, 1, 1, 1])
            penalty = slope_of_one(self.discriminator, real, fake, mix)
            value += self.current(self.gradient_penalty_weight) * penalty
            logs["gradient_penalty"] = ops.mean(penalty)
        logs |= self.adversarial.discriminator_logs(real_scores, fake_scores)
        return Loss(value, logs, reuse={"latents": latents})


def _layer_norm():
    """Of each image over pixels and channels, with a scale and an offset for each channel."""
    return layers.GroupNormalization(groups=1, epsilon=1e-5)
