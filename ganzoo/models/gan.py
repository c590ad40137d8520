"""GAN: the first generative adversarial network, two multilayer perceptrons.

Goodfellow et al., NIPS 2014, https://arxiv.org/abs/1406.2661

The generator G turns noise z into an image; the discriminator D gives the probability that an
image is real. They are trained together, each on the errors of the other:

    min_G max_D  log D(x) + log(1 - D(G(z)))                        (eq. 1)

At the optimum, G draws from the distribution of the data, and D is 1/2 everywhere. While D is sure,
log(1 - D(G(z))) is flat, so G maximizes log D(G(z)) instead (section 3). With D = sigmoid(s):

    L_D = (softplus(-s(x)) + softplus(s(G(z)))) / 2
    L_G = softplus(-s(G(z)))

`loss="saturating"` is eq. 1 to the letter. The networks exist in two published forms:

    paper        the authors' for MNIST, github.com/goodfeli/adversarial: ReLU in G, maxout and
                 dropout in D, uniform latents
    pytorch_gan  github.com/eriklindernoren/PyTorch-GAN: leaky ReLU in both, batch normalization in
                 G, with an epsilon of 0.8 as published, normal latents

What differs from the codes: the players take turns, on the same latents and with the same dropout
of generated images, where the authors move both at once and PyTorch-GAN the generator first. Biases
start at 0, where the authors' last one starts at the logit of the mean training image and those of
PyTorch-GAN are random. Added: an averaged generator.
"""

import functools
import math
from types import MappingProxyType

import keras
from keras import layers, ops

from ganzoo.ema import make_generators
from ganzoo.engine import Loss
from ganzoo.errors import choose
from ganzoo.inputs import Latents
from ganzoo.latents import LatentGAN
from ganzoo.layers import Network, batch_norm, dropout, maxout, scaled_widths
from ganzoo.losses import ADVERSARIAL

# Units of the hidden layers: the generator's and the discriminator's.
ARCHITECTURES = {
    "paper": ((1200, 1200), (240, 240)),
    "pytorch_gan": ((128, 256, 512, 1024), (512, 256)),
}
PIECES = 5  # linear functions of a maxout unit


class VanillaGAN(LatentGAN):
    """The first GAN, unconditional.

    Args:
        image_size: height and width of the images, in pixels; any.
        channels: of the images, 1 (grey) or 3 (RGB).
        architecture: "paper" or "pytorch_gan".
        latent_dim: dimensions of the latent vector, uniformly distributed between -1 and 1 for
            "paper", normally for "pytorch_gan".
        width: units of the widest layer, which is the generator's; those of all others scale along.
            None means as published, 1200 or 1024.
        loss: a key of `ganzoo.losses.ADVERSARIAL`.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a width below 1, or an unknown name.
    """

    IMAGE_SIZES = (28, 32, 48)  # those of the paper, to choose from by the data
    TINY = MappingProxyType({"image_size": 28, "width": 32})

    def __init__(
        self,
        image_size: int = 28,
        channels: int = 1,
        architecture: str = "paper",
        latent_dim: int = 100,
        width: int | None = None,
        loss: str = "non_saturating",
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        generator, discriminator = choose("architecture", architecture, ARCHITECTURES)
        depth, units = len(generator), scaled_widths((*generator, *discriminator), width)
        self.is_paper = architecture == "paper"
        self.image_size, self.channels, self.latent_dim = image_size, channels, latent_dim
        self.adversarial = choose("loss", loss, ADVERSARIAL)
        self.ema_half_life_images = ema_half_life_images
        make = _paper_generator if self.is_paper else make_perceptron
        shape = (image_size, image_size, channels)
        make_generators(self, functools.partial(make, shape, units[:depth]))
        self.discriminator = Discriminator(units[depth:], self.is_paper, name="discriminator")

    def discriminator_loss(self, batch, random):
        # Real images and generated ones
        real = batch["image"]
        latents = self.draw_latents(random, real.shape[0])
        fake = self.generator(latents, training=True)
        # Which are which?
        real_logits = self._judge(real, random, "real")
        fake_logits = self._judge(fake, random, "fake")
        return Loss(
            self.adversarial.discriminator(real_logits, fake_logits) / 2.0,
            logs=self.adversarial.discriminator_logs(real_logits, fake_logits),
            reuse={"latents": latents},
        )

    def generator_loss(self, batch, random):
        fake = self.generator(batch["latents"], training=True)  # the discriminator's last fakes
        return Loss(self.adversarial.generator(self._judge(fake, random, "fake")))

    @property
    def latents(self):
        return Latents(self.latent_dim, "uniform" if self.is_paper else "normal")

    def _judge(self, images, random, stream):
        """Logits in training; both players see generated images with the same units dropped."""
        seen = self.augment(images, random, stream)
        return self.discriminator(seen, training=True, random=random.of_step(stream))


class Discriminator(Network):
    """Images `[N, S, S, C]` in [-1, 1] to logits `[N, 1]`; with the paper's dropout, given a
    `ganzoo.seeds.Random`.

    Args:
        units: of the hidden layers.
        is_paper: whether they are maxout units with dropout; else leaky ReLU without.
    """

    def __init__(self, units, is_paper, **kwargs):
        super().__init__(**kwargs)
        self.is_paper = is_paper
        pieces, limit = (PIECES, 0.005) if is_paper else (1, None)
        self.hidden = [_dense(pieces * count, limit) for count in units]
        self.to_logit = _dense(1, limit, dtype="float32")

    def build(self, input_shape):
        self.call(ops.zeros((1, *input_shape[1:])))

    def call(self, images, training=False, random=None):
        x = ops.reshape(ops.cast(images, self.compute_dtype), (-1, math.prod(images.shape[1:])))
        if not self.is_paper:
            for layer in self.hidden:
                x = ops.leaky_relu(layer(x), 0.2)
            return self.to_logit(x)
        x = dropout((x + 1.0) / 2.0, 0.2, random, "pixels")  # theirs are in [0, 1]
        for index, layer in enumerate(self.hidden):
            x = dropout(maxout(layer(x), PIECES), 0.5, random, f"hidden{index}")
        return self.to_logit(x)


def _paper_generator(shape, units, name):
    """Latents `[N, latent_dim]` in [-1, 1] to images `[N, S, S, C]` in [-1, 1]."""
    stack = [layers.Rescaling(3.0**0.5)]  # theirs have unit variance
    stack += [_dense(count, 0.05, activation="relu") for count in units]
    stack += [_dense(math.prod(shape), 0.05), layers.Activation("sigmoid", dtype="float32")]
    stack += [layers.Rescaling(2.0, -1.0, dtype="float32"), layers.Reshape(shape, dtype="float32")]
    return keras.Sequential(stack, name=name)


def make_perceptron(shape, units, name):
    """PyTorch-GAN's generator: latents `[N, latent_dim]` to images `[N, S, S, C]` in [-1, 1]."""
    first, *units = units
    stack = [_dense(first), layers.LeakyReLU(0.2)]
    for count in units:
        stack += [_dense(count), batch_norm(epsilon=0.8), layers.LeakyReLU(0.2)]
    stack += [_dense(math.prod(shape)), layers.Reshape(shape)]
    return keras.Sequential([*stack, layers.Activation("tanh", dtype="float32")], name=name)


def _dense(units, limit=None, **kwargs):
    """A layer whose weights start uniformly distributed up to `limit`, or up to 1 / sqrt(features)
    as PyTorch has them."""
    uniform = keras.initializers.VarianceScaling(1.0 / 3.0, "fan_in", "uniform")
    if limit:
        uniform = keras.initializers.RandomUniform(-limit, limit)
    return layers.Dense(units, kernel_initializer=uniform, **kwargs)
