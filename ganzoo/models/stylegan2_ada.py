"""StyleGAN2-ADA: StyleGAN2 with adaptive discriminator augmentation.

Karras et al. 2020, https://arxiv.org/abs/2006.06676; the networks and penalties of StyleGAN2 are
those of Karras et al. 2020, https://arxiv.org/abs/1912.04958.

A mapping network turns the latent vector into a style w. Each convolution of the synthesis network
multiplies its input channels by what an affine map makes of w, and divides its output by the
deviation that this is expected to cause; so styles act from coarse layers to fine ones, while the
noise added after each convolution moves details only.

    L_G = softplus(-D(T(G(z))))                       + 2 (|J^T y| - a)^2 every 4th step
    L_D = softplus(D(T(G(z)))) + softplus(-D(T(x)))   + gamma / 2 |grad_x D(T(x))|^2 every 16th step

J is the derivative of the image by w, y an image of noise, and a the mean of the lengths so far. T
is the augmentation (`config.augment`): all that the discriminator sees goes through it, with a
strength that rises while the discriminator overfits, so that a few hundred images can do.

Implemented are the networks of github.com/NVlabs/stylegan2-ada-pytorch for sides of 16 to 1024
pixels, with the architectures "skip", "resnet" and "orig" of either side, conditional or not; lazy
regularization, mixing of styles, truncation; half precision for the four highest resolutions.

What differs from that code: gradients that are not finite are not set to numbers; with float16 the
loss is scaled and such steps are left out, as in the authors' TensorFlow code. The mean length a is
that of all replicas. Images are mirrored at random, by `config.data.flip`, not added to the data.
"""

import math
from types import MappingProxyType
from typing import NamedTuple

import keras
from keras import ops

from ganzoo.ema import Average
from ganzoo.engine import Loss, Update
from ganzoo.errors import choose, choose_size
from ganzoo.layers import (
    Composite,
    EqualizedConv2D,
    EqualizedDense,
    MinibatchStddev,
    Network,
    StyledConv2D,
    ToImage,
    downsample_blurred,
    upsample_blurred,
)
from ganzoo.losses import ADVERSARIAL, path_lengths, r1
from ganzoo.seeds import Random
from ganzoo.styles import NOISE_MODES, StyleGAN

NON_SATURATING = ADVERSARIAL["non_saturating"]
ARCHITECTURES = ("skip", "resnet", "orig")
CLAMP = 256.0  # of activations, in float16, which ends at 65,504
STYLE_DECAY = 0.995  # of the mean style, for each batch
LENGTH_DECAY = 0.01  # by how much the mean path length moves
SHRINK = 2  # of the batch, for path lengths


class Size(NamedTuple):
    """The channels and the precision of each resolution, and the largest activation."""

    image_size: int
    widths: dict[int, int]  # by resolution
    half_from: int  # the lowest resolution in half precision, where there is any
    low: str  # the dtype policy of those
    clamp: float | None  # of activations; None for no limit

    @classmethod
    def of(cls, image_size, channel_base, channel_max, num_half_precision, clamp):
        resolutions = [2**level for level in range(2, image_size.bit_length())]
        widths = {r: max(1, min(channel_base // r, channel_max)) for r in resolutions}
        half_from = max(2 * image_size >> num_half_precision, 8)
        low = keras.mixed_precision.dtype_policy().name
        if clamp is None and low == "mixed_float16" and half_from <= image_size:
            clamp = CLAMP
        return cls(image_size, widths, half_from, low, clamp or None)

    def policy(self, resolution):
        return self.low if resolution >= self.half_from else "float32"


class Mapping(Composite, keras.Model):
    """Latents `[N, latent_dim]`, and labels `[N]` if conditional, to styles `[N, style_dim]`.

    With `latent_dim` 0 it is a map of labels alone.
    """

    def __init__(self, latent_dim, style_dim, num_layers, num_classes, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.latent_dim, self.num_classes = latent_dim, num_classes
        if num_classes:
            self.embed = EqualizedDense(style_dim, dtype="float32", name="embed")
        self.stack = [
            EqualizedDense(style_dim, 0.01, leaky=True, dtype="float32", name=f"dense{index}")
            for index in range(num_layers)
        ]

    def call(self, latents, labels=None):
        x = [_normalized(latents)] if self.latent_dim else []
        if self.num_classes:
            x += [_normalized(self.embed(ops.one_hot(labels, self.num_classes)))]
        x = ops.concatenate(x, axis=1)
        for layer in self.stack:
            x = layer(x)
        return x


class SynthesisBlock(Composite, keras.layers.Layer):
    """The layers of one resolution, which is twice that of their input but for the first.

    From features, the image so far or None, and styles `[N, L, style_dim]` to features and image.
    """

    def __init__(self, width, resolution, channels, architecture, to_image, clamp, **kwargs):
        super().__init__(autocast=False, **kwargs)
        own = {"clamp": clamp, "dtype": self.dtype_policy}
        self.shortcut, gain = None, 1.0
        self.convolutions = []
        if resolution > 4:
            if architecture == "resnet":
                gain = math.sqrt(0.5)
                self.shortcut = EqualizedConv2D(
                    width, 1, "up", False, gain=gain, dtype=self.dtype_policy, name="shortcut"
                )
            name = f"conv{resolution}_0"
            self.convolutions = [StyledConv2D(width, resolution, "up", name=name, **own)]
        name = f"conv{resolution}_1"
        self.convolutions += [StyledConv2D(width, resolution, gain=gain, name=name, **own)]
        self.to_image = ToImage(channels, name="to_image", **own) if to_image else None

    def call(self, x, image, styles, mode="const", random=None):
        shortcut = self.shortcut(x) if self.shortcut else None
        for index, convolve in enumerate(self.convolutions):
            x = convolve(x, styles[:, index], mode=mode, random=random)
        x = x if shortcut is None else shortcut + x
        image = image if image is None else upsample_blurred(image)
        if self.to_image:
            new = ops.cast(self.to_image(x, styles[:, len(self.convolutions)]), "float32")
            image = new if image is None else image + new
        return x, image


class Synthesis(keras.Model):
    """Styles `[N, num_styles, style_dim]` to images `[N, S, S, channels]`, not clipped."""

    def __init__(self, size: Size, channels, architecture, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.width = size.widths[4]
        self.blocks = [
            SynthesisBlock(
                width,
                resolution,
                channels,
                architecture,
                to_image=architecture == "skip" or resolution == size.image_size,
                clamp=size.clamp,
                dtype=size.policy(resolution),
                name=f"block{resolution}",
            )
            for resolution, width in sorted(size.widths.items())
        ]
        # The image of a block is made with the first style of the next, and the last with its own.
        self.num_styles = sum(len(block.convolutions) for block in self.blocks) + 1

    def build(self, input_shape):
        self.constant = self.add_weight(
            name="constant",
            shape=(4, 4, self.width),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
        )

    def call(self, styles, mode="const", random=None):
        x = ops.tile(ops.convert_to_tensor(self.constant)[None], [ops.shape(styles)[0], 1, 1, 1])
        image, first = None, 0
        for block in self.blocks:
            x, image = block(x, image, styles[:, first:], mode=mode, random=random)
            first += len(block.convolutions)
        return image


class Generator(Network):
    """Latents `[N, latent_dim]`, and labels `[N]` if conditional, to images, not clipped."""

    def __init__(
        self, size: Size, channels, architecture, mapping: tuple, dtype="float32", **kwargs
    ):
        super().__init__(dtype=dtype, **kwargs)
        size = Size(*size)  # JSON, in which Keras saves it, has texts for keys
        size = size._replace(widths={int(r): width for r, width in size.widths.items()})
        self.mapping = Mapping(*mapping, name="mapping")
        self.synthesis = Synthesis(size, channels, architecture, name="synthesis")
        _, self.style_dim, *_ = mapping

    def build(self, latents_shape, labels_shape=None):
        self.mean_style = self.add_weight(
            name="mean_style", shape=(self.style_dim,), initializer="zeros", trainable=False
        )
        self.call(ops.zeros((1, latents_shape[-1])), ops.zeros((1,), "int32"))

    def call(self, latents, labels=None, truncation=1.0, cutoff=None, mode="const", random=None):
        styles = self.truncated(self.mapping(latents, labels), truncation, cutoff)
        return self.synthesis(styles, mode=mode, random=random)

    def truncated(self, style, truncation=1.0, cutoff=None):
        """A style `[N, D]` for each layer, `[N, num_styles, D]`, drawn towards the mean style.

        Args:
            style: of the mapping network.
            truncation: psi, how much of the distance from the mean is kept.
            cutoff: how many layers, from the coarsest on, are truncated; None means all.
        """
        count = self.synthesis.num_styles
        layers = ops.reshape(ops.arange(count, dtype="int32"), (1, -1, 1))
        factor = ops.where(layers < (count if cutoff is None else cutoff), truncation, 1.0)
        mean = ops.convert_to_tensor(self.mean_style)
        return mean + ops.cast(factor, "float32") * (style[:, None] - mean)

    def track(self, style):
        """Moves the mean style towards that of a batch `[N, D]`."""
        mean = ops.mean(ops.stop_gradient(style), axis=0)
        self.mean_style.assign(mean + STYLE_DECAY * (self.mean_style - mean))


class DiscriminatorBlock(Composite, keras.layers.Layer):
    """The layers of one resolution: from features, or None, and the image to both at half of it."""

    def __init__(self, width, next_width, architecture, first, clamp, **kwargs):
        super().__init__(autocast=False, **kwargs)
        own = {"leaky": True, "clamp": clamp, "dtype": self.dtype_policy}
        residual = architecture == "resnet"
        gain = math.sqrt(0.5) if residual else 1.0
        self.keeps_image = architecture == "skip"
        self.from_image = self.shortcut = None
        if first or self.keeps_image:
            self.from_image = EqualizedConv2D(width, 1, name="from_image", **own)
        self.conv0 = EqualizedConv2D(width, 3, name="conv0", **own)
        self.conv1 = EqualizedConv2D(next_width, 3, "down", gain=gain, name="conv1", **own)
        if residual:
            self.shortcut = EqualizedConv2D(
                next_width, 1, "down", False, gain=gain, dtype=self.dtype_policy, name="shortcut"
            )

    def call(self, x, image):
        x = x if x is None else ops.cast(x, self.compute_dtype)
        if self.from_image:
            new = self.from_image(image)
            x = new if x is None else x + new
        image = downsample_blurred(image) if self.keeps_image else None
        shortcut = self.shortcut(x) if self.shortcut else None
        x = self.conv1(self.conv0(x))
        return (x if shortcut is None else shortcut + x), image


class Discriminator(Composite, keras.Model):
    """Images `[N, S, S, C]`, and labels `[N]` if conditional, to logits `[N, 1]`."""

    def __init__(self, size: Size, architecture, group, num_classes, mapping_layers, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.num_classes, width = num_classes, size.widths[4]
        self.blocks = [
            DiscriminatorBlock(
                size.widths[resolution],
                size.widths[resolution // 2],
                architecture,
                first=resolution == size.image_size,
                clamp=size.clamp,
                dtype=size.policy(resolution),
                name=f"block{resolution}",
            )
            for resolution in sorted(size.widths, reverse=True)[:-1]
        ]
        full = {"dtype": "float32"}
        self.from_image = None
        if architecture == "skip":
            self.from_image = EqualizedConv2D(width, 1, leaky=True, name="from_image", **full)
        self.minibatch_stddev = MinibatchStddev(group, **full)
        self.conv = EqualizedConv2D(width, 3, leaky=True, clamp=size.clamp, name="conv", **full)
        self.dense = EqualizedDense(width, leaky=True, name="dense", **full)
        self.to_logit = EqualizedDense(width if num_classes else 1, name="to_logit", **full)
        if num_classes:
            self.mapping = Mapping(0, width, mapping_layers, num_classes, name="mapping")

    def build(self, input_shape):
        self.call(ops.zeros((1, *input_shape[1:])), ops.zeros((1,), "int32"))

    def call(self, images, labels=None):
        x, image = None, images
        for block in self.blocks:
            x, image = block(x, image)
        x = ops.cast(x, "float32")
        x = x + self.from_image(image) if self.from_image else x
        x = self.conv(self.minibatch_stddev(x))
        x = self.to_logit(self.dense(ops.reshape(x, (x.shape[0], -1))))
        if self.num_classes:  # projection, Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637
            x = x * self.mapping(None, labels) / math.sqrt(x.shape[-1])
            x = ops.sum(x, axis=1, keepdims=True)
        return x


class StyleGAN2ADA(StyleGAN):
    """StyleGAN2, to be trained with `config.augment`.

    Args:
        image_size: a power of two, 16 to 1024 pixels.
        channels: of the images, 1 (grey) or 3 (RGB).
        num_classes: classes of labels to condition on; 0 means unconditional.
        latent_dim: dimensions of the latent vector.
        style_dim: dimensions of the styles.
        mapping_layers: of the mapping network.
        channel_base: the channels at a resolution are this number divided by it,
        channel_max: but never more than this.
        generator_architecture: "skip" (a sum of images of all resolutions), "resnet" or "orig".
        discriminator_architecture: "resnet", "skip" or "orig".
        discriminator_mapping_layers: of the labels' mapping, for conditional models.
        minibatch_stddev_group: images that the discriminator compares.
        num_half_precision: resolutions, from the highest on, that follow `config.precision`; all
            others, and those below 8 pixels, are computed in float32.
        clamp: the largest activation of convolutions, 0 for no limit; None is 256 where anything
            is in float16, else 0. It is saved with the model.
        style_mixing: probability that a batch's finer layers get the styles of other latents.
        r1_gamma: weight of the gradient penalty, 0 for none.
        r1_every: steps between two of them.
        path_length_weight: weight of the path length penalty, 0 for none.
        path_length_every: steps between two of them.
        ema_half_life_images: of the averaged generator.
        ema_ramp_up: the half-life is at most this fraction of the images seen; 0 for no such limit.

    Raises:
        UserError: for a size without a network, or an unknown name.
    """

    IMAGE_SIZES = (16, 32, 64, 128, 256, 512, 1024)
    TINY = MappingProxyType(
        {
            "image_size": 16,
            "latent_dim": 16,
            "style_dim": 16,
            "mapping_layers": 2,
            "channel_max": 8,
            "discriminator_mapping_layers": 2,
            "minibatch_stddev_group": 4,
            "r1_gamma": 1.0,
            "r1_every": 2,
            "path_length_every": 2,
            "ema_half_life_images": 1000,
        }
    )

    def __init__(
        self,
        image_size: int = 256,
        channels: int = 3,
        num_classes: int = 0,
        latent_dim: int = 512,
        style_dim: int = 512,
        mapping_layers: int = 8,
        channel_base: int = 32768,
        channel_max: int = 512,
        generator_architecture: str = "skip",
        discriminator_architecture: str = "resnet",
        discriminator_mapping_layers: int = 8,
        minibatch_stddev_group: int = 4,
        num_half_precision: int = 4,
        clamp: float | None = None,
        style_mixing: float = 0.9,
        r1_gamma: float = 10.0,
        r1_every: int = 16,
        path_length_weight: float = 2.0,
        path_length_every: int = 4,
        ema_half_life_images: int = 10_000,
        ema_ramp_up: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        choose_size("StyleGAN2", image_size, dict.fromkeys(self.IMAGE_SIZES))
        for side, name in (
            ("generator", generator_architecture),
            ("discriminator", discriminator_architecture),
        ):
            choose(f"{side}_architecture", name, dict.fromkeys(ARCHITECTURES))
        self.image_size, self.channels, self.num_classes = image_size, channels, num_classes
        self.latent_dim, self.style_mixing = latent_dim, style_mixing
        self.r1_gamma, self.r1_every = r1_gamma, r1_every
        self.path_length_weight, self.path_length_every = path_length_weight, path_length_every
        self.ema_half_life_images, self.ema_ramp_up = ema_half_life_images, ema_ramp_up
        self.group_size = minibatch_stddev_group
        size = Size.of(image_size, channel_base, channel_max, num_half_precision, clamp)
        self.arguments = {"clamp": size.clamp or 0.0}  # the precision may be another one later
        mapping = (latent_dim, style_dim, mapping_layers, num_classes)
        self.generator, self.averaged_generator = (
            Generator(size, channels, generator_architecture, mapping, name=name)
            for name in ("generator", "averaged_generator")
        )
        self.discriminator = Discriminator(
            size,
            discriminator_architecture,
            minibatch_stddev_group,
            num_classes,
            discriminator_mapping_layers,
            name="discriminator",
        )

    @classmethod
    def recommended(cls, config, num_replicas):
        """The official "auto" (train.py), with rates for lazy regularization (appendix B of
        StyleGAN2)."""
        size, model = config.model.image_size, config.model
        per_replica = min(4096 // size, 32)
        batch = config.batch_size or max(min(num_replicas * per_replica, 64), num_replicas)
        rate = 0.002 if size >= 1024 else 0.0025
        return {
            "batch_size": batch,
            "model.channel_base": 32768 if size >= 512 else 16384,
            "model.minibatch_stddev_group": min(batch // (num_replicas * config.microbatch), 4),
            "model.r1_gamma": 0.0002 * size**2 / batch,
            "model.ema_half_life_images": batch * 10_000 // 32,
            "optimizers.generator.learning_rate": rate * _lazy(model.path_length_every),
            "optimizers.discriminator.learning_rate": rate * _lazy(model.r1_every),
        }

    def build(self, input_shape=None):
        self.mean_length = self.add_weight(
            name="mean_length", shape=(), initializer="zeros", trainable=False
        )
        super().build(input_shape)

    def players(self):
        return {"generator": [self.generator], "discriminator": [self.discriminator]}

    def updates(self):
        updates = [Update("generator", self.generator_loss)]
        if self.path_length_weight:
            every = self.path_length_every
            updates += [Update("generator", self.path_length_loss, every, name="path_length")]
        updates += [Update("discriminator", self.discriminator_loss)]
        if self.r1_gamma:
            updates += [Update("discriminator", self.r1_loss, self.r1_every, name="r1")]
        return tuple(updates)

    def averages(self):
        ramp_up = self.ema_ramp_up or None
        half_life = self.ema_half_life_images
        return (Average(self.generator, self.averaged_generator, half_life, ramp_up),)

    def generator_loss(self, batch, random):
        fake, _, labels = self._generate(batch["label"], random)
        logits = self.discriminator(self.augment(fake, random, "fake"), labels)
        return Loss(NON_SATURATING.generator(logits))

    def path_length_loss(self, batch, random):
        labels = batch["label"][: max(1, batch["label"].shape[0] // SHRINK)]
        styles, _ = self._styles(labels, random)
        shape = [labels.shape[0], self.image_size, self.image_size, self.channels]
        lengths = path_lengths(
            lambda styles: self.generator.synthesis(styles, mode="random", random=random),
            styles,
            random.normal("path_length", shape),
        )
        mean = self.mean_length + LENGTH_DECAY * (ops.mean(lengths) - self.mean_length)
        penalty = ops.square(lengths - mean)
        return Loss(
            self.path_length_every * self.current(self.path_length_weight) * penalty,
            logs={"length": ops.mean(lengths), "penalty": ops.mean(penalty)},
        )

    def discriminator_loss(self, batch, random):
        fake, _, labels = self._generate(batch["label"], random)
        # Apart, since each batch is compared with itself.
        fake_logits = self.discriminator(self.augment(fake, random, "fake"), labels)
        real = self.augment(batch["image"], random, "real")
        real_logits = self.discriminator(real, batch["label"])
        return Loss(
            NON_SATURATING.discriminator(real_logits, fake_logits),
            logs=NON_SATURATING.discriminator_logs(real_logits, fake_logits),
        )

    def r1_loss(self, batch, random):
        penalty, logits = r1(
            lambda images: self.discriminator(self.augment(images, random, "real"), batch["label"]),
            batch["image"],
        )
        return Loss(
            self.r1_every * self.current(self.r1_gamma) * penalty,
            logs={"penalty": ops.mean(penalty), "real_sign": ops.mean(ops.sign(logits))},
        )

    def after_step(self, batch, logs):
        if "path_length/length" in logs:
            mean = self.mean_length
            mean.assign(mean + LENGTH_DECAY * (logs["path_length/length"] - mean))
        return {}

    @property
    def num_styles(self):
        return self.averaged_generator.synthesis.num_styles

    def styles(self, latents, labels=None, truncation=1.0, cutoff=None):
        self.require_labels(labels)
        self.require_options(truncation=truncation, cutoff=cutoff)
        generator = self.averaged_generator
        labels = labels if labels is None else ops.convert_to_tensor(labels, "int32")
        return generator.truncated(generator.mapping(latents, labels), truncation, cutoff)

    def synthesize(self, styles, noise="const", random=None):
        choose("noise", noise, dict.fromkeys(NOISE_MODES))
        random = random or Random(0, step=0, scope="noise/")
        return self.averaged_generator.synthesis(styles, mode=noise, random=random)

    def _generate(self, labels, random):
        """Images of the generator in training, their styles, and the labels they were asked for."""
        styles, labels = self._styles(labels, random)
        return self.generator.synthesis(styles, mode="random", random=random), styles, labels

    def _styles(self, labels, random):
        """New styles `[N, num_styles, style_dim]`, with labels as frequent as those of the data."""
        count, mapping = labels.shape[0], self.generator.mapping
        labels = ops.take(labels, random.integers("labels", [count], count), axis=0)
        style = mapping(random.normal("latents", [count, self.latent_dim]), labels)
        self.generator.track(style)
        styles = self.generator.truncated(style)
        if not self.style_mixing:
            return styles, labels
        other = mapping(random.normal("mixed_latents", [count, self.latent_dim]), labels)
        once, last = random.shared(), self.generator.synthesis.num_styles
        mixed = once.uniform("mixing", [1]) < self.style_mixing
        cutoff = ops.where(mixed, 1 + once.integers("cutoff", [1], last - 1), last)
        coarse = ops.arange(last, dtype="int32") < cutoff
        return ops.where(coarse[None, :, None], styles, self.generator.truncated(other)), labels


def _lazy(every):
    """What an optimizer's rate is multiplied by, and beta_2 raised to, that also makes a step for a
    penalty every so many."""
    return every / (every + 1)


def _normalized(x):
    """Of unit second moment, `[N, D]`."""
    return x * ops.rsqrt(ops.mean(ops.square(x), axis=1, keepdims=True) + 1e-8)
