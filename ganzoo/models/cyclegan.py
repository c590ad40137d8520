"""CycleGAN: translation between two sets of images of which no two are a pair.

Zhu, Park, Isola & Efros 2017, https://arxiv.org/abs/1703.10593

Two generators translate, a to b and back. Each has to convince the discriminator of the domain it
translates to, and an image that is sent there and back has to return as it was (the cycle, eq. 2).
Discriminators are shown earlier translations as well as the latest (section 4).

Implemented are the networks of the authors' PyTorch code: the residual generators with 6 and 9
blocks (appendix 7.2) and the U-Net, the discriminators of n layers (3: the 70 x 70 PatchGAN) and of
single pixels; and its six generator terms, with the identity term of section 5.2.

Differs from that code: pools look at a batch as a whole (see `ImagePool`; no difference for batches
of one image, the usual ones). Differs from the paper, as that code does: no affine in instance
normalization, padding 1 in the discriminators, the identity term for all data. With batch
normalization, a choice of that code, U-Net and discriminators are those of pix2pix, too.
"""

from collections.abc import Sequence
from types import MappingProxyType

import keras
from keras import layers, ops

from ganzoo.engine import Loss, Update, gather
from ganzoo.errors import UserError, choose
from ganzoo.layers import (
    CroppedConv2DTranspose,
    ImagePool,
    InstanceNorm,
    Network,
    PaddedConv2D,
    batch_norm,
    dropout,
    small_normal,
)
from ganzoo.losses import ADVERSARIAL
from ganzoo.translation import ImageGAN

WIDEST = 8  # times the first layer's width
DROPOUT_RATE = 0.5  # of U-Nets that have it
# How often a generator can halve the sides of an image, at least and at most.
HALVINGS = MappingProxyType({"resnet": (2, 2), "unet": (5, 8)})
# By the name of `normalization`. "image": the scale and offset of "batch", with the statistics of
# each image, as pix2pix does at inference. "none" leaves the biases out, too, as the authors' does.
NORMALIZATIONS = MappingProxyType(
    {
        "instance": InstanceNorm,
        "batch": batch_norm,
        "image": lambda: InstanceNorm(affine=True),
        "none": layers.Identity,
    }
)


@keras.saving.register_keras_serializable(package="ganzoo.cyclegan")
class ResidualBlock(layers.Layer):
    """x + F(x), without a ReLU after the sum: `[N, H, W, C] -> [N, H, W, C]`."""

    def __init__(self, normalization: str = "instance", **kwargs):
        super().__init__(**kwargs)
        self.normalization = normalization

    def build(self, input_shape):
        options = {"normalization": self.normalization, "pad": 1, "mode": "reflect"}
        channels = input_shape[-1]
        self.branch = keras.Sequential(
            [
                *_convolution(channels, 3, **options),
                *_convolution(channels, 3, activation=None, **options),
            ]
        )
        self.branch.build(input_shape)

    def call(self, x, training=False):
        return x + self.branch(x, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape


def resnet_generator(
    channels: int, width: int, num_blocks: int, name: str, normalization: str = "instance"
):
    """Images `[N, H, W, C]` to images `[N, H, W, C]` in [-1, 1], for sides that 4 divides."""
    stack = _convolution(width, 7, normalization, pad=3, mode="reflect")
    for filters in (2 * width, 4 * width):
        stack += _convolution(filters, 3, normalization, pad=1, strides=2)
    stack += [ResidualBlock(normalization) for _ in range(num_blocks)]
    for filters in (2 * width, width):
        use_bias = normalization == "instance"
        stack += [_upward(filters, 3, use_bias=use_bias), NORMALIZATIONS[normalization]()]
        stack.append(layers.ReLU())
    stack += [
        _padded(channels, 7, pad=3, mode="reflect"),
        layers.Activation("tanh", dtype="float32"),
    ]
    return keras.Sequential(stack, name=name)


class UNetGenerator(Network):
    """Images `[N, H, W, C]` to images `[N, H, W, C]` in [-1, 1], for sides that 2**num_halvings
    divides.

    Isola et al. 2017, https://arxiv.org/abs/1611.07004, appendix 6.1.1.

    Args:
        channels: of the images that it makes.
        width: channels of the first layer.
        num_halvings: layers of the way down.
        normalization: a key of `NORMALIZATIONS`.
        dropout_levels: levels of the way up, 0 the innermost, that drop half of their values.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        num_halvings: int,
        normalization: str = "instance",
        dropout_levels: Sequence[int] = (),
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.dropout_levels = tuple(dropout_levels)
        widths = [width * min(2**level, WIDEST) for level in range(num_halvings)]
        options, make = {"use_bias": normalization == "instance"}, NORMALIZATIONS[normalization]
        self.downs = [_padded(filters, 4, pad=1, strides=2, **options) for filters in widths]
        self.ups = [_upward(filters, 4, **options) for filters in widths[-2::-1]]
        self.ups.append(_upward(channels, 4))
        self.norms_down = [make() for _ in self.downs[1:-1]]
        self.norms_up = [make() for _ in self.ups[:-1]]
        self.to_range = layers.Activation("tanh", dtype="float32")

    def build(self, input_shape):
        channels = input_shape[-1]
        for down in self.downs:
            down.build((None, None, None, channels))
            channels = down.filters
        for up in self.ups:
            up.build((None, None, None, channels))
            channels = 2 * up.filters  # with those of the way down
        normalized = [*self.downs[1:-1], *self.ups[:-1]]
        for layer, norm in zip(normalized, [*self.norms_down, *self.norms_up], strict=True):
            norm.build((None, None, None, layer.filters))

    def call(self, images, training=False, random=None, **options):
        """With a `ganzoo.seeds.Random` it drops values; other options are of the normalizations."""
        # Way down: features of every scale, kept for the way up
        x, skipped = self.downs[0](images), []
        for down, norm in zip(self.downs[1:-1], self.norms_down, strict=True):
            skipped.append(x)
            x = norm(down(ops.leaky_relu(x, 0.2)), training=training, **options)
        # Bottleneck, too small to be normalized
        skipped.append(x)
        x = self.downs[-1](ops.leaky_relu(x, 0.2))
        # Way up, with noise in the form of dropout
        for level, (up, norm) in enumerate(zip(self.ups[:-1], self.norms_up, strict=True)):
            x = norm(up(ops.relu(x)), training=training, **options)
            if level in self.dropout_levels:
                x = dropout(x, DROPOUT_RATE, random, f"dropout{level}")
            x = ops.concatenate([skipped.pop(), x], axis=-1)
        # Image
        return self.to_range(self.ups[-1](ops.relu(x)))


def patch_discriminator(width: int, num_layers: int, name: str, normalization: str = "instance"):
    """Images `[N, H, W, C]` to logits `[N, H', W', 1]`, one for each overlapping patch."""
    stack = [_padded(width, 4, pad=1, strides=2), _leaky()]
    for layer in range(1, num_layers + 1):
        filters, strides = width * min(2**layer, WIDEST), 2 if layer < num_layers else 1
        stack += _convolution(filters, 4, normalization, _leaky, pad=1, strides=strides)
    stack += [_padded(1, 4, pad=1, dtype="float32")]
    return keras.Sequential(stack, name=name)


def pixel_discriminator(width: int, name: str, normalization: str = "instance"):
    """Images `[N, H, W, C]` to logits `[N, H, W, 1]`, one for each pixel."""
    stack = [_padded(width, 1), _leaky(), *_convolution(2 * width, 1, normalization, _leaky)]
    stack += [_padded(1, 1, dtype="float32")]
    return keras.Sequential(stack, name=name)


def discriminator_of(
    kind: str, num_layers: int, width: int, image_size: int, name: str, normalization: str
):
    """The discriminator "patch" or "pixel"; the latter has no number of layers.

    Raises:
        UserError: for another kind, or more layers than images of this size have.
    """
    kinds = {
        "patch": lambda: patch_discriminator(
            width, _fitting(num_layers, image_size), name, normalization
        ),
        "pixel": lambda: pixel_discriminator(width, name, normalization),
    }
    return choose("discriminator", kind, kinds)()


class CycleGAN(ImageGAN):
    """CycleGAN, for images of two domains a and b.

    Args:
        image_size: height and width of the images in training, in pixels: a multiple of 4, and of
            32 for the U-Net.
        channels: of the images, 1 (grey) or 3 (RGB).
        generator: "resnet" or "unet".
        num_blocks: residual blocks of the former; None for the published 6, from 256 pixels on 9.
            The latter has no such number: it halves the image as often as it can, at most 8 times.
        generator_width: channels of the generators' first layer.
        discriminator: "patch" or "pixel".
        discriminator_layers: of the former; 3 look at patches of 70 x 70 pixels.
        discriminator_width: channels of the discriminators' first layer.
        normalization: of all networks: "instance", "batch", "none", or "image", which has learned
            scales and offsets like "batch" and the statistics of each image like "instance".
        loss: a key of `ganzoo.losses.ADVERSARIAL`.
        cycle_weight_a: lambda of the cycle from a.
        cycle_weight_b: lambda of the cycle from b.
        identity_weight: of the identity terms, times the lambda of the domain that they compare in;
            0 saves their time.
        pool_size: earlier translations kept for each discriminator; 0 for none.

    Raises:
        UserError: for a size that the networks cannot have, or an unknown name.
    """

    DATA = "unpaired"
    IMAGE_SIZES = (64, 128, 256)  # preferred ones, to choose from by the data
    TINY = MappingProxyType(
        {
            "image_size": 32,
            "generator_width": 8,
            "num_blocks": 1,
            "discriminator_width": 8,
            "discriminator_layers": 2,
            "pool_size": 8,
        }
    )
    overlap = 48  # most of what a pixel depends on but for the means, which need the whole image

    def __init__(
        self,
        image_size: int = 256,
        channels: int = 3,
        generator: str = "resnet",
        num_blocks: int | None = None,
        generator_width: int = 64,
        discriminator: str = "patch",
        discriminator_layers: int = 3,
        discriminator_width: int = 64,
        normalization: str = "instance",
        loss: str = "least_squares",
        cycle_weight_a: float = 10.0,
        cycle_weight_b: float = 10.0,
        identity_weight: float = 0.5,
        pool_size: int = 50,
        **kwargs,
    ):
        super().__init__(**kwargs)
        halvings = halvings_of(generator, image_size)
        if num_blocks is None:
            num_blocks = 9 if image_size >= 256 else 6
        choose("normalization", normalization, NORMALIZATIONS)
        make_generator = {
            "resnet": lambda name: resnet_generator(
                channels, generator_width, num_blocks, name, normalization
            ),
            "unet": lambda name: UNetGenerator(
                channels, generator_width, halvings, normalization, name=name
            ),
        }[generator]
        judge = discriminator, discriminator_layers, discriminator_width, image_size
        self.adversarial = choose("loss", loss, ADVERSARIAL)
        self.image_size, self.channels, self.multiple = image_size, channels, 2**halvings
        # Residual blocks mirror a pixel beyond each edge, which takes two.
        self.least = self.multiple * (2 if generator == "resnet" else 1)
        self.cycle_weight_a, self.cycle_weight_b = cycle_weight_a, cycle_weight_b
        self.identity_weight = identity_weight
        self.normalization = normalization
        self.directions = ("a2b", "b2a")
        self.a2b, self.b2a = make_generator("a2b"), make_generator("b2a")
        self.discriminator_a = discriminator_of(*judge, "discriminator_a", normalization)
        self.discriminator_b = discriminator_of(*judge, "discriminator_b", normalization)
        self.pool_a = ImagePool(pool_size, name="pool_a")
        self.pool_b = ImagePool(pool_size, name="pool_b")

    def build(self, input_shape=None):
        self.build_generators()
        image = (None, self.image_size, self.image_size, self.channels)
        for part in (self.discriminator_a, self.discriminator_b, self.pool_a, self.pool_b):
            part.build(image)

    def build_generators(self):
        for generator in self.generators().values():
            generator.build((None, None, None, self.channels))

    def players(self):
        return {
            "generators": [self.a2b, self.b2a],
            "discriminators": [self.discriminator_a, self.discriminator_b],
        }

    def updates(self):
        return (
            Update("generators", self.generator_loss),
            Update("discriminators", self.discriminator_loss),
        )

    def generators(self):
        return {name: getattr(self, name) for name in self.directions}

    def keep_generators(self, names):
        self.directions = tuple(names)

    def default_networks(self):
        # No attributes of all models: Keras would save the networks under these names.
        return {"generator": self.a2b, "discriminator": self.discriminator_b}

    def modes(self):
        columns = {"a2b": ("a", "b"), "b2a": ("b", "a")}
        networks = self.generators().items()
        return {
            name: self.converting(network, name, columns=columns[name])
            for name, network in networks
        }

    def translate(self, image, direction: str | None = None):
        """The image in the other domain.

        Args:
            image: a path, a PIL image, or an array `[H, W, C]` or `[N, H, W, C]`, uint8 or float in
                [-1, 1]; of any size.
            direction: "a2b" or "b2a"; None for the first that the model has.

        Returns:
            what was given: an array like it, or a PIL image, also for a path.

        Raises:
            UserError: for anything else, an unreadable file, or a direction it does not have.
        """
        return self._answer(image, direction)

    def generator_loss(self, batch, random):
        real_a, real_b = batch["a"], batch["b"]
        fake_b, same_b = self._translate(self.a2b, real_a, real_b)
        fake_a, same_a = self._translate(self.b2a, real_b, real_a)
        returned_a, returned_b = self.b2a(fake_b, training=True), self.a2b(fake_a, training=True)
        seen_a = self.augment(fake_a, random, "fake_a")
        seen_b = self.augment(fake_b, random, "fake_b")
        logits_a = self.discriminator_a(seen_a, training=True)
        logits_b = self.discriminator_b(seen_b, training=True)
        weight_a, weight_b = self.current(self.cycle_weight_a), self.current(self.cycle_weight_b)
        terms = {
            "adversarial_a2b": self.adversarial.generator(logits_b),
            "adversarial_b2a": self.adversarial.generator(logits_a),
            "cycle_a": weight_a * difference(returned_a, real_a),
            "cycle_b": weight_b * difference(returned_b, real_b),
        }
        if self.identity_weight:
            identity = self.current(self.identity_weight)
            terms["identity_a2b"] = identity * weight_b * difference(same_b, real_b)
            terms["identity_b2a"] = identity * weight_a * difference(same_a, real_a)
        return Loss(
            sum(terms.values()),
            logs={name: ops.mean(term) for name, term in terms.items()},
            reuse={"fake_a": fake_a, "fake_b": fake_b},
        )

    def _translate(self, generator, source, target):
        """Images of the source domain, translated, and those of the target domain, which should
        stay as they are; None where nobody asks for the latter."""
        if not self.identity_weight:
            return generator(source, training=True), None
        return self._both(generator, source, target)

    def _both(self, network, images, others):
        """What a network makes of two batches in training."""
        if self.normalization == "batch":
            return network(images, training=True), network(others, training=True)
        # No image sees the others of its batch: one call does for both.
        return ops.split(network(ops.concatenate([images, others]), training=True), 2)

    def discriminator_loss(self, batch, random):
        shown_a, slots_a = self.pool_a.query(batch["fake_a"], random, "pool_a")
        shown_b, slots_b = self.pool_b.query(batch["fake_b"], random, "pool_b")
        logits_a = self._judge(self.discriminator_a, batch["a"], shown_a, random, "a")
        logits_b = self._judge(self.discriminator_b, batch["b"], shown_b, random, "b")
        loss_a, loss_b = (self.adversarial.discriminator(*pair) for pair in (logits_a, logits_b))
        both = [ops.concatenate(pair) for pair in zip(logits_a, logits_b, strict=True)]
        return Loss(
            loss_a + loss_b,
            logs={
                "loss_a": ops.mean(loss_a),
                "loss_b": ops.mean(loss_b),
                **self.adversarial.discriminator_logs(*both),
            },
            reuse={"slots_a": slots_a, "slots_b": slots_b},
        )

    def _judge(self, discriminator, real, fake, random, domain):
        """Logits of real images and of fakes."""
        real = self.augment(real, random, f"real_{domain}")
        fake = self.augment(fake, random, f"shown_{domain}")
        return self._both(discriminator, real, fake)

    def after_step(self, batch, logs):
        self.pool_a.store(gather(batch["fake_a"]), gather(batch["slots_a"]))
        self.pool_b.store(gather(batch["fake_b"]), gather(batch["slots_b"]))
        return {}

    def call(self, inputs, direction="a2b", training=False):
        return self.generators()[direction](inputs, training=training)

    def preview(self, batch, count):
        """Strips `[M, H, 3 W, C]` of an image, its translation, and that one translated back."""
        directions = {"a": self.directions, "b": self.directions[::-1]}
        strips = []
        for domain, (there, back) in directions.items():
            for real in batch[domain][: max(1, count // 6), None]:
                fake = self.run_mode(there, [real])
                returned = self.run_mode(back, [fake])
                strips.append(ops.concatenate([real, fake, returned], axis=2))
        return ops.concatenate(strips)


def difference(images, others):
    """Mean absolute difference of each image, `[N]`."""
    return ops.mean(ops.abs(images - others), axis=(1, 2, 3))


def _convolution(filters, kernel_size, normalization, activation=layers.ReLU, **kwargs):
    """A convolution, normalized, and its activation; an offset makes up for the bias."""
    use_bias = normalization == "instance"
    stack = [_padded(filters, kernel_size, use_bias=use_bias, **kwargs)]
    stack.append(NORMALIZATIONS[normalization]())
    return [*stack, activation()] if activation else stack


def _padded(filters, kernel_size, **kwargs):
    return PaddedConv2D(filters, kernel_size, kernel_initializer=small_normal(), **kwargs)


def _upward(filters, kernel_size, **kwargs):
    """Twice the size."""
    return CroppedConv2DTranspose(
        filters, kernel_size, crop=1, strides=2, kernel_initializer=small_normal(), **kwargs
    )


def _leaky():
    return layers.LeakyReLU(0.2)


def halvings_of(generator: str, image_size: int) -> int:
    """How often a generator halves the sides of its images."""
    fewest, most = choose("generator", generator, HALVINGS)
    possible = [n for n in range(fewest, most + 1) if image_size % 2**n == 0]
    if image_size < 1 or not possible:
        raise UserError(
            f"image_size {image_size}: the generator {generator!r} needs a multiple of {2**fewest}"
        )
    return max(possible)


def _fitting(num_layers: int, image_size: int) -> int:
    """The layers of a discriminator, if there are some and they leave something of the image."""
    if num_layers < 1 or image_size // 2**num_layers < 3:
        raise UserError(
            f"discriminator_layers = {num_layers}; expected 1 or more, and at most so many that"
            f" {image_size} pixels, halved by each, stay 3"
        )
    return num_layers
