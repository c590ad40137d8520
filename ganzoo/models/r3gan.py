"""R3GAN: a residual network without tricks, and a relativistic loss with two gradient penalties.

Huang et al. 2024, https://arxiv.org/abs/2501.05441, "The GAN is dead; long live the GAN!"

The discriminator compares a real image with a generated one instead of judging each alone, so that
the generator cannot please it with a few kinds of images. With penalties on its gradients at real
(R1) and generated images (R2) this game converges locally. Normalization, styles, noise, minibatch
statistics and equalized weights, which made earlier games stable, are not needed any more. What is
left is a stack of residual blocks with grouped convolutions, whose last layer starts at zero.

    d   = D(T(x)) - D(T(G(z)))
    L_G = softplus(d)
    L_D = softplus(-d) + gamma / 2 (|grad_x D(T(x))|^2 + |grad_G(z) D(T(G(z)))|^2)

x and G(z) are paired by their places in the batch, and share the label of x. T is the augmentation.
Learning rate, beta_2, gamma, half-life of the average and strength of augmentation follow schedules
in the recipe.

Implemented are the networks of github.com/brownvc/R3GAN for sides of 16 to 256 pixels, conditional
or not. What differs from that code: both updates of a step see the same real images, each with
latents and augmentations of its own. Images are clipped to [-1, 1] in inference. The resolutions
above 4 px, at most the four highest, follow `config.precision`, as published with bfloat16.
"""

import functools
import math
from types import MappingProxyType
from typing import NamedTuple

import keras
from keras import layers, ops

from ganzoo.ema import average_of_generator, make_generators
from ganzoo.engine import Loss
from ganzoo.errors import UserError, choose_size
from ganzoo.latents import LatentGAN
from ganzoo.layers import (
    GroupedConv2D,
    Network,
    downsample_blurred,
    upsample_blurred,
)
from ganzoo.losses import r1, relativistic

EXPANSION = 2  # of the channels inside of a block
NUM_LOW_PRECISION = 4  # resolutions, at most, from the highest on
LEAKY_GAIN = math.sqrt(2.0 / (1.0 + 0.2**2))  # what keeps the variance through a leaky ReLU of 0.2


class Stage(NamedTuple):
    """The residual blocks of one resolution."""

    resolution: int  # pixels
    width: int  # channels
    groups: int  # of the 3 x 3 convolutions
    num_blocks: int
    dtype: str = "float32"  # policy


class ResidualBlock(layers.Layer):
    """x + conv1x1(leaky(conv3x3(leaky(conv1x1(x))))): `[N, H, W, C] -> [N, H, W, C]`.

    Args:
        width: channels C; twice as many inside.
        groups: of the 3 x 3 convolution.
        depth: residual blocks of the network, which decides the size of initial weights.
    """

    def __init__(self, width, groups, depth, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        wide = {
            "filters": EXPANSION * width,
            "activation": functools.partial(ops.leaky_relu, negative_slope=0.2),
            "kernel_initializer": _normal(LEAKY_GAIN * depth**-0.25),
            "dtype": self.dtype_policy,
        }
        self.expand = layers.Conv2D(kernel_size=1, name="expand", **wide)
        self.grouped = GroupedConv2D(
            kernel_size=3, padding="same", groups=groups, name="grouped", **wide
        )
        self.reduce = _conv1x1(width, "zeros", dtype=self.dtype_policy, name="reduce")

    def build(self, input_shape):
        self.expand.build(input_shape)
        wide = (*input_shape[:-1], EXPANSION * self.width)
        self.grouped.build(wide)
        self.reduce.build(wide)

    def call(self, x):
        return x + self.reduce(self.grouped(self.expand(x)))


class Resample(layers.Layer):
    """Doubles or halves the resolution: `[N, H, W, C] -> [N, H', W', width]`.

    The width is changed by a 1 x 1 convolution, where there are fewer pixels.
    """

    def __init__(self, rises: bool, old_width: int, width: int, **kwargs):
        super().__init__(**kwargs)
        self.rises, self.width, self.linear = rises, width, None
        if width != old_width:
            self.linear = _conv1x1(width, dtype=self.dtype_policy, name="linear")

    def build(self, input_shape):
        if self.linear:
            self.linear.build(input_shape)

    def call(self, x):
        x = x if self.rises else downsample_blurred(x)
        x = self.linear(x) if self.linear else x
        return upsample_blurred(x) if self.rises else x


class Generator(Network):
    """Latents `[N, latent_dim]`, and labels `[N]` if conditional, to images, not clipped.

    Args:
        stages: from 4 pixels up.
        channels: of the images.
        num_classes: of labels; 0 for none.
        embedding_dim: of a label, beside the latents.
    """

    def __init__(self, stages, channels, num_classes=0, embedding_dim=0, dtype=None, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        stages = [Stage(*stage) for stage in stages]
        self.num_classes, self.width = num_classes, stages[0].width
        if num_classes:
            self.embed = _dense(embedding_dim, name="embed")
        self.project = _dense(self.width, name="project")
        depth = sum(stage.num_blocks for stage in stages)
        self.stack = []
        for index, stage in enumerate(stages):
            if index:
                own = {"dtype": stage.dtype, "name": f"stage{index}_0"}
                self.stack += [Resample(True, self.stack[-1].width, stage.width, **own)]
            self.stack += _blocks(stage, depth, index, first=1)
        self.to_image = _conv1x1(channels, dtype=stages[-1].dtype, name="to_image")

    def build(self, latents_shape, labels_shape=None):
        self.basis = self.add_weight(
            name="basis",
            shape=(4, 4, self.width),
            initializer=keras.initializers.RandomNormal(0, 1),
        )
        inputs = latents_shape[-1]
        if self.num_classes:
            self.embed.build((None, self.num_classes))
            inputs += self.embed.units
        self.project.build((None, inputs))
        self.to_image.build((None, None, None, _build_stack(self.stack, self.width)))

    def call(self, latents, labels=None, training=False):
        if self.num_classes:
            embedded = self.embed(ops.one_hot(labels, self.num_classes))
            latents = ops.concatenate([latents, embedded], axis=1)
        x = self.basis * self.project(latents)[:, None, None]
        for layer in self.stack:
            x = layer(x)
        return ops.cast(self.to_image(x), "float32")


class Discriminator(Network):
    """Images `[N, S, S, C]`, and labels `[N]` if conditional, to logits `[N, 1]`.

    Args:
        stages: from 4 pixels up.
        num_classes: of labels; 0 for none.
        embedding_dim: of a label, and of the features that it is multiplied with.
    """

    def __init__(self, stages, num_classes=0, embedding_dim=0, dtype=None, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        stages = [Stage(*stage) for stage in reversed(stages)]
        self.num_classes, self.width = num_classes, stages[-1].width
        self.from_image = _conv1x1(stages[0].width, dtype=stages[0].dtype, name="from_image")
        depth = sum(stage.num_blocks for stage in stages)
        self.stack = []
        for index, stage in enumerate(stages):
            self.stack += _blocks(stage, depth, index, first=0)
            if index + 1 < len(stages):
                own = {"dtype": stage.dtype, "name": f"stage{index}_{stage.num_blocks}"}
                self.stack += [Resample(False, stage.width, stages[index + 1].width, **own)]
        self.to_features = _dense(embedding_dim if num_classes else 1, name="to_features")
        if num_classes:
            self.embed = _dense(embedding_dim, embedding_dim**-0.5, name="embed")

    def build(self, images_shape):
        self.basis = self.add_weight(
            name="basis",
            shape=(4, 4, self.width),
            initializer=keras.initializers.RandomNormal(0, 1 / 4),  # of 16 pixels
        )
        self.from_image.build(images_shape)
        _build_stack(self.stack, self.from_image.filters)
        self.to_features.build((None, self.width))
        if self.num_classes:
            self.embed.build((None, self.num_classes))

    def call(self, images, labels=None, training=False):
        x = self.from_image(images)
        for layer in self.stack:
            x = layer(x)
        x = self.to_features(ops.sum(ops.cast(x, "float32") * self.basis, axis=(1, 2)))
        if self.num_classes:  # projection, Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637
            x = x * self.embed(ops.one_hot(labels, self.num_classes))
            x = ops.sum(x, axis=1, keepdims=True)
        return x


class R3GAN(LatentGAN):
    """R3GAN.

    Args:
        image_size: a power of two, 16 to 256 pixels.
        channels: of the images, 1 (grey) or 3 (RGB).
        num_classes: classes of labels to condition on; 0 means unconditional.
        latent_dim: dimensions of the latent vector, and of a label beside it.
        channel_base: the channels at a resolution are this number divided by it,
        channel_max: but never more than this.
        group_width: channels of a group of the 3 x 3 convolutions, which have twice the channels of
            the resolution.
        num_blocks: residual blocks of each resolution.
        gamma: weight of both gradient penalties.
        ema_half_life_images: of the averaged generator; 0 means no averaging.

    Raises:
        UserError: for a size without a network, or channels that make no groups.
    """

    IMAGE_SIZES = (16, 32, 64, 128, 256)
    TINY = MappingProxyType(
        {
            "image_size": 16,
            "latent_dim": 8,
            "channel_base": 128,
            "channel_max": 12,
            "group_width": 8,
            "num_blocks": 1,
            "gamma": 1.0,
        }
    )

    def __init__(
        self,
        image_size: int = 64,
        channels: int = 3,
        num_classes: int = 0,
        latent_dim: int = 64,
        channel_base: int = 24576,
        channel_max: int = 768,
        group_width: int = 16,
        num_blocks: int = 2,
        gamma: float | tuple = 2.0,
        ema_half_life_images: int | tuple = 500_000,
        **kwargs,
    ):
        super().__init__(**kwargs)
        choose_size("R3GAN", image_size, dict.fromkeys(self.IMAGE_SIZES))
        self.image_size, self.channels, self.num_classes = image_size, channels, num_classes
        self.latent_dim, self.gamma = latent_dim, gamma
        self.ema_half_life_images = ema_half_life_images
        stages = _stages(image_size, channel_base, channel_max, group_width, num_blocks)
        generator = functools.partial(Generator, stages, channels, num_classes, latent_dim)
        make_generators(self, generator)
        self.discriminator = Discriminator(
            stages, num_classes, stages[0].width, name="discriminator"
        )

    def averages(self):
        return average_of_generator(self, ramp_up=None)

    def discriminator_loss(self, batch, random):
        real, labels = batch["image"], batch["label"]
        images = ops.concatenate([real, self._generate(labels, random)], axis=0)
        penalties, logits = r1(lambda images: self._judge(images, labels, random), images)
        (r1_penalty, r2_penalty), (real_logits, fake_logits) = map(_halves, (penalties, logits))
        penalty = self.current(self.gamma) * (r1_penalty + r2_penalty)
        adversarial = relativistic(real_logits, fake_logits)
        return Loss(
            adversarial + penalty,
            logs={
                "adversarial": ops.mean(adversarial),
                "r1": ops.mean(r1_penalty),
                "r2": ops.mean(r2_penalty),
                # A logit alone means nothing here; adaptive augmentation goes by this sign.
                "real_sign": ops.mean(ops.sign(real_logits - fake_logits)),
            },
        )

    def generator_loss(self, batch, random):
        real, labels = batch["image"], batch["label"]
        images = ops.concatenate([real, self._generate(labels, random)], axis=0)
        real_logits, fake_logits = _halves(self._judge(images, labels, random))
        return Loss(relativistic(fake_logits, real_logits))

    def call(self, latents, labels=None, training=False):
        return ops.clip(super().call(latents, labels, training), -1.0, 1.0)

    def _judge(self, images, labels, random):
        """Logits `[2N, 1]` of real images and then as many generated ones, as they are augmented.

        Args:
            images: `[2N, S, S, C]`, before that.
            labels: `[N]`, of both.
        """
        real, fake = _halves(images)
        seen = [self.augment(real, random, "real"), self.augment(fake, random, "fake")]
        return self.discriminator(ops.concatenate(seen, axis=0), ops.tile(labels, 2))

    def _generate(self, labels, random):
        """New images of the generator in training, of these labels `[N]`."""
        return self.generator(self.draw_latents(random, labels.shape[0]), labels, training=True)


def _halves(rows):
    """`[2N, ...]` as two of `[N, ...]`."""
    return ops.split(rows, 2, axis=0)


def _stages(image_size, channel_base, channel_max, group_width, num_blocks) -> list[Stage]:
    """From 4 pixels up; raises UserError where there is nothing, or groups are uneven."""
    low = keras.mixed_precision.dtype_policy().name
    low_from = max(2 * image_size >> NUM_LOW_PRECISION, 8)
    stages = []
    for resolution in (2**level for level in range(2, image_size.bit_length())):
        width = min(channel_base // resolution, channel_max)
        if min(width, group_width, num_blocks) < 1 or EXPANSION * width % group_width:
            raise UserError(
                f"channel_base = {channel_base}, channel_max = {channel_max}, group_width ="
                f" {group_width}, num_blocks = {num_blocks}: {width} channels at {resolution}"
                f" pixels, and {EXPANSION} times as many in the 3 x 3 convolutions; expected 1 or"
                " more of each, and a group_width that divides the latter"
            )
        dtype = low if resolution >= low_from else "float32"
        groups = EXPANSION * width // group_width
        stages.append(Stage(resolution, width, groups, num_blocks, dtype))
    return stages


def _blocks(stage: Stage, depth: int, index: int, first: int) -> list[ResidualBlock]:
    """The blocks of a stage, named by their places in it."""
    return [
        ResidualBlock(
            stage.width,
            stage.groups,
            depth,
            dtype=stage.dtype,
            name=f"stage{index}_{first + number}",
        )
        for number in range(stage.num_blocks)
    ]


def _build_stack(stack, width: int) -> int:
    """Creates the weights of layers, the first of which gets so many channels; returns how many the
    last one has."""
    for layer in stack:
        layer.build((None, None, None, width))
        width = layer.width
    return width


def _conv1x1(filters, kernel_initializer=None, **kwargs):
    kernel_initializer = kernel_initializer or _normal()
    return layers.Conv2D(
        filters, 1, use_bias=False, kernel_initializer=kernel_initializer, **kwargs
    )


def _dense(units, gain=1.0, **kwargs):
    return layers.Dense(
        units, use_bias=False, kernel_initializer=_normal(gain), dtype="float32", **kwargs
    )


def _normal(gain=1.0):
    """Initial weights of the standard deviation gain / sqrt(inputs): He et al. 2015.

    https://arxiv.org/abs/1502.01852
    """
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")
