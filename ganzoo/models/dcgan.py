"""DCGAN: Deep Convolutional Generative Adversarial Networks.

Radford, Metz & Chintala, ICLR 2016, https://arxiv.org/abs/1511.06434

Two networks of strided convolutions play against each other. The generator projects a latent
vector to a small feature map and doubles its side until it is an image; the discriminator halves an
image until it is one number. What made them learn stably are the rules of section 3: no pooling,
batch normalization everywhere but at the generator's output and the discriminator's input, ReLU in
the generator, leaky ReLU in the discriminator.

    L_D = -log D(x) - log(1 - D(G(z)))        D = sigmoid(logit)
    L_G = -log D(G(z))

`loss="least_squares"` plays the game of LSGAN instead. The networks exist in two published forms:

    torch   4 x 4 kernels: github.com/soumith/dcgan.torch and, as here without biases, the example
            github.com/pytorch/examples, which most people mean by DCGAN
    theano  5 x 5 kernels, twice as wide: the paper's own, github.com/Newmu/dcgan_code

Those for 64 px are published; other sizes have fewer or more layers of the same kind.

What differs from the official codes: the generator is run once for each of the two updates, on the
same latents, so that its moving averages move twice a step. Inference uses moving averages, where
the published scripts draw their samples with batch statistics. From the Theano code: it has no
moving averages and an epsilon of 1e-8, decays all weights by 1e-5, and updates one player per
batch, in turn. Batch statistics are those of each replica. Added, as later papers have it: an
averaged generator.
"""

import functools
from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

import keras
from keras import layers

from ganzoo.ema import make_generators
from ganzoo.errors import UserError, choose, choose_size
from ganzoo.inputs import Latents
from ganzoo.latents import LatentGAN
from ganzoo.layers import CroppedConv2DTranspose, PaddedConv2D, batch_norm
from ganzoo.losses import ADVERSARIAL


class Architecture(NamedTuple):
    """What distinguishes the two published forms of the networks."""

    kernel_size: int  # of all convolutions, in pixels
    width: int  # channels at half the image's side; twice as many at a quarter, and so on
    uniform_latents: bool  # between -1 and 1; False: normally distributed
    normalize_features: bool  # of the generator's first layer, each alone; False: each channel


ARCHITECTURES = {
    "torch": Architecture(4, 64, uniform_latents=False, normalize_features=False),
    "theano": Architecture(5, 128, uniform_latents=True, normalize_features=True),
}
HALVINGS = {28: 2, 32: 3, 64: 4, 128: 5}  # image size: layers of the discriminator, down to 7 or 4


class DCGAN(LatentGAN):
    """Deep convolutional GAN, unconditional.

    Args:
        image_size: 28, 32, 64 or 128 pixels.
        channels: of the images, 1 (grey) or 3 (RGB).
        architecture: "torch" or "theano".
        latent_dim: dimensions of the latent vector, normally distributed for "torch", uniformly
            between -1 and 1 for "theano".
        width: channels at half the image's side; twice as many at a quarter, and so on. None means
            as published, 64 or 128.
        loss: a key of `ganzoo.losses.ADVERSARIAL`; "non_saturating" is the published one.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a size without a network, a width below 1, or an unknown name.
    """

    IMAGE_SIZES = tuple(HALVINGS)
    TINY = MappingProxyType({"image_size": 32, "width": 8})

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        architecture: str = "torch",
        latent_dim: int = 100,
        width: int | None = None,
        loss: str = "non_saturating",
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        arch = choose("architecture", architecture, ARCHITECTURES)
        widths = widths_of("DCGAN", arch, image_size, width)
        self.image_size, self.channels, self.latent_dim = image_size, channels, latent_dim
        self.uniform_latents = arch.uniform_latents
        self.ema_half_life_images = ema_half_life_images
        self.adversarial = choose("loss", loss, ADVERSARIAL)
        make = functools.partial(make_generator, arch, image_size, channels, widths)
        make_generators(self, make)
        self.discriminator = make_discriminator(arch, widths)

    @property
    def latents(self):
        return Latents(self.latent_dim, "uniform" if self.uniform_latents else "normal")


def widths_of(owner: str, arch: Architecture, image_size: int, width: int | None) -> list[int]:
    """Channels from half the image's side on; raises UserError for a size without networks, or a
    width below 1."""
    halvings = choose_size(owner, image_size, HALVINGS)
    width = arch.width if width is None else width
    if width < 1:
        raise UserError(f"a width of {width} channels; expected 1 or more, or None")
    return [width * 2**index for index in range(halvings)]


def make_generator(
    arch: Architecture, image_size: int, channels: int, widths: list[int], name: str
):
    """Latents `[N, latent_dim]` to images `[N, S, S, C]` in [-1, 1]."""
    bottom = image_size // 2 ** len(widths)
    *widths, widest = widths
    reshape, normalize = layers.Reshape((bottom, bottom, widest)), _norm()
    # A transposed convolution of a single pixel, as the Torch code has it, is a dense layer.
    stack = [_dense(bottom * bottom * widest)]
    stack += [normalize, reshape] if arch.normalize_features else [reshape, normalize]
    stack += [layers.ReLU()]
    for width in reversed(widths):
        stack += [_up(arch, width), _norm(), layers.ReLU()]
    stack += [_up(arch, channels), layers.Activation("tanh", dtype="float32")]
    return keras.Sequential(stack, name=name)


def make_discriminator(arch: Architecture, widths: list[int], norm: Callable | None = None):
    """Images `[N, S, S, C]` in [-1, 1] to logits `[N, 1]`.

    Args:
        arch: a value of `ARCHITECTURES`.
        widths: channels of each layer but the last.
        norm: makes a normalization of feature maps; None for that of batches.
    """
    first, *widths = widths
    stack = [_down(arch, first), layers.LeakyReLU(0.2)]
    for width in widths:
        stack += [_down(arch, width), (norm or _norm)(), layers.LeakyReLU(0.2)]
    # So is a convolution to a single pixel.
    stack += [layers.Flatten(), _dense(1, dtype="float32")]
    return keras.Sequential(stack, name="discriminator")


def _up(arch: Architecture, filters: int):
    """Transposed convolution: `[N, H, W, C] -> [N, 2H, 2W, F]`."""
    crop = (arch.kernel_size - 1) // 2
    return CroppedConv2DTranspose(filters, arch.kernel_size, crop, strides=2, **_weights())


def _down(arch: Architecture, filters: int):
    """Convolution: `[N, H, W, C] -> [N, H/2, W/2, F]`."""
    pad = (arch.kernel_size - 1) // 2
    return PaddedConv2D(filters, arch.kernel_size, pad, strides=2, **_weights())


def _dense(units: int, **kwargs):
    return layers.Dense(units, **_weights(), **kwargs)


def _weights():
    return {"use_bias": False, "kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}


def _norm():
    return batch_norm(gamma_initializer=keras.initializers.RandomNormal(1.0, stddev=0.02))
