"""LSGAN: Least Squares Generative Adversarial Networks.

Mao et al., ICCV 2017, https://arxiv.org/abs/1611.04076

The discriminator D does not classify, it regresses: to b for real images, to a for generated ones;
the generator wants c (eq. 2):

    L_D = (D(x) - b)^2 / 2 + (D(G(z)) - a)^2 / 2
    L_G = (D(G(z)) - c)^2 / 2

So a generated image is also pulled if it lies on the right side of the boundary, but far from it,
where the cross-entropy has no gradient. a, b, c = 0, 1, 1 is the 0-1 coding (eq. 9), that of the
experiments; -1, 1, 0 minimizes a Pearson chi-squared divergence (eq. 8). D has no sigmoid.

The networks are those of the authors' code for scenes of 112 px, github.com/xudonmao/LSGAN
(`vgg.py`): in the generator transposed convolutions of 3 x 3 with strides of 2 and 1 in turn, in
the discriminator convolutions of 5 x 5. Other sizes have fewer or more layers of the same kind.

What differs from the code: its losses are sums over a batch of 64, which Adam does not see but for
its epsilon. Added: an averaged generator.
"""

import functools
from types import MappingProxyType

import keras
from keras import layers

from ganzoo.ema import make_generators
from ganzoo.errors import UserError, choose_size
from ganzoo.inputs import Latents
from ganzoo.latents import LatentGAN
from ganzoo.layers import batch_norm, small_normal
from ganzoo.losses import least_squares

# Image size: layers of the discriminator, each of which halves the side.
HALVINGS = {28: 2, 32: 3, 64: 4, 112: 4, 128: 5}


class LSGAN(LatentGAN):
    """Least squares GAN, unconditional.

    Args:
        image_size: 28, 32, 64, 112 or 128 pixels.
        channels: of the images, 1 (grey) or 3 (RGB).
        latent_dim: dimensions of the latent vector, uniformly distributed between -1 and 1.
        width: channels at the ends next to the image; those at the other ends are 4 times as many
            in the generator, and in the discriminator double with each layer.
        a: the discriminator's target for generated images.
        b: its target for real ones.
        c: what the generator wants it to say.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a size without a network, a width below 1, or equal targets.
    """

    IMAGE_SIZES = tuple(HALVINGS)
    TINY = MappingProxyType({"image_size": 28, "width": 8, "latent_dim": 16})

    def __init__(
        self,
        image_size: int = 112,
        channels: int = 3,
        latent_dim: int = 1024,
        width: int = 64,
        a: float = 0.0,
        b: float = 1.0,
        c: float = 1.0,
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        choose_size("LSGAN", image_size, HALVINGS)
        if width < 1:
            raise UserError(f"a width of {width} channels; expected 1 or more")
        if a == b:
            raise UserError(
                f"a = b = {a}: the discriminator needs two targets, one for generated images and"
                " one for real ones, as in a=0.0, b=1.0"
            )
        self.image_size, self.channels, self.latent_dim = image_size, channels, latent_dim
        self.adversarial = least_squares(a, b, c)
        self.ema_half_life_images = ema_half_life_images
        make_generators(self, functools.partial(_generator, image_size, channels, width))
        self.discriminator = _discriminator(image_size, width)

    @property
    def latents(self):
        return Latents(self.latent_dim, "uniform")


def _generator(image_size: int, channels: int, width: int, name: str):
    """Latents `[N, latent_dim]` to images `[N, S, S, C]` in [-1, 1]."""
    halvings = HALVINGS[image_size]
    bottom = image_size // 2**halvings
    stack = [_dense(bottom * bottom * 4 * width), layers.Reshape((bottom, bottom, 4 * width))]
    stack += [batch_norm(), layers.ReLU()]
    widths = [(4 * width, 2), (4 * width, 1)] * (halvings - 2) + [(2 * width, 2), (width, 2)]
    for filters, strides in widths:
        stack += [_up(filters, strides), batch_norm(), layers.ReLU()]
    stack += [_up(channels, 1), layers.Activation("tanh", dtype="float32")]
    return keras.Sequential(stack, name=name)


def _discriminator(image_size: int, width: int):
    """Images `[N, S, S, C]` in [-1, 1] to scores `[N, 1]`."""
    stack = [_down(width), layers.LeakyReLU(0.2)]
    for index in range(1, HALVINGS[image_size]):
        stack += [_down(width * 2**index), batch_norm(), layers.LeakyReLU(0.2)]
    stack += [layers.Flatten(), _dense(1, dtype="float32")]
    return keras.Sequential(stack, name="discriminator")


def _up(filters: int, strides: int):
    """Transposed convolution: `[N, H, W, C] -> [N, strides H, strides W, F]`."""
    return layers.Conv2DTranspose(
        filters, 3, strides, padding="same", kernel_initializer=small_normal()
    )


def _down(filters: int):
    """Convolution: `[N, H, W, C] -> [N, H/2, W/2, F]`."""
    start = keras.initializers.TruncatedNormal(stddev=0.02)
    return layers.Conv2D(filters, 5, 2, padding="same", kernel_initializer=start)


def _dense(units: int, **kwargs):
    return layers.Dense(units, kernel_initializer=small_normal(), **kwargs)
