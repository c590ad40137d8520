"""SGAN: semi-supervised learning with GANs, of few labels among many images.

Salimans et al., NIPS 2016, https://arxiv.org/abs/1606.03498, section 5
Odena 2016, https://arxiv.org/abs/1606.01583

The discriminator is a classifier of K classes with one class more, "generated". Images with labels
teach it the classes; of the others it only has to say that they belong to one of the K, and so they
shape its features. It is judged by its error on a test set, not by the generator's pictures.

The logits are l_1 to l_K, and that of "generated" is fixed at 0. So the logit of an image being
real is the log of the sum of exponentials, s(x) = log sum exp l_k(x), and its loss is

    L_D = -log p(y | x, y <= K)                                     (labeled images)
        - w / 2 log p(y <= K | x) - w / 2 log p(y = K + 1 | G(z))   (all images, generated ones)

The generator does not play against it. It matches features f, the values of the last hidden layer:

    L_G = | E f(x) - E f(G(z)) |^2                                  (feature matching, section 3.1)

where the distance is the mean over the features; the code takes absolute values for CIFAR-10.
`loss="odena"` is Odena's game: the cross-entropy of K + 1 classes, w in place of w / 2, and
L_G = -log p(y <= K | G(z)).

`ARCHITECTURES` has the networks of github.com/openai/improved-gan, which decided where the paper
leaves a choice: dense ones (MNIST) and convolutions (CIFAR-10; half as many channels in the
first layers for SVHN). The discriminator has weight normalization, initialized by the data, and
noise or dropout. Batch normalization would tell labeled, unlabeled and generated images from each
other by their moments.

What differs from the code: latents are uniform between -1 and 1 instead of 0 and 1, and the first
layer is batch normalized, which cancels that. Samples are drawn with moving averages instead of the
moments of a batch. The averaged discriminator, which classifies, starts from the discriminator
instead of 0, and its half-life grows with the images seen, so that it is of use early. The
generator matches the images that the discriminator was just shown, not others, and feature means
are those of each replica.
"""

import functools
import math
from types import MappingProxyType
from typing import NamedTuple

import keras
from keras import layers, ops

from ganzoo.classifying import ClassifyingGAN, class_accuracy
from ganzoo.ema import Average
from ganzoo.engine import Loss
from ganzoo.errors import UserError, choose, choose_size
from ganzoo.inputs import Classes, Latents
from ganzoo.layers import (
    CroppedConv2DTranspose,
    Network,
    WeightNormConv2D,
    WeightNormConv2DTranspose,
    WeightNormDense,
    batch_norm,
    dropout,
    gaussian_noise,
    scaled_widths,
    small_normal,
)
from ganzoo.losses import ADVERSARIAL
from ganzoo.seeds import Random

NON_SATURATING = ADVERSARIAL["non_saturating"]
INITIALIZED_BY = 500  # images


class Architecture(NamedTuple):
    """What distinguishes the networks.

    Attributes:
        sizes: of images, in pixels.
        generator: units of the dense layers, or channels of the feature maps.
        discriminator: likewise.
        convolutions: kernel size, stride and padding of the discriminator's; () for dense layers.
        corruption: of the inputs of each of the discriminator's layers: the standard deviation of
            noise, or with convolutions the rate of dropout.
        initial_deviation: of the last layers' outputs, where they are initialized by the data.
    """

    sizes: tuple[int, ...]
    generator: tuple[int, ...]
    discriminator: tuple[int, ...]
    convolutions: tuple[tuple[int, int, int], ...]
    corruption: tuple[float, ...]
    initial_deviation: float


ARCHITECTURES = {
    "dense": Architecture(
        sizes=(28, 32),
        generator=(500, 500),
        discriminator=(1000, 500, 250, 250, 250),
        convolutions=(),
        corruption=(0.3, 0.5, 0.5, 0.5, 0.5, 0.5),
        initial_deviation=1.0,
    ),
    "convolutional": Architecture(
        sizes=(32,),
        generator=(512, 256, 128),
        discriminator=(96, 96, 96, 192, 192, 192, 192, 192, 192),
        convolutions=(*((3, 1, 1), (3, 1, 1), (3, 2, 1)) * 2, (3, 1, 0), (1, 1, 0), (1, 1, 0)),
        corruption=(0.2, 0, 0, 0.5, 0, 0, 0.5, 0, 0, 0),
        initial_deviation=0.1,
    ),
}

# The distance of mean features that the generator minimizes; None for Odena's game.
LOSSES = {"feature_matching_l1": ops.abs, "feature_matching_l2": ops.square, "odena": None}


def _call(layer, x):
    return layer(x)


def _initialize(layer, x):
    return layer.initialize(x)


class Generator(Network):
    """Latents `[N, latent_dim]` to images `[N, S, S, C]` in [-1, 1].

    Args:
        architecture: a key of `ARCHITECTURES`.
        image_size: S.
        channels: C.
        width: of the widest layer; None means as published, others scale along.
    """

    def __init__(self, architecture, image_size, channels, width=None, **kwargs):
        super().__init__(**kwargs)
        arch = ARCHITECTURES[architecture]
        widths = scaled_widths(arch.generator, width)
        self.shape, self.is_dense = (image_size, image_size, channels), not arch.convolutions
        make = _dense_generator if self.is_dense else _convolutional_generator
        stack, self.to_image = make(widths, image_size, channels)
        self.stack = keras.Sequential(stack)

    def build(self, input_shape):
        self.call(ops.zeros((1, input_shape[-1])))

    def call(self, latents, training=False, run=_call):
        x = run(self.to_image, self.stack(latents, training=training))
        x = ops.cast(x, "float32")
        # A sigmoid, brought from [0, 1] to [-1, 1], or a hyperbolic tangent.
        return ops.reshape(ops.tanh(x / 2.0 if self.is_dense else x), (-1, *self.shape))


class Discriminator(Network):
    """Images `[N, S, S, C]` in [-1, 1] to class logits `[N, K]` and features `[N, F]`, float32.

    Args:
        architecture: a key of `ARCHITECTURES`.
        num_classes: K.
        width: of the widest layer; None means as published, others scale along.
    """

    def __init__(self, architecture, num_classes, width=None, **kwargs):
        super().__init__(**kwargs)
        arch = ARCHITECTURES[architecture]
        widths = scaled_widths(arch.discriminator, width)
        self.corruption, self.is_dense = arch.corruption, not arch.convolutions
        options = {"kernel_initializer": small_normal(0.1 if self.is_dense else 0.05)}
        if self.is_dense:
            self.hidden = [WeightNormDense(units, **options) for units in widths]
        else:
            self.hidden = [
                WeightNormConv2D(filters, kernel_size, pad, strides=stride, **options)
                for filters, (kernel_size, stride, pad) in zip(
                    widths, arch.convolutions, strict=True
                )
            ]
        options |= {"initial_deviation": arch.initial_deviation, "dtype": "float32"}
        self.to_classes = WeightNormDense(num_classes, learn_scale=True, **options)

    def build(self, input_shape):
        self.call(ops.zeros((1, *input_shape[1:])))

    def call(self, images, random=None, run=_call):
        features = self.features(images, random, run)
        return run(self.to_classes, self._corrupted(features, -1, random)), features

    def features(self, images, random=None, run=_call):
        """The values of the last hidden layer, `[N, F]`. Without a `ganzoo.seeds.Random` nothing is
        corrupted; `run` calls a layer."""
        x = ops.cast(images, self.compute_dtype)
        if self.is_dense:
            x = ops.reshape((x + 1.0) / 2.0, (-1, math.prod(x.shape[1:])))
        for index, layer in enumerate(self.hidden):
            x = run(layer, self._corrupted(x, index, random))
            x = ops.relu(x) if self.is_dense else ops.leaky_relu(x, 0.2)
        x = ops.cast(x, "float32")
        return x if self.is_dense else ops.mean(x, axis=(1, 2))

    def _corrupted(self, x, index, random):
        """The inputs of a layer with noise, or with dropout."""
        corrupt = gaussian_noise if self.is_dense else dropout
        return corrupt(x, self.corruption[index], random, f"corruption{index}")


class SGAN(ClassifyingGAN):
    """Semi-supervised GAN: a classifier, and an unconditional generator.

    Args:
        image_size: 28 or 32 pixels for "dense", 32 for "convolutional".
        channels: of the images, 1 (grey) or 3 (RGB).
        num_classes: classes of labels, 2 or more.
        architecture: a key of `ARCHITECTURES`.
        latent_dim: dimensions of the latent vector, uniformly distributed between -1 and 1.
        generator_width: of the widest layer; None means as published, others scale along.
        discriminator_width: likewise.
        loss: a key of `LOSSES`.
        unlabeled_weight: w, of all that is not about labels; 0 for learning from labels alone.
        ema_half_life_images: of the averaged discriminator, in images; 0 means no averaging.

    Raises:
        UserError: for a size without a network, images without classes, or an unknown name.
    """

    DATA = "semi_supervised"
    NETWORKS = MappingProxyType(
        {"generator": "averaged_generator", "discriminator": "averaged_discriminator"}
    )
    IMAGE_SIZES = (32,)
    TINY = MappingProxyType(
        {
            "image_size": 32,
            "architecture": "dense",
            "generator_width": 16,
            "discriminator_width": 128,
            "loss": "feature_matching_l2",
        }
    )

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        num_classes: int = 10,
        architecture: str = "convolutional",
        latent_dim: int = 100,
        generator_width: int | None = None,
        discriminator_width: int | None = None,
        loss: str = "feature_matching_l1",
        unlabeled_weight: float = 1.0,
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        arch = choose("architecture", architecture, ARCHITECTURES)
        choose_size(architecture, image_size, dict.fromkeys(arch.sizes))
        if num_classes < 2:
            raise UserError(
                f"num_classes = {num_classes}: expected 2 or more, of data of which some images"
                " have labels"
            )
        self.distance = choose("loss", loss, LOSSES)
        self.image_size, self.channels, self.latent_dim = image_size, channels, latent_dim
        self.num_labels, self.unlabeled_weight = num_classes, unlabeled_weight
        self.ema_half_life_images = ema_half_life_images
        # The discriminator alone is averaged.
        options = architecture, image_size, channels, generator_width
        self.generator = self.averaged_generator = Generator(*options, name="generator")
        make = functools.partial(Discriminator, architecture, num_classes, discriminator_width)
        self.discriminator = self.averaged_discriminator = make(name="discriminator")
        if ema_half_life_images:
            self.averaged_discriminator = make(name="averaged_discriminator")

    @property
    def latents(self):
        return Latents(self.latent_dim, "uniform")

    @property
    def classes(self):
        return Classes(self.num_labels, self.class_names)

    def class_logits(self, images):
        return self.averaged_discriminator(images)[0]

    def averages(self):
        if not self.ema_half_life_images:
            return ()
        networks = self.discriminator, self.averaged_discriminator
        return (Average(*networks, self.ema_half_life_images),)

    def initialize(self, examples):
        # The weights that are normalized
        random = Random(self.seed, 0, scope="initialize/")
        images = examples(INITIALIZED_BY)["unlabeled"]
        self.discriminator(images, random=random, run=_initialize)
        if not self.generator.is_dense:
            latents = self.draw_latents(random, INITIALIZED_BY)
            self.generator(latents, training=True, run=_initialize)
        for average in self.averages():
            average.start()

    def discriminator_loss(self, batch, random):
        # Labeled images, all images, generated ones
        labels, count = batch["label"], batch["label"].shape[0]
        labeled, _ = self._judge(batch["image"], random, "labeled")
        real, _ = self._judge(batch["unlabeled"], random, "real")
        fake, _ = self._judge(self._generate(random, count), random, "fake")
        # The terms of L_D
        terms = self.discriminator_terms(labeled, labels, real, fake)
        return Loss(
            sum(terms.values()),
            logs={name: ops.mean(term) for name, term in terms.items()}
            | {"class_accuracy": class_accuracy(labels, labeled)}
            | NON_SATURATING.discriminator_logs(real_logits(real), real_logits(fake)),
        )

    def generator_loss(self, batch, random):
        count = batch["label"].shape[0]
        fake = self._judge(self._generate(random, count), random, "fake")
        if self.distance is None:
            return Loss(NON_SATURATING.generator(real_logits(fake[0])))
        real = self._judge(batch["unlabeled"], random, "real")
        return Loss(feature_matching(self.distance, real[1], fake[1]))

    def discriminator_terms(self, labeled, labels, real, fake) -> dict:
        """The terms `[N]` of the discriminator's loss.

        Args:
            labeled: logits of images with labels, `[N, K]`.
            labels: their classes, `[N]`.
            real: logits of images without.
            fake: those of generated images.
        """
        weight = self.current(self.unlabeled_weight)
        if self.distance is None:
            labeled = ops.pad(labeled, [[0, 0], [0, 1]])  # with the logit of "generated"
        else:
            weight = weight / 2.0
        unlabeled = NON_SATURATING.discriminator(real_logits(real), real_logits(fake))
        return {
            "labeled": ops.sparse_categorical_crossentropy(labels, labeled, from_logits=True),
            "unlabeled": weight * unlabeled,
        }

    def _generate(self, random, count):
        return self.generator(self.draw_latents(random, count), training=True)

    def _judge(self, images, random, stream):
        """Logits and features in training."""
        seen = self.augment(images, random, stream)
        return self.discriminator(seen, random=random.scoped(stream))


def real_logits(logits):
    """Those of being of one of the classes, `[N, 1]`, where the logit of "generated" is 0."""
    return ops.logsumexp(logits, axis=1, keepdims=True)


def feature_matching(distance, real, fake):
    """L_G `[N]`, the same number for each example: the distance of mean features.

    Args:
        distance: of numbers, from 0.
        real: features of real images, `[N, F]`.
        fake: those of generated ones.
    """
    value = ops.mean(distance(ops.mean(real, axis=0) - ops.mean(fake, axis=0)))
    return ops.repeat(value[None], fake.shape[0])


def _dense_generator(widths, image_size, channels):
    """Layers from latents `[N, latent_dim]` on, and the last one, to pixels `[N, S * S * C]`."""
    stack = []
    for units in widths:
        stack += [layers.Dense(units, use_bias=False), _norm(), layers.Activation("softplus")]
    return stack, WeightNormDense(image_size**2 * channels, learn_scale=True)


def _convolutional_generator(widths, image_size, channels):
    """Layers from latents `[N, latent_dim]` on, and the last one, to images `[N, S, S, C]`."""
    options = {"strides": 2, "kernel_initializer": small_normal(0.05)}
    first, *widths = widths
    bottom = image_size // 2 ** (len(widths) + 1)
    stack = [layers.Dense(bottom**2 * first, use_bias=False, kernel_initializer=small_normal(0.05))]
    stack += [_norm(), layers.ReLU(), layers.Reshape((bottom, bottom, first))]
    for filters in widths:
        stack += [CroppedConv2DTranspose(filters, 5, 2, use_bias=False, **options)]
        stack += [_norm(), layers.ReLU()]
    last = {"learn_scale": True, "initial_deviation": 0.1}
    return stack, WeightNormConv2DTranspose(channels, 5, 2, **options, **last)


def _norm():
    return batch_norm(scale=False)
