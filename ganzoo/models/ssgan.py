"""SSGAN: Self-Supervised GANs via Auxiliary Rotation Loss.

Chen et al., CVPR 2019, https://arxiv.org/abs/1811.11212

A discriminator forgets what it learned when the generator's images change. SSGAN gives it a second
task that needs no labels: telling by how many quarter turns an image was rotated. It learns the
task on real images only; the generator is rewarded when its own images, rotated, are recognized.

    L_D = V_D + beta  * E_{x ~ real} E_r [-log Q(r | x^r)]      beta  = 1.0   (section 3, eq. 1)
    L_G = V_G + alpha * E_{x ~ fake} E_r [-log Q(r | x^r)]      alpha = 0.2

V is the hinge or the non-saturating loss on upright images. The networks are the residual ones of
SNGAN, spectrally normalized in the discriminator. `ARCHITECTURES` has them in five variants:

    compare_gan  the authors' own, github.com/google/compare_gan
    mimicry      a later reproduction with public weights, github.com/kwotsin/mimicry
    sngan        the same without mimicry's accident that shortcuts see rectified inputs
    sngan_mean   sngan with the mean pooling of compare_gan: milder, for narrow networks
    projection   sngan as the authors of SNGAN have it for classes, see `ganzoo.models.cgan`:
                 upsampling repeats pixels, and the generator's end does not depend on the class

What differs from the official code: images are in [-1, 1] at the boundary (its networks work in
[0, 1], inside); labels of rotated fakes are those the fakes were made with; a conditional scale
starts at 1. From mimicry: biases start at 0, and power iterations advance once an update, not once
a call. Batch statistics are those of each replica; inference uses their moving averages, where the
official code computes them again before an evaluation. An augmentation, where one is chosen, acts
on images of the adversarial loss alone, since it may turn them, too.
"""

import functools
from collections.abc import Callable
from types import MappingProxyType
from typing import NamedTuple

import keras
from keras import ops

from ganzoo.augment import NUM_ROTATIONS, ROTATION_BATCHES
from ganzoo.ema import make_generators
from ganzoo.engine import Loss
from ganzoo.errors import UserError, choose, choose_size
from ganzoo.latents import LatentGAN
from ganzoo.layers import (
    Composite,
    ConditionalBatchNorm,
    Network,
    SpectralConv2D,
    SpectralDense,
    batch_norm,
    power_iteration,
    scaled_widths,
    small_normal,
    unpool,
    upsample_bilinear,
    upsample_nearest,
)
from ganzoo.losses import ADVERSARIAL


class Size(NamedTuple):
    """Channels of the networks for one image size, as published."""

    bottom: int  # side of the generator's first feature map
    generator: tuple[int, ...]  # channels of the first feature map, then of each block
    discriminator: tuple[int, ...]  # channels of each block
    down: int  # how many of the discriminator's blocks halve the resolution, from the first on
    logit_bias: bool = True  # whether the discriminator's last layer has one


class Architecture(NamedTuple):
    """What distinguishes the published implementations of the same networks."""

    sizes: dict[int, Size]
    upsample: Callable  # of a generator block
    shortcut_kernel: int  # side of the convolutions on shortcuts
    always_convolve_shortcut: bool  # also where the discriminator's shortcut could be the identity
    rectified_shortcut: bool  # whether the discriminator's shortcut starts from relu(x)
    hidden_is_input: bool  # inside its blocks, as many channels as come in; False: as go out
    unit_range: bool  # the networks work on [0, 1], with a sigmoid; False: on [-1, 1], with a tanh
    pool: Callable  # of the discriminator's last feature map
    block_init: Callable  # initializers of the convolutions of blocks, and of everything else
    init: Callable
    conditional_end: bool = True  # the generator's last normalization; False: of all classes


def _xavier(gain=1.0):
    return keras.initializers.VarianceScaling(gain**2, mode="fan_avg", distribution="uniform")


COMPARE_GAN = Architecture(
    sizes={
        32: Size(4, (256, 256, 256, 256), (128, 128, 128, 128), 2),
        48: Size(6, (512, 256, 128, 64), (64, 128, 256, 512, 1024), 4),
        64: Size(4, (512, 512, 256, 256, 128, 64), (64, 128, 256, 256, 512, 512), 6),
        128: Size(4, (512, 512, 256, 256, 128, 64), (64, 128, 256, 256, 512, 512), 6),
    },
    upsample=unpool,
    shortcut_kernel=3,
    always_convolve_shortcut=True,
    rectified_shortcut=False,
    hidden_is_input=False,
    unit_range=True,
    pool=ops.mean,
    block_init=small_normal,
    init=small_normal,
)
MIMICRY = Architecture(
    sizes={
        32: Size(4, (256, 256, 256, 256), (128, 128, 128, 128), 2),
        48: Size(6, (512, 256, 128, 64), (64, 128, 256, 512, 1024), 4),
        64: Size(4, (1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024), 5),
        128: Size(4, (1024, 1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024, 1024), 5),
    },
    upsample=upsample_bilinear,
    shortcut_kernel=1,
    always_convolve_shortcut=False,
    rectified_shortcut=True,
    hidden_is_input=True,
    unit_range=False,
    pool=ops.sum,
    block_init=lambda: _xavier(2.0**0.5),
    init=_xavier,
)
SNGAN = MIMICRY._replace(rectified_shortcut=False)
ARCHITECTURES = {
    "compare_gan": COMPARE_GAN,
    "mimicry": MIMICRY,
    "sngan": SNGAN,
    "sngan_mean": SNGAN._replace(pool=ops.mean),
    "projection": SNGAN._replace(
        sizes=SNGAN.sizes | {32: SNGAN.sizes[32]._replace(logit_bias=False)},
        upsample=upsample_nearest,
        conditional_end=False,
    ),
}


class GeneratorBlock(Composite, keras.layers.Layer):
    """Residual block that may double the resolution: `[N, H, W, C] -> [N, 2H, 2W, F]`."""

    def __init__(self, channels, up, arch: Architecture, norm: Callable, **kwargs):
        super().__init__(**kwargs)
        self.upsample = arch.upsample if up else lambda x: x
        self.norm1, self.norm2 = norm("norm1"), norm("norm2")
        self.conv1 = _conv(channels, 3, arch.block_init, "conv1")
        self.conv2 = _conv(channels, 3, arch.block_init, "conv2")
        self.shortcut = _conv(channels, arch.shortcut_kernel, arch.init, "shortcut")

    def call(self, x, condition=(), training=False):
        h = ops.relu(self.norm1(x, *condition, training=training))
        h = self.conv1(self.upsample(h))
        h = ops.relu(self.norm2(h, *condition, training=training))
        if self.shortcut.kernel_size == (1, 1):  # commutes with interpolation, and is cheaper first
            return self.conv2(h) + self.upsample(self.shortcut(x))
        return self.conv2(h) + self.shortcut(self.upsample(x))


class Generator(Network):
    """Latents `[N, latent_dim]`, and labels `[N]` if conditional, to images in [-1, 1]."""

    def __init__(
        self, size: Size, up: int, channels: int, num_classes, self_modulation, arch: str, **kwargs
    ):
        super().__init__(**kwargs)
        size, arch = Size(*size), ARCHITECTURES[arch]  # of plain values, which Keras can save
        self.bottom, self.num_classes, self.unit_range = size.bottom, num_classes, arch.unit_range
        self.modulated = self_modulation
        widths = size.generator

        def norm(name):
            if self_modulation:
                return ConditionalBatchNorm(hidden_units=32, name=name)
            return ConditionalBatchNorm(name=name) if num_classes else batch_norm(name=name)

        self.stem = keras.layers.Dense(
            size.bottom**2 * widths[0], kernel_initializer=arch.init(), name="stem"
        )
        self.blocks = [
            GeneratorBlock(width, index < up, arch, norm, name=f"block{index + 1}")
            for index, width in enumerate(widths[1:])
        ]
        self.conditional_end = arch.conditional_end
        self.norm = norm("norm") if arch.conditional_end else batch_norm(name="norm")
        self.to_image = _conv(channels, 3, arch.init, "to_image")

    def build(self, latents_shape, labels_shape=None):
        self.call(ops.zeros((1, latents_shape[-1])), ops.zeros((1,), "int32"))

    def call(self, latents, labels=None, training=False):
        condition = self._condition(latents, labels)
        x = self.stem(latents)
        x = ops.reshape(x, (-1, self.bottom, self.bottom, x.shape[-1] // self.bottom**2))
        for block in self.blocks:
            x = block(x, condition=condition, training=training)
        condition = condition if self.conditional_end else ()
        x = ops.relu(self.norm(x, *condition, training=training))
        x = ops.cast(self.to_image(x), "float32")
        return 2.0 * ops.sigmoid(x) - 1.0 if self.unit_range else ops.tanh(x)

    def _condition(self, latents, labels):
        """What the normalizations depend on: the latents, the labels, or nothing."""
        if self.modulated:
            return (latents,)
        return (ops.one_hot(labels, self.num_classes),) if self.num_classes else ()


class DiscriminatorBlock(Composite, keras.layers.Layer):
    """Residual block that may halve the resolution: `[N, H, W, C] -> [N, H/2, W/2, F]`."""

    def __init__(self, inputs, channels, down, first, arch: Architecture, **kwargs):
        super().__init__(**kwargs)
        # A first ReLU would cut the dark half off images in [-1, 1]; in [0, 1] it changes nothing.
        self.rectify = not (first and not arch.unit_range)
        self.rectified_shortcut = arch.rectified_shortcut and self.rectify
        hidden = inputs if arch.hidden_is_input and not first else channels
        self.conv1 = _spectral_conv(hidden, 3, arch.block_init, "conv1")
        self.conv2 = _spectral_conv(channels, 3, arch.block_init, "conv2", pool=down)
        self.shortcut = None
        if arch.always_convolve_shortcut or down or inputs != channels:
            self.shortcut = _spectral_conv(
                channels, arch.shortcut_kernel, arch.init, "shortcut", pool=down
            )

    def call(self, x):
        h = ops.relu(x) if self.rectify else x
        x = h if self.rectified_shortcut else x
        h = self.conv2(ops.relu(self.conv1(h)))
        return h + (self.shortcut(x) if self.shortcut else x)


class Discriminator(Composite, keras.Model):
    """Images `[N, S, S, C]` in [-1, 1] to adversarial logits `[N, 1]`, and to rotation logits
    `[N, 4]`, or None where it learns no rotations.

    A conditional one takes labels `[N]` as well.
    """

    def __init__(
        self,
        size: Size,
        channels: int,
        num_classes: int,
        arch: Architecture,
        rotations=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_classes, self.pool, self.unit_range = num_classes, arch.pool, arch.unit_range
        widths = size.discriminator
        self.blocks = [
            DiscriminatorBlock(
                before, width, index < size.down, index == 0, arch, name=f"block{index + 1}"
            )
            for index, (before, width) in enumerate(zip((channels, *widths), widths, strict=False))
        ]
        head = {"kernel_initializer": arch.init(), "dtype": "float32"}
        self.to_logit = SpectralDense(1, use_bias=size.logit_bias, name="to_logit", **head)
        self.to_rotation = None
        if rotations:
            self.to_rotation = SpectralDense(NUM_ROTATIONS, name="to_rotation", **head)
        if num_classes:  # projection, Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637
            self.embed = SpectralDense(widths[-1], use_bias=False, name="embed", **head)

    def build(self, input_shape):
        self.call(ops.zeros((1, *input_shape[1:])), ops.zeros((1,), "int32"))

    def call(self, images, labels=None):
        features = self.features(images)
        logits = self.to_logit(features)
        if self.num_classes:
            classes = self.embed(ops.one_hot(labels, self.num_classes))
            logits += ops.sum(classes * features, axis=1, keepdims=True)
        return logits, self.to_rotation(features) if self.to_rotation else None

    def features(self, images):
        """The pooled features that both heads read: `[N, S, S, C] -> [N, F]`, float32."""
        x = (images + 1.0) / 2.0 if self.unit_range else images
        for block in self.blocks:
            x = block(x)
        return self.pool(ops.cast(ops.relu(x), "float32"), axis=(1, 2))


class SSGAN(LatentGAN):
    """Self-supervised GAN with a rotation loss.

    Args:
        image_size: 32, 48, 64 or 128 pixels.
        channels: of the images, 1 or 3.
        num_classes: classes of labels to condition on; 0 means unconditional.
        architecture: a key of `ARCHITECTURES`.
        latent_dim: dimensions of the latent vector, drawn from the standard normal distribution.
        generator_width: channels of the widest block; None means as published, others scale along.
        discriminator_width: likewise.
        self_modulation: whether the generator's normalizations depend on the latents (the paper's
            sBN).
        loss: "hinge" or "non_saturating".
        rotation_batch: "quarter", the official way (a quarter of the batch in all rotations), or
            "split" (each image once).
        generator_rotation_weight: alpha of the paper.
        discriminator_rotation_weight: beta of the paper.
        discriminator_steps: updates of the discriminator for one of the generator, each on fresh
            images.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a size without a network, or an unknown name.
    """

    IMAGE_SIZES = (32, 48, 64, 128)
    TINY = MappingProxyType({"image_size": 32, "generator_width": 8, "discriminator_width": 8})

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        num_classes: int = 0,
        architecture: str = "compare_gan",
        latent_dim: int = 128,
        generator_width: int | None = None,
        discriminator_width: int | None = None,
        self_modulation: bool = False,
        loss: str = "hinge",
        rotation_batch: str = "quarter",
        generator_rotation_weight: float = 0.2,
        discriminator_rotation_weight: float = 1.0,
        discriminator_steps: int = 2,
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        arch = choose("architecture", architecture, ARCHITECTURES)
        size, up = scaled_size(architecture, image_size, generator_width, discriminator_width)
        if self_modulation and num_classes:
            raise UserError("self_modulation and num_classes exclude each other: set one of them")
        self.adversarial = choose("loss", loss, ADVERSARIAL)
        self.rotation_batch = choose("rotation_batch", rotation_batch, ROTATION_BATCHES)
        self.image_size, self.channels, self.num_classes = image_size, channels, num_classes
        self.latent_dim = latent_dim
        self.generator_rotation_weight = generator_rotation_weight
        self.discriminator_rotation_weight = discriminator_rotation_weight
        self.discriminator_steps = discriminator_steps
        self.ema_half_life_images = ema_half_life_images
        options = (size, up, channels, num_classes, self_modulation, architecture)
        make_generators(self, functools.partial(Generator, *options))
        self.discriminator = Discriminator(size, channels, num_classes, arch, name="discriminator")

    def discriminator_loss(self, batch, random):
        real, labels = batch["image"], batch["label"]
        count = real.shape[0]
        fake, fake_labels = self.draw_fakes(random, count)
        rotated, turns, rotated_labels = self._rotate(real, labels)
        seen_real = self.augment(real, random, "real")
        seen_fake = self.augment(fake, random, "fake")
        logits, rotations = self.discriminator(
            ops.concatenate([seen_real, rotated, seen_fake]),
            ops.concatenate([labels, rotated_labels, fake_labels]),
        )
        real_logits, fake_logits = logits[:count], logits[-count:]
        rotation_logits = rotations[count:-count]
        power_iteration(self.discriminator)
        adversarial = self.adversarial.discriminator(real_logits, fake_logits)
        rotation = _cross_entropy(turns, rotation_logits)
        guessed = ops.cast(ops.argmax(rotation_logits, axis=-1), "int32")
        return Loss(
            adversarial + self.current(self.discriminator_rotation_weight) * rotation,
            logs={
                "adversarial": ops.mean(adversarial),
                "rotation": rotation,
                "rotation_accuracy": ops.mean(ops.cast(guessed == turns, "float32")),
                **self.adversarial.discriminator_logs(real_logits, fake_logits),
            },
        )

    def generator_loss(self, batch, random):
        count = batch["image"].shape[0]
        fake, labels = self.draw_fakes(random, count)
        rotated, turns, rotated_labels = self._rotate(fake, labels)
        logits, rotations = self.discriminator(
            ops.concatenate([self.augment(fake, random, "fake"), rotated]),
            ops.concatenate([labels, rotated_labels]),
        )
        power_iteration(self.discriminator)
        adversarial = self.adversarial.generator(logits[:count])
        rotation = _cross_entropy(turns, rotations[count:])
        return Loss(
            adversarial + self.current(self.generator_rotation_weight) * rotation,
            logs={"adversarial": ops.mean(adversarial), "rotation": rotation},
        )

    def _rotate(self, images, labels):
        """Rotated images, their quarter turns `[M]`, and the labels that the images had."""
        rotated, turns = self.rotation_batch(images)
        # The labels go through the same selection, as images of one pixel.
        pixels = ops.cast(ops.reshape(labels, (-1, 1, 1, 1)), "float32")
        chosen, _ = self.rotation_batch(pixels)
        return rotated, turns, ops.cast(ops.reshape(chosen, (-1,)), "int32")


def scaled_size(
    architecture: str, image_size: int, generator_width: int | None, discriminator_width: int | None
) -> tuple[Size, int]:
    """The networks' channels for an image size, scaled, and how many of the generator's blocks
    double the resolution; raises UserError for another size, or a width below 1."""
    size = choose_size(architecture, image_size, ARCHITECTURES[architecture].sizes)
    size = size._replace(
        generator=scaled_widths(size.generator, generator_width),
        discriminator=scaled_widths(size.discriminator, discriminator_width),
    )
    return size, (image_size // size.bottom).bit_length() - 1


def _cross_entropy(turns, logits):
    """Mean of -log Q(r | x^r), a scalar."""
    return ops.mean(ops.sparse_categorical_crossentropy(turns, logits, from_logits=True))


def _conv(filters, kernel_size, init, name):
    return keras.layers.Conv2D(
        filters, kernel_size, padding="same", kernel_initializer=init(), name=name
    )


def _spectral_conv(filters, kernel_size, init, name, pool=False):
    return SpectralConv2D(filters, kernel_size, pool, kernel_initializer=init(), name=name)
