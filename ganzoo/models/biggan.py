"""BigGAN and BigGAN-deep: large class-conditional residual GANs.

Brock, Donahue & Simonyan, ICLR 2019, https://arxiv.org/abs/1809.11096

Large batches and wide networks make a GAN better, if it stays stable: both networks are spectrally
normalized, one embedding of the class serves all conditional normalizations of the generator, and
each of its blocks gets a part of the latents beside it. The discriminator compares features with an
embedding of the class (projection). Attention relates distant parts of an image (SAGAN, Zhang et
al. 2019, https://arxiv.org/abs/1805.08318).

    L_D = max(0, 1 - D(x, y)) + max(0, 1 + D(G(z, y'), y'))
    L_G = -D(G(z, y'), y') + beta R
    R   = sum_W |W W^T * (1 - I)|^2          orthogonal regularization (section 3.1, eq. 3)

Latents between limits give better images of less variety, the truncation trick (section 3.1), which
the regularization makes possible. BigGAN-deep (appendix B) has bottlenecks of four convolutions,
twice as many blocks, and all latents in all of them.

`ARCHITECTURES` has the networks of the author's github.com/ajbrock/BigGAN-PyTorch, which decides
where the paper leaves a choice, and those for CIFAR-10 of
github.com/POSTECH-CVLab/PyTorch-StudioGAN, as its released models were trained: with shortcuts that
see rectified inputs.

What differs from the code: biases start at 0; power iterations are done once an update, not once a
call; batch statistics are those of each replica. The averaged generator has the moments of its own
activations, which takes the place of "standing statistics". Truncated latents are not drawn again
until they lie within the limits but brought there, so that a seed means a similar image for all of
them; their distribution is the same. Orthogonal regularization has the gradient of R, twice that of
the code.
"""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import keras
from keras import layers, ops

from ganzoo.ema import make_generators
from ganzoo.engine import Loss
from ganzoo.errors import UserError, choose, choose_size
from ganzoo.inputs import Option
from ganzoo.latents import LatentGAN
from ganzoo.layers import (
    Composite,
    Network,
    SpectralConv2D,
    SpectralDense,
    batch_norm,
    downsample_average,
    power_iteration,
    upsample_nearest,
)
from ganzoo.losses import ADVERSARIAL, orthogonality

BOTTOM = 4  # side of the generator's first feature map, in pixels
DISTRIBUTION_EDGE = 1e-6  # how near to 1 a quantile may come
HINGE = ADVERSARIAL["hinge"]


class Architecture(NamedTuple):
    """What distinguishes the networks.

    Attributes:
        generator: by the image's side, channels of the first feature map, then of each resolution,
            over the width.
        discriminator: channels of each stage, over the width.
        deep: whether blocks are bottlenecks, two for each resolution.
        rectified_shortcut: whether the discriminator's shortcuts see rectified inputs.
        epsilon: of batch normalization.
    """

    generator: Mapping[int, tuple[int, ...]]
    discriminator: Mapping[int, tuple[int, ...]]
    deep: bool = False
    rectified_shortcut: bool = False
    epsilon: float = 1e-5


_GENERATOR = {
    32: (4, 4, 4, 4),
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
}
_DISCRIMINATOR = {
    32: (4, 4, 4, 4),
    64: (1, 2, 4, 8, 16),
    128: (1, 2, 4, 8, 16, 16),
    256: (1, 2, 4, 8, 8, 16, 16),
}
_STUDIOGAN = {"rectified_shortcut": True, "epsilon": 1e-4}
ARCHITECTURES = {
    "biggan": Architecture(_GENERATOR, _DISCRIMINATOR),
    "biggan_deep": Architecture(_GENERATOR, _DISCRIMINATOR | {32: (4, 4, 4, 4)}, deep=True),
    "studiogan": Architecture({32: (4, 4, 4, 4)}, {32: (2, 2, 2, 2)}, **_STUDIOGAN),
}
INITIALIZERS = {
    "normal": functools.partial(keras.initializers.RandomNormal, stddev=0.02),
    "orthogonal": keras.initializers.Orthogonal,
}


class ConditionalNorm(Composite, keras.layers.Layer):
    """(1 + gain(c)) * normalized(x) + bias(c): `[N, H, W, C], [N, K] -> [N, H, W, C]`.

    Gain and bias are linear in the condition c, and spectrally normalized unless c is a class.
    """

    def __init__(self, channels, spectral, epsilon, init, **kwargs):
        super().__init__(**kwargs)
        self.normalize = batch_norm(epsilon=epsilon, center=False, scale=False, name="normalize")
        make = SpectralDense if spectral else layers.Dense
        options = {"use_bias": False, "kernel_initializer": init()}
        self.gain = make(channels, name="gain", **options)
        self.bias = make(channels, name="bias", **options)

    def call(self, x, condition, training=False):
        gain, bias = 1.0 + self.gain(condition), self.bias(condition)
        x = self.normalize(x, training=training)
        return x * gain[:, None, None, :] + bias[:, None, None, :]


class SelfAttention(Composite, keras.layers.Layer):
    """x + gamma * o(attention), gamma = 0 at first: `[N, H, W, C] -> [N, H, W, C]`.

    Each pixel attends to the maxima of all areas of 2 x 2 pixels.
    """

    def __init__(self, channels, init, **kwargs):
        super().__init__(**kwargs)

        def make(filters, name):
            return SpectralConv2D(filters, 1, use_bias=False, kernel_initializer=init(), name=name)

        self.query, self.key = make(channels // 8, "query"), make(channels // 8, "key")
        self.value, self.output_layer = make(channels // 2, "value"), make(channels, "output")

    def build(self, input_shape=None):
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")

    def call(self, x):
        _, height, width, _ = x.shape
        query = ops.reshape(self.query(x), (-1, height * width, self.query.filters))
        key, value = (_flat(ops.max_pool(make(x), 2)) for make in (self.key, self.value))
        scores = ops.cast(ops.matmul(query, ops.transpose(key, (0, 2, 1))), "float32")
        weights = ops.cast(ops.softmax(scores), x.dtype)
        attended = ops.reshape(ops.matmul(weights, value), (-1, height, width, value.shape[-1]))
        return x + ops.cast(self.gamma, x.dtype) * self.output_layer(attended)


class GeneratorBlock(Composite, keras.layers.Layer):
    """Residual block that may double the resolution: `[N, H, W, C] -> [N, 2H, 2W, F]`."""

    def __init__(self, inputs, channels, up, deep, norm, init, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.up = channels, up
        self.kernels, widths = _branch(channels, inputs // 4, deep)
        self.norms = [
            norm(width, name=f"norm{index + 1}")
            for index, width in enumerate((inputs, *widths[:-1]))
        ]
        self.convs = _convolutions(widths, self.kernels, init)
        self.shortcut = None  # of deep blocks, the first channels
        if not deep and (up or inputs != channels):
            self.shortcut = _conv(channels, 1, init, "shortcut")

    def call(self, x, condition, training=False):
        h, first = x, self.kernels.index(3)
        for index, (norm, conv) in enumerate(zip(self.norms, self.convs, strict=True)):
            h = ops.relu(norm(h, condition, training=training))
            h = conv(upsample_nearest(h) if self.up and index == first else h)
        x = self.shortcut(x) if self.shortcut else x[..., : self.channels]
        return h + (upsample_nearest(x) if self.up else x)


class DiscriminatorBlock(Composite, keras.layers.Layer):
    """Residual block that may halve the resolution: `[N, H, W, C] -> [N, H/2, W/2, F]`."""

    def __init__(self, inputs, channels, down, arch, first, init, **kwargs):
        super().__init__(**kwargs)
        self.down, self.deep, self.rectify = down, arch.deep, not first
        self.rectified_shortcut = arch.rectified_shortcut and self.rectify
        kernels, widths = _branch(channels, channels // 4, arch.deep)
        self.convs = _convolutions(widths, kernels, init, pool=down)
        self.shortcut, missing = None, channels
        if arch.deep:
            missing = channels - inputs
        elif inputs == channels and not down:
            missing = 0
        if missing:
            pool = down and not arch.deep
            self.shortcut = _conv(missing, 1, init, "shortcut", pool=pool)

    def call(self, x):
        h = ops.relu(x) if self.rectify else x
        x = h if self.rectified_shortcut else x
        for index, conv in enumerate(self.convs):
            h = conv(ops.relu(h) if index else h)
        if not self.deep:
            return h + (self.shortcut(x) if self.shortcut else x)
        x = downsample_average(x) if self.down else x
        more = [self.shortcut(x)] if self.shortcut else []
        return h + ops.concatenate([x, *more], axis=-1)


class Generator(Network):
    """Latents `[N, latent_dim]` and labels `[N]` to images `[N, S, S, C]` in [-1, 1].

    Args:
        architecture: a key of `ARCHITECTURES`.
        image_size: S.
        channels: C.
        num_classes: of the labels.
        width: what channels are multiples of.
        shared_dim: dimensions of the class embedding that all blocks share; 0 gives each
            normalization a row for each class.
        num_chunks: into which the latents are divided for the first layer and the blocks; 1 gives
            them to the first layer alone, or for deep networks to all.
        attention: sides of the feature maps that have attention, in pixels.
        initializer: a key of `INITIALIZERS`.
    """

    def __init__(
        self,
        architecture,
        image_size,
        channels,
        num_classes,
        width,
        shared_dim=128,
        num_chunks=1,
        attention=(),
        initializer="orthogonal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        arch, init = ARCHITECTURES[architecture], INITIALIZERS[initializer]
        first, *widths = (width * factor for factor in arch.generator[image_size])
        self.num_classes, self.num_chunks, self.deep = num_classes, num_chunks, arch.deep
        norm = functools.partial(
            ConditionalNorm, spectral=bool(shared_dim), epsilon=arch.epsilon, init=init
        )
        self.shared = None
        if shared_dim:
            options = {"use_bias": False, "kernel_initializer": init(), "name": "shared"}
            self.shared = layers.Dense(shared_dim, **options)
        units = BOTTOM**2 * first
        self.stem = SpectralDense(units, kernel_initializer=init(), name="stem")
        self.stages, inputs = [], first
        for index, filters in enumerate(widths):
            between = [inputs] if arch.deep else []
            stage = [
                GeneratorBlock(before, after, after_up, arch.deep, norm, init)
                for before, after, after_up in _pairs(inputs, [*between, filters], last=True)
            ]
            if BOTTOM * 2 ** (index + 1) in attention:
                stage.append(SelfAttention(filters, init))
            self.stages.append(stage)
            inputs = filters
        self.norm = batch_norm(epsilon=arch.epsilon, name="norm")
        self.to_image = _conv(channels, 3, init, "to_image")

    def build(self, latents_shape, labels_shape=None):
        self.call(ops.zeros((1, latents_shape[-1])), ops.zeros((1,), "int32"))

    def call(self, latents, labels, training=False):
        # Class embedding, and a part of the latents for each stage
        classes = ops.one_hot(labels, self.num_classes, dtype=latents.dtype)
        classes = self.shared(classes) if self.shared else classes
        first, *parts = ops.split(latents, self.num_chunks, axis=-1)
        if self.deep:
            classes = first = ops.concatenate([classes, latents], axis=-1)
        # Feature maps from 4 x 4 pixels on
        x = self.stem(first)
        x = ops.reshape(x, (-1, BOTTOM, BOTTOM, x.shape[-1] // BOTTOM**2))
        for index, stage in enumerate(self.stages):
            own = [parts[index]] if parts else []
            condition = ops.concatenate([classes, *own], axis=-1)
            for layer in stage:
                if isinstance(layer, SelfAttention):
                    x = layer(x)
                else:
                    x = layer(x, condition, training=training)
        # Image
        x = self.to_image(ops.relu(self.norm(x, training=training)))
        return ops.tanh(ops.cast(x, "float32"))


class Discriminator(Network):
    """Images `[N, S, S, C]` in [-1, 1] and labels `[N]` to logits `[N, 1]`.

    Args:
        architecture, image_size, num_classes, width, attention, initializer: as of `Generator`.
    """

    def __init__(
        self,
        architecture,
        image_size,
        num_classes,
        width,
        attention=(),
        initializer="orthogonal",
        channels=3,
        **kwargs,
    ):
        super().__init__(**kwargs)
        arch, init = ARCHITECTURES[architecture], INITIALIZERS[initializer]
        widths = [width * factor for factor in arch.discriminator[image_size]]
        num_down = 2 if image_size == 32 else image_size.bit_length() - BOTTOM.bit_length()
        self.num_classes, self.stem, inputs = num_classes, None, channels
        if arch.deep:
            inputs, *widths = widths
            self.stem = _conv(inputs, 3, init, "stem")
        self.blocks, side = [], image_size
        for index, filters in enumerate(widths):
            down = index < num_down
            side //= 2 if down else 1
            again = [filters] if arch.deep else []
            for before, after, first in _pairs(inputs, [filters, *again], last=False):
                edge = not self.blocks and not arch.deep
                block = DiscriminatorBlock(before, after, down and first, arch, edge, init)
                self.blocks.append(block)
            if side in attention and down:
                self.blocks.append(SelfAttention(filters, init))
            inputs = filters
        full = {"kernel_initializer": init(), "dtype": "float32"}
        self.to_logit = SpectralDense(1, name="to_logit", **full)
        self.embed = SpectralDense(inputs, use_bias=False, name="embed", **full)

    def build(self, input_shape):
        self.call(ops.zeros((1, *input_shape[1:])), ops.zeros((1,), "int32"))

    def call(self, images, labels):
        features = self.features(images)
        # Projection (Miyato & Koyama 2018, https://arxiv.org/abs/1802.05637)
        classes = self.embed(ops.one_hot(labels, self.num_classes))
        return self.to_logit(features) + ops.sum(classes * features, axis=1, keepdims=True)

    def features(self, images):
        """Sums over the pixels of the last feature map: `[N, F]`, float32."""
        x = self.stem(images) if self.stem else images
        for block in self.blocks:
            x = block(x)
        return ops.sum(ops.cast(ops.relu(x), "float32"), axis=(1, 2))


class BigGAN(LatentGAN):
    """BigGAN, conditional on classes.

    Args:
        image_size: 32, 64, 128 or 256 pixels; 32 for "studiogan".
        channels: of the images, 1 (grey) or 3 (RGB).
        num_classes: classes of labels, 2 or more.
        architecture: a key of `ARCHITECTURES`.
        latent_dim: dimensions of the latent vector, normally distributed; with `hierarchical`
            rounded down to a multiple of the number of parts.
        generator_width: what channels are multiples of, "ch".
        discriminator_width: likewise.
        shared_dim: dimensions of the class embedding that all blocks share; 0 gives each
            normalization a row for each class.
        hierarchical: whether each block gets a part of the latents; "biggan_deep" has all in all.
        attention: sides of the feature maps that have attention, in pixels.
        initializer: of the weights, a key of `INITIALIZERS`.
        orthogonal_weight: beta; 0 for no regularization.
        discriminator_steps: updates of the discriminator for one of the generator, each on new
            images.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a size without a network, images without classes, too few latents, or an
            unknown name.
    """

    IMAGE_SIZES = (32, 64, 128, 256)
    OPTIONS = MappingProxyType(
        {"truncation": Option(0.0, "the largest number in a latent vector; 0 for no limit", 0, 2)}
    )
    TINY = MappingProxyType(
        {
            "image_size": 32,
            "latent_dim": 16,
            "generator_width": 2,
            "discriminator_width": 2,
            "shared_dim": 8,
            "attention": (16,),
        }
    )

    def __init__(
        self,
        image_size: int = 128,
        channels: int = 3,
        num_classes: int = 10,
        architecture: str = "biggan",
        latent_dim: int = 120,
        generator_width: int = 96,
        discriminator_width: int = 96,
        shared_dim: int = 128,
        hierarchical: bool = True,
        attention: tuple[int, ...] = (64,),
        initializer: str = "orthogonal",
        orthogonal_weight: float = 0.0,
        discriminator_steps: int = 1,
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        arch = choose("architecture", architecture, ARCHITECTURES)
        num_stages = len(choose_size(architecture, image_size, arch.generator)) - 1
        choose("initializer", initializer, INITIALIZERS)
        if num_classes < 2:
            raise UserError(
                f"num_classes = {num_classes}: a BigGAN draws images of 2 or more classes. Take"
                " data with labels, or another model"
            )
        if arch.deep and not shared_dim:
            raise UserError("biggan_deep shares an embedding of the class: set shared_dim above 0")
        num_chunks = num_stages + 1 if hierarchical and not arch.deep else 1
        if latent_dim < num_chunks or min(generator_width, discriminator_width) < 1:
            raise UserError(
                f"latent_dim = {latent_dim}, generator_width = {generator_width},"
                f" discriminator_width = {discriminator_width}; expected {num_chunks} or more, and"
                " widths of 1 or more"
            )
        self.image_size, self.channels, self.num_classes = image_size, channels, num_classes
        self.latent_dim = latent_dim // num_chunks * num_chunks
        self.orthogonal_weight = orthogonal_weight
        self.discriminator_steps = discriminator_steps
        self.ema_half_life_images = ema_half_life_images
        attention = tuple(attention)
        options = architecture, image_size, channels, num_classes, generator_width
        parts = shared_dim, num_chunks, attention, initializer
        make_generators(self, functools.partial(Generator, *options, *parts))
        self.discriminator = Discriminator(
            architecture,
            image_size,
            num_classes,
            discriminator_width,
            attention,
            initializer,
            channels,
            name="discriminator",
        )

    def discriminator_loss(self, batch, random):
        # Generated images of random classes
        real, labels = batch["image"], batch["label"]
        fake, fake_labels = self.draw_fakes(random, real.shape[0])
        # One pass for both: nothing in the discriminator depends on the batch
        seen = [self.augment(real, random, "real"), self.augment(fake, random, "fake")]
        logits = self.discriminator(ops.concatenate(seen), ops.concatenate([labels, fake_labels]))
        power_iteration(self.discriminator)
        # Hinge loss
        real_logits, fake_logits = ops.split(logits, 2)
        return Loss(
            HINGE.discriminator(real_logits, fake_logits),
            logs=HINGE.discriminator_logs(real_logits, fake_logits),
        )

    def generator_loss(self, batch, random):
        fake, labels = self.draw_fakes(random, batch["image"].shape[0])
        logits = self.discriminator(self.augment(fake, random, "fake"), labels)
        for network in (self.generator, self.discriminator):
            power_iteration(network)
        adversarial = HINGE.generator(logits)
        logs = {"adversarial": ops.mean(adversarial)}
        if not self.orthogonal_weight:
            return Loss(adversarial, logs)
        # beta R, for all matrices but the shared embedding (eq. 3)
        regularization = sum(
            orthogonality(weight)
            for weight in self.generator.trainable_variables
            if len(weight.shape) > 1 and "shared" not in weight.path
        )
        logs |= {"orthogonality": regularization}
        return Loss(adversarial + self.current(self.orthogonal_weight) * regularization, logs)

    def _refresh_moments(self, batch, random):
        super()._refresh_moments(batch, random)
        power_iteration(self.averaged_generator)

    def call(self, latents, labels=None, training=False, truncation=0.0):
        latents = truncated(latents, truncation) if truncation else latents
        return super().call(latents, labels, training=training)

    def draw(self, latents, labels, random, **options):
        return self(latents, labels, **options)

    def require_options(self, truncation=0.0, **others):
        super().require_options(**others)
        if not truncation >= 0.0:
            raise UserError(f"truncation = {truncation}; expected 0 for no limit, or more")


def truncated(latents, limit: float):
    """Latents of the standard normal distribution between -limit and limit, `[N, latent_dim]`.

    Args:
        latents: of the whole distribution; each number keeps its rank.
        limit: the largest size of a number.
    """
    root = 2.0**0.5
    quantiles = ops.erf(limit / root) * ops.erf(latents / root)  # from -1 to 1
    edge = 1.0 - DISTRIBUTION_EDGE
    return ops.clip(root * ops.erfinv(ops.clip(quantiles, -edge, edge)), -limit, limit)


def _branch(channels: int, hidden: int, deep: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Sides of the kernels of a block's convolutions, and their channels."""
    if deep:
        return (1, 3, 3, 1), (hidden, hidden, hidden, channels)
    return (3, 3), (channels, channels)


def _pairs(inputs: int, widths: list[int], last: bool):
    """Channels before and after each of a stage's blocks, and whether it is the last, or first."""
    marked = len(widths) - 1 if last else 0
    for index, (before, after) in enumerate(zip([inputs, *widths], widths, strict=False)):
        yield before, after, index == marked


def _convolutions(widths, kernels, init, pool=False) -> list[SpectralConv2D]:
    """Of a block; the last one may halve the resolution."""
    return [
        _conv(width, kernel, init, f"conv{number}", pool=pool and number == len(widths))
        for number, (width, kernel) in enumerate(zip(widths, kernels, strict=True), start=1)
    ]


def _conv(filters, kernel_size, init, name, pool=False):
    return SpectralConv2D(filters, kernel_size, pool, kernel_initializer=init(), name=name)


def _flat(x):
    """Pixels in a row: `[N, H, W, C] -> [N, H * W, C]`."""
    _, height, width, channels = x.shape
    return ops.reshape(x, (-1, height * width, channels))
