"""CAN: Creative Adversarial Networks, art that belongs to no style.

Elgammal, Liu, Elhoseiny & Mazzone, ICCC 2017, https://arxiv.org/abs/1706.07068

The discriminator learns two things of paintings: that they are art, and of which style. The
generator, which is given no style, is rewarded for images that pass for art and whose style cannot
be recognized: it stays with art, and departs from what styles have in common.

    L_D = -log D_r(x) - log D_c(c | x) - log(1 - D_r(G(z)))
    L_G = -log D_r(G(z)) + lambda A                                  (section 3.2, eq. 2)

    A = -sum_k [1/K log D_c(k | G(z)) + (1 - 1/K) log(1 - D_c(k | G(z)))]

The ambiguity loss A is a sum of K binary cross-entropies, least where all K styles are equally
likely. The style head learns from paintings alone.

The authors published no code, and the paper names no lambda; here it is 1. It speaks of a K-way
loss, so D_c is a softmax. `AMBIGUITIES` has A with sigmoids, too, and the cross-entropy to equal
probabilities that github.com/mlberkeley/Creative-Adversarial-Networks takes instead.
`DISCRIMINATORS` has the paper's convolutions and those of that code. Both networks are published
for 256 px; smaller images have fewer layers.

What differs from the paper: images are not cropped to five parts each. As in DCGAN here, the
generator is run once for each of the two updates, on the same latents. Added: an averaged
generator.
"""

import functools
from types import MappingProxyType
from typing import NamedTuple

import keras
from keras import layers, ops

from ganzoo.classifying import ClassifyingGAN, class_accuracy
from ganzoo.ema import make_generators
from ganzoo.engine import Loss
from ganzoo.errors import UserError, choose, choose_size
from ganzoo.inputs import Classes
from ganzoo.layers import Network, PaddedConv2D, batch_norm, small_normal
from ganzoo.losses import ADVERSARIAL
from ganzoo.models import dcgan

HALVINGS = {32: 3, 64: 4, 128: 5, 256: 6}  # image size: layers of the networks, down to 4 pixels
MOST = 16  # channels of a layer, over those of the layer at half the image's side
NON_SATURATING = ADVERSARIAL["non_saturating"]


class Trunk(NamedTuple):
    """The discriminator's convolutions."""

    num_layers: int | None  # None: as many as the generator has
    use_bias: bool


DISCRIMINATORS = {"paper": Trunk(None, use_bias=False), "mlberkeley": Trunk(5, use_bias=True)}


def binary_ambiguity(logits):
    """A `[N]` of style logits `[N, K]`, whose softmax is D_c: section 3.2, eq. 2."""
    others = ops.log(ops.maximum(1.0 - ops.softmax(logits), keras.config.epsilon()))
    share = 1.0 / logits.shape[-1]
    return -ops.sum(share * ops.log_softmax(logits) + (1.0 - share) * others, axis=-1)


def sigmoid_ambiguity(logits):
    """Likewise where D_c are K sigmoids, `[N]`."""
    return ops.sum(ops.softplus(logits) - logits / logits.shape[-1], axis=-1)


def softmax_ambiguity(logits):
    """The cross-entropy from equal probabilities to the softmax, `[N]`."""
    return -ops.mean(ops.log_softmax(logits), axis=-1)


AMBIGUITIES = {
    "binary": binary_ambiguity,
    "sigmoid": sigmoid_ambiguity,
    "softmax": softmax_ambiguity,
}


class Discriminator(Network):
    """Images `[N, S, S, C]` in [-1, 1] to logits of being art `[N, 1]` and of styles `[N, K]`.

    Args:
        num_styles: K.
        widths: channels of the convolutions.
        use_bias: of the convolutions.
        style_units: of the hidden layers of the style head.
    """

    def __init__(self, num_styles, widths, use_bias=False, style_units=(1024, 512), **kwargs):
        super().__init__(**kwargs)
        stack, full = [], {"dtype": "float32"}
        for index, filters in enumerate(widths):
            options = {"strides": 2, "use_bias": use_bias, "kernel_initializer": small_normal()}
            stack += [PaddedConv2D(filters, 4, pad=1, **options)]
            stack += [*([batch_norm()] if index else []), layers.LeakyReLU(0.2)]
        self.trunk = keras.Sequential([*stack, layers.Flatten()])
        self.to_logit = layers.Dense(1, kernel_initializer=small_normal(), **full)
        hidden = []
        for units in style_units:
            hidden += [layers.Dense(units, kernel_initializer=small_normal(), **full)]
            hidden += [layers.LeakyReLU(0.2, **full)]
        last = layers.Dense(num_styles, kernel_initializer=small_normal(), **full)
        self.to_styles = keras.Sequential([*hidden, last])

    def build(self, input_shape):
        self.trunk.build(input_shape)
        for head in (self.to_logit, self.to_styles):
            head.build(self.trunk.output_shape)

    def call(self, images, training=False):
        features = self.features(images, training)
        return self.to_logit(features), self.to_styles(features)

    def features(self, images, training=False):
        """What both heads read: `[N, F]`, float32."""
        return ops.cast(self.trunk(images, training=training), "float32")


class CAN(ClassifyingGAN):
    """Creative adversarial network: an unconditional generator, and a classifier of styles.

    Args:
        image_size: 32, 64, 128 or 256 pixels.
        channels: of the images, 1 (grey) or 3 (RGB).
        num_classes: styles that the labels of the data tell apart, 2 or more.
        latent_dim: dimensions of the latent vector, drawn from the standard normal distribution.
        generator_width: channels at half the image's side; twice as many at a quarter, and so on,
            up to 16 times as many.
        discriminator: a key of `DISCRIMINATORS`.
        discriminator_width: channels of its first layer, which increase likewise.
        style_units: of the hidden layers of the style head.
        ambiguity: a key of `AMBIGUITIES`.
        ambiguity_weight: lambda; 0 for a generator that does not care about styles.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a size without a network, images of less than 2 styles, a width below 1, or
            an unknown name.
    """

    IMAGE_SIZES = tuple(HALVINGS)
    TINY = MappingProxyType(
        {
            "image_size": 32,
            "generator_width": 4,
            "discriminator_width": 8,
            "style_units": (8,),
        }
    )

    def __init__(
        self,
        image_size: int = 256,
        channels: int = 3,
        num_classes: int = 25,
        latent_dim: int = 100,
        generator_width: int = 64,
        discriminator: str = "paper",
        discriminator_width: int = 32,
        style_units: tuple[int, ...] = (1024, 512),
        ambiguity: str = "binary",
        ambiguity_weight: float = 1.0,
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        num_layers = choose_size("CAN", image_size, HALVINGS)
        if num_classes < 2:
            raise UserError(
                f"num_classes = {num_classes}: a CAN departs from what 2 or more styles have in"
                " common. Take data with labels, such as a folder for each style"
            )
        trunk = choose("discriminator", discriminator, DISCRIMINATORS)
        self.ambiguity = choose("ambiguity", ambiguity, AMBIGUITIES)
        self.image_size, self.channels, self.latent_dim = image_size, channels, latent_dim
        self.num_styles, self.ambiguity_weight = num_classes, ambiguity_weight
        self.ema_half_life_images = ema_half_life_images
        arch, widths = dcgan.ARCHITECTURES["torch"], widths_of(generator_width, num_layers)
        make_generators(
            self, functools.partial(dcgan.make_generator, arch, image_size, channels, widths)
        )
        self.discriminator = Discriminator(
            num_classes,
            widths_of(discriminator_width, trunk.num_layers or num_layers),
            trunk.use_bias,
            tuple(style_units),
            name="discriminator",
        )

    @property
    def classes(self):
        return Classes(self.num_styles, self.class_names)

    def discriminator_loss(self, batch, random):
        # Paintings, and images of the generator
        real, labels = batch["image"], batch["label"]
        latents = self.draw_latents(random, real.shape[0])
        fake = self.generator(latents, training=True)
        # Art and style, either batch normalized by its own statistics
        real_logits, styles = self._judge(real, random, "real")
        fake_logits, _ = self._judge(fake, random, "fake")
        # -log D_r(x) - log(1 - D_r(G(z))), and -log D_c(c | x)
        adversarial = NON_SATURATING.discriminator(real_logits, fake_logits)
        style = ops.sparse_categorical_crossentropy(labels, styles, from_logits=True)
        return Loss(
            adversarial + style,
            logs={"adversarial": ops.mean(adversarial), "style": ops.mean(style)}
            | {"style_accuracy": class_accuracy(labels, styles)}
            | NON_SATURATING.discriminator_logs(real_logits, fake_logits),
            reuse={"latents": latents},
        )

    def generator_loss(self, batch, random):
        # The discriminator's last fakes
        fake = self.generator(batch["latents"], training=True)
        logits, styles = self._judge(fake, random, "fake")
        # -log D_r(G(z)) + lambda A
        adversarial, ambiguity = NON_SATURATING.generator(logits), self.ambiguity(styles)
        entropy = -ops.sum(ops.softmax(styles) * ops.log_softmax(styles), axis=-1)
        return Loss(
            adversarial + self.current(self.ambiguity_weight) * ambiguity,
            logs={
                "adversarial": ops.mean(adversarial),
                "ambiguity": ops.mean(ambiguity),
                "style_entropy": ops.mean(entropy),
            },
        )

    def _judge(self, images, random, stream):
        return self.discriminator(self.augment(images, random, stream), training=True)


def widths_of(width: int, num_layers: int) -> list[int]:
    """Channels of the layers, from half the image's side on; raises UserError below 1."""
    if width < 1:
        raise UserError(f"a width of {width} channels; expected 1 or more")
    return [width * min(2**index, MOST) for index in range(num_layers)]
