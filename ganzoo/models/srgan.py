"""SRGAN: photo-realistic single image super-resolution.

Ledig et al., CVPR 2017, https://arxiv.org/abs/1609.04802

A network that enlarges images and is trained on squared errors (SRResNet) gives the mean of all
images that a small one may stem from: sharp where there is one answer, blurred where there are
many. SRGAN starts from it, and replaces the question: do the result's features look like the
original's to a classifier, and can a discriminator tell it from a photo?

    SRResNet   l = MSE(G(small), large)                                          eq. 4
    SRGAN      l = content + 1e-3 * -log D(G(small))                             eq. 3, 6
               content = MSE of VGG19's features (VGG22, VGG54), or of pixels    eq. 5

Both stages are one schedule: the pixel loss until `pretrain_images`, then the other two. They have
optimizers of their own, which move the same generator.

Implemented are the networks of figure 4, for enlargements by 2, 4 and 8. The authors published no
code. Left open by the paper, and chosen here: convolutions have no bias before a normalization,
initial weights are He's, PReLU begins at 0.25, each channel with a slope of its own. The generator
ends without an activation, as in the figure; results are clipped outside of training. Each step
updates the generator first and shows the discriminator the images made for that, so that they are
made once. Added, as later papers have it: an averaged generator, and a demand that even surfaces
stay even (`flat_region_weight`). What is left out: the total variation that the paper adds to
SRResNet-VGG22.

For files that others published there are generators that differ: with biases before normalizations
and a tanh at the end, and `msrresnet`, the network of MMagic's SRGAN, without normalizations.
"""

import functools
from types import MappingProxyType

import keras
from keras import layers, ops

from ganzoo.ema import average_of_generator, make_generators
from ganzoo.engine import Loss, Update
from ganzoo.errors import UserError, choose, unknown
from ganzoo.layers import (
    ConvToImage,
    Network,
    PaddedConv2D,
    PReLU,
    batch_norm,
    pixel_shuffle,
    upscale_bilinear,
)
from ganzoo.losses import ADVERSARIAL, VGG_FEATURES, VGGLoss
from ganzoo.translation import ImageGAN

NON_SATURATING = ADVERSARIAL["non_saturating"]
SCALES = (2, 4, 8)
WIDTHS = (1, 1, 2, 2, 4, 4, 8, 8)  # of the discriminator's layers; every other one halves the image
HALVED = 2 ** (len(WIDTHS) // 2)
EMA_RAMP_UP = 0.5  # a long average from early on: in the second stage the start is a good one
TINT = 0.25  # how far the colors of even surfaces are from grey


class ResidualBlock(layers.Layer):
    """x + F(x), without an activation after the sum: `[N, H, W, C] -> [N, H, W, C]`."""

    def __init__(self, stack, **kwargs):
        super().__init__(**kwargs)
        self.branch = keras.Sequential(stack)

    def build(self, input_shape):
        self.branch.build((None, None, None, input_shape[-1]))

    def call(self, x, training=False):
        return x + self.branch(x, training=training)


class Generator(Network):
    """SRResNet: images `[N, H, W, C]` in [-1, 1] to images `[N, s H, s W, C]`, not clipped."""

    def __init__(
        self,
        channels: int,
        scale: int,
        num_blocks: int,
        width: int,
        output: str = "linear",
        normalized_bias: bool = False,
        trunk_end: str = "norm",
        **kwargs,
    ):
        super().__init__(**kwargs)

        def normalized():
            return [_conv(width, 3, use_bias=normalized_bias), batch_norm()]

        self.head = [_conv(width, 9), _prelu()]
        stacks = ([*normalized(), _prelu(), *normalized()] for _ in range(num_blocks))
        self.blocks = [ResidualBlock(stack) for stack in stacks]
        self.tail = normalized() if trunk_end == "norm" else [_conv(width, 3), _prelu()]
        self.expansions = [_conv(4 * width, 3) for _ in range(_doublings(scale))]
        self.activations = [_prelu() for _ in self.expansions]
        self.to_image = _conv(channels, 9, ConvToImage)
        self.to_range = layers.Activation(output, dtype="float32")

    def build(self, input_shape):
        _build_by_call(self, input_shape)

    def call(self, images, training=False):
        x = (images + 1.0) / 2.0
        for layer in self.head:
            x = layer(x)
        skipped = x
        for block in self.blocks:
            x = block(x, training=training)
        convolve, finish = self.tail
        x = skipped + finish(convolve(x), training=training)
        for expand, activate in zip(self.expansions, self.activations, strict=True):
            x = activate(pixel_shuffle(expand(x), 2))
        return self.to_range(self.to_image(x))


class ModifiedGenerator(Network):
    """MSRResNet, which adds details to a bilinear enlargement, without normalizations.

    Images `[N, H, W, C]` in [-1, 1] to images `[N, s H, s W, C]`, not clipped. Wang et al. 2018,
    https://arxiv.org/abs/1809.00219, compare with it; MMagic has published one.
    """

    def __init__(self, channels: int, scale: int, num_blocks: int, width: int, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.first = _conv(width, 3)
        stacks = ([_conv(width, 3), layers.ReLU(), _conv(width, 3)] for _ in range(num_blocks))
        self.blocks = [ResidualBlock(stack) for stack in stacks]
        self.expansions = [_conv(4 * width, 3) for _ in range(_doublings(scale))]
        self.refine = _conv(width, 3)
        self.to_image = _conv(channels, 3, ConvToImage)

    def build(self, input_shape):
        _build_by_call(self, input_shape)

    def call(self, images, training=False):
        x = ops.leaky_relu(self.first((images + 1.0) / 2.0), 0.1)
        for block in self.blocks:
            x = block(x)
        for expand in self.expansions:
            x = pixel_shuffle(expand(x), 2)
        details = self.to_image(ops.leaky_relu(self.refine(x), 0.1))
        return ops.cast(details, "float32") + upscale_bilinear(
            ops.cast(images, "float32"), self.scale
        )


def _build_by_call(network, input_shape):
    """Creates all weights: an image of one pixel is as good as any other."""
    network.call(ops.zeros((1, 1, 1, input_shape[-1])))


def discriminator(width: int, name: str):
    """Images `[N, S, S, C]` in [-1, 1] to logits `[N, 1]`; S is a multiple of 16."""
    stack = []
    for index, factor in enumerate(WIDTHS):
        normalized = index > 0
        stack.append(
            PaddedConv2D(
                factor * width,
                3,
                pad=1,
                strides=1 + index % 2,
                use_bias=not normalized,
                kernel_initializer="he_normal",
            )
        )
        stack += [batch_norm()] if normalized else []
        stack.append(layers.LeakyReLU(0.2))
    stack += [layers.Flatten(), layers.Dense(16 * width), layers.LeakyReLU(0.2)]
    stack += [layers.Dense(1, dtype="float32")]
    return keras.Sequential(stack, name=name)


class SRGAN(ImageGAN):
    """SRResNet, then SRGAN.

    Args:
        image_size: height and width of the large images in training, in pixels: a multiple of 16.
        channels: of the images, 1 (grey) or 3 (RGB).
        scale: how much larger the results are: 2, 4 or 8.
        num_blocks: residual blocks of the generator.
        width: channels of the generator's feature maps.
        architecture: of the generator, "srresnet" or "msrresnet".
        output: of the former: "linear", or "tanh" after its last convolution.
        normalized_bias: whether its convolutions have a bias before a normalization, too, which
            makes no difference but that some files have one.
        trunk_end: what follows the convolution after the blocks: "norm", or "prelu".
        discriminator_width: channels of the discriminator's first layer.
        content_loss: of the second stage: "vgg54", "vgg22", or "mse" for pixels.
        vgg_weights: a file with VGG19's weights, see `VGGLoss`; None downloads them once.
        adversarial_weight: of the discriminator's opinion, beside the content's 1.
        flat_region_weight: of the demand that even surfaces stay even in the second stage, beside
            the same; 0, as in the paper, means no such demand.
        pretrain_images: images of the first stage.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a size or scale without a network, or an unknown name; from `build`, when
            VGG19's weights cannot be had.
    """

    DATA = "super_resolution"
    IMAGE_SIZES = (96,)
    TINY = MappingProxyType(
        {
            "image_size": 32,
            "num_blocks": 1,
            "width": 8,
            "discriminator_width": 8,
            "content_loss": "mse",
            "pretrain_images": 16,
        }
    )

    def __init__(
        self,
        image_size: int = 96,
        channels: int = 3,
        scale: int = 4,
        num_blocks: int = 16,
        width: int = 64,
        architecture: str = "srresnet",
        output: str = "linear",
        normalized_bias: bool = False,
        trunk_end: str = "norm",
        discriminator_width: int = 64,
        content_loss: str = "vgg54",
        vgg_weights: str | None = None,
        adversarial_weight: float = 1e-3,
        flat_region_weight: float = 0.0,
        pretrain_images: int = 16_000_000,
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if scale not in SCALES:
            raise UserError(f"scale {scale}: SRGAN enlarges by {', '.join(map(str, SCALES))}")
        if image_size < HALVED or image_size % HALVED:
            raise UserError(
                f"image_size {image_size}: the discriminator halves images {len(WIDTHS) // 2} times"
                f" and needs a multiple of {HALVED}"
            )
        choose("output", output, dict.fromkeys(("linear", "tanh")))
        choose("trunk_end", trunk_end, dict.fromkeys(("norm", "prelu")))
        if content_loss not in ("mse", *VGG_FEATURES):
            raise unknown("content_loss", content_loss, ["mse", *VGG_FEATURES])
        self.image_size, self.channels, self.scale = image_size, channels, scale
        self.content_loss, self.vgg_weights = content_loss, vgg_weights
        self.adversarial_weight, self.flat_region_weight = adversarial_weight, flat_region_weight
        self.pretrain_images = pretrain_images
        self.ema_half_life_images = ema_half_life_images
        # How far a result depends on its input: by the convolution of 9 x 9 pixels, two of 3 x 3
        # in each block, and one after them; what follows reaches 3 further, whatever the scale.
        self.overlap = 4 + 2 * num_blocks + 1 + 3
        sizes = (channels, scale, num_blocks, width)
        make = choose(
            "architecture",
            architecture,
            {
                "srresnet": functools.partial(
                    Generator, *sizes, output, normalized_bias, trunk_end
                ),
                "msrresnet": functools.partial(ModifiedGenerator, *sizes),
            },
        )
        make_generators(self, make)
        self.discriminator = discriminator(discriminator_width, name="discriminator")

    def build(self, input_shape=None):
        self.build_generators()
        self.discriminator.build((None, self.image_size, self.image_size, self.channels))
        for average in self.averages():
            average.source.build((None, None, None, self.channels))
            average.start()
        self.content = _squared_error
        if self.content_loss in VGG_FEATURES:
            self.content = VGGLoss(self.content_loss, self.vgg_weights)

    def build_generators(self):
        self.averaged_generator.build((None, None, None, self.channels))

    def players(self):
        return {
            "pretrain": [self.generator],
            "generator": [self.generator],
            "discriminator": [self.discriminator],
        }

    def updates(self):
        until = self.pretrain_images
        return (
            Update("pretrain", self.pixel_loss, stop_images=until),
            Update("generator", self.generator_loss, start_images=until),
            Update("discriminator", self.discriminator_loss, start_images=until),
        )

    def generators(self):
        return {"upscale": self.averaged_generator}

    def facts(self):
        content = self.content
        return {"vgg_fingerprint": content.fingerprint()} if isinstance(content, VGGLoss) else {}

    def averages(self):
        return average_of_generator(self, self._refresh_moments, EMA_RAMP_UP)

    def _refresh_moments(self, batch, random):
        if self.averaged_generator.non_trainable_variables:  # MSRResNet has no moments
            self.averaged_generator(batch["low_res"], training=True)

    def pixel_loss(self, batch, random):
        error = _squared_error(self.generator(batch["low_res"], training=True), batch["image"])
        return Loss(error, logs={"psnr": _psnr(error)})

    def generator_loss(self, batch, random):
        real, fake = batch["image"], self.generator(batch["low_res"], training=True)
        content = self.content(fake, real)
        seen = self.augment(fake, random, "fake")
        adversarial = NON_SATURATING.generator(self.discriminator(seen, training=True))
        loss = content + self.current(self.adversarial_weight) * adversarial
        logs = {
            "content": ops.mean(content),
            "adversarial": ops.mean(adversarial),
            "psnr": _psnr(_squared_error(fake, real)),
        }
        if self.flat_region_weight:
            logs["flat_region_variance"] = self._flat_region_variance(random, real.shape[0])
            loss += self.current(self.flat_region_weight) * logs["flat_region_variance"]
        return Loss(loss, logs=logs, reuse={"fake": fake})

    def _flat_region_variance(self, random, count):
        """Mean variance of enlarged even surfaces, which should have none: of an eighth of `count`
        random colors.

        A pixel shuffle puts a grid on them unless all of its filters pass a constant on equally,
        which is asked for here. Sugawara, Shiota & Kiya 2018, https://arxiv.org/abs/1806.02658, who
        state the condition, change the network instead.
        """
        grey = random.uniform("grey", [count, 1, 1, 1], -1.0, 1.0)
        tint = random.uniform("tint", [count, 1, 1, self.channels], -TINT, TINT)
        side = self.image_size // self.scale
        surfaces = ops.clip(grey + tint, -1.0, 1.0)[::8] * ops.ones((1, side, side, 1))
        large = self.generator(surfaces, training=False)  # they would have moments of their own
        inner = slice(self.image_size // 3, -(self.image_size // 3))  # away from the padding
        return ops.mean(ops.var(large[:, inner, inner], axis=(1, 2)))

    def discriminator_loss(self, batch, random):
        # Apart, since each batch is normalized by its own statistics.
        real = self.augment(batch["image"], random, "real")
        fake = self.augment(batch["fake"], random, "fake")
        real_logits = self.discriminator(real, training=True)
        fake_logits = self.discriminator(fake, training=True)
        return Loss(
            NON_SATURATING.discriminator(real_logits, fake_logits),
            logs=NON_SATURATING.discriminator_logs(real_logits, fake_logits),
        )

    def call(self, inputs, direction="upscale", training=False):
        return ops.clip(self.averaged_generator(inputs, training=training), -1.0, 1.0)

    def modes(self):
        columns = ("low_res", "image")
        return {"upscale": self.converting(self, *self.generators(), columns=columns)}

    def upscale(self, image):
        """The image, `scale` times as large.

        Args:
            image: a path, a PIL image, or an array `[H, W, C]` or `[N, H, W, C]`, uint8 or float in
                [-1, 1]; of any size.

        Returns:
            what was given: an array like it, or a PIL image, also for a path.

        Raises:
            UserError: for anything else, or an unreadable file.
        """
        return self._answer(image)

    def preview(self, batch, count):
        """Strips `[M, S, 3 S, C]` of the small image, its enlargement, and the original."""
        small, large = (batch[name][: max(1, count // 3)] for name in ("low_res", "image"))
        pixels = ops.repeat(ops.repeat(small, self.scale, axis=1), self.scale, axis=2)
        return ops.concatenate([pixels, self.run_mode("upscale", [small]), large], axis=2)


def _squared_error(images, references):
    """Mean over each image's pixels, `[N]`."""
    return ops.mean(ops.square(images - references), axis=(1, 2, 3))


def _psnr(error):
    """Mean peak signal-to-noise ratio in dB, for values that span 2."""
    return ops.mean(10.0 * ops.log10(4.0 / ops.maximum(error, 1e-10)))


def _doublings(scale: int) -> int:
    return scale.bit_length() - 1


def _conv(filters, kernel_size, layer=layers.Conv2D, **kwargs):
    return layer(filters, kernel_size, padding="same", kernel_initializer="he_normal", **kwargs)


def _prelu():
    """With a slope for each channel, the same at all places."""
    return PReLU(alpha_initializer=keras.initializers.Constant(0.25), shared_axes=[1, 2])
