"""cGAN: Conditional Generative Adversarial Nets, by concatenation or by projection.

Mirza & Osindero 2014, https://arxiv.org/abs/1411.1784
Miyato & Koyama, ICLR 2018, https://arxiv.org/abs/1802.05637

Both networks are given the class y of an image, so that one can ask the generator for it: the
discriminator judges whether an image is a real one of its class. With s for its logits:

    L_D = V(s(x, y), s(G(z, c), c))        c is uniform over the classes
    L_G = V_G(s(G(z, c), c))

V is the non-saturating loss (Mirza & Osindero) or the hinge loss (Miyato & Koyama). `ARCHITECTURES`
has three ways in which the class enters:

    concat      one-hot classes as a second input, whose features are concatenated with those of
                latents and of images: the paper's perceptrons for MNIST, with maxout in the
                discriminator and dropout in both
    pytorch_gan the same idea in github.com/eriklindernoren/PyTorch-GAN: classes are embedded, and
                the generator has batch normalization (its epsilon of 0.8 is published)
    projection  s(x, y) = psi(phi(x)) + <e_y, phi(x)>, an inner product of the last features phi
                with an embedding of the class, and conditional batch normalization in the
                generator: residual networks, github.com/pfnet-research/sngan_projection

The authors of the first paper published no code. Theirs are latents between 0 and 1, and pixels,
too; here both are in [-1, 1] outside of the networks. Dropout comes after each hidden layer, and
weights start uniformly between -0.05 and 0.05.

What differs from the code of the second: the generator's step comes after the discriminator's
steps, not before; images are not dequantized; batch normalization has an epsilon of 1e-5, not 2e-5;
power iterations advance once an update, not once a call. Batch statistics are those of each
replica. Added: an averaged generator.
"""

import functools
import math
from types import MappingProxyType

import keras
from keras import layers, ops

from ganzoo.ema import make_generators
from ganzoo.engine import Loss
from ganzoo.errors import UserError, choose, choose_size
from ganzoo.inputs import Latents
from ganzoo.latents import LatentGAN
from ganzoo.layers import Network, dropout, maxout, power_iteration, scaled_widths
from ganzoo.losses import ADVERSARIAL
from ganzoo.models import ssgan
from ganzoo.models.gan import make_perceptron

# Of each form, what there is for an image size, in pixels.
ARCHITECTURES = {
    "concat": dict.fromkeys((28, 32)),
    "pytorch_gan": dict.fromkeys((28, 32)),
    "projection": ssgan.ARCHITECTURES["projection"].sizes,
}
PIECES = (5, 5, 4)  # linear functions of a maxout unit: of images, of classes, of both


class ConcatGenerator(Network):
    """Latents `[N, latent_dim]` in [-1, 1] and labels `[N]` to images `[N, S, S, C]` in [-1, 1];
    with dropout, given a `ganzoo.seeds.Random`.

    Args:
        shape: of an image, (S, S, C).
        num_classes: of the labels.
        width: units of the joint layer; None means as published, 1200, others scale along.
        dropout_rate: after each hidden layer.
    """

    def __init__(self, shape, num_classes, width=None, dropout_rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.shape, self.num_classes, self.dropout_rate = shape, num_classes, dropout_rate
        of_latents, of_classes, joint = scaled_widths((200, 1000, 1200), width)
        self.of_latents = _dense(of_latents, activation="relu")
        self.of_classes = _dense(of_classes, activation="relu")
        self.joint = _dense(joint, activation="relu")
        self.to_pixels = _dense(math.prod(shape))

    def build(self, latents_shape, labels_shape=None):
        self.call(ops.zeros((1, latents_shape[-1])), ops.zeros((1,), "int32"))

    def call(self, latents, labels, training=False, random=None):
        z = self.of_latents((latents + 1.0) / 2.0)
        y = self.of_classes(ops.one_hot(labels, self.num_classes))
        x = dropout(ops.concatenate([z, y], axis=-1), self.dropout_rate, random, "inputs")
        x = dropout(self.joint(x), self.dropout_rate, random, "joint")
        # 2 sigmoid - 1, of pixels that the authors have between 0 and 1
        pixels = ops.tanh(ops.cast(self.to_pixels(x), "float32") / 2.0)
        return ops.reshape(pixels, (-1, *self.shape))


class ConcatDiscriminator(Network):
    """Images `[N, S, S, C]` in [-1, 1] and labels `[N]` to logits `[N, 1]`; with
    dropout, given a `ganzoo.seeds.Random`.

    Args:
        shape: of an image, (S, S, C).
        num_classes: of the labels.
        width: maxout units of images and of the joint layer; None means as published, 240, those
            of classes scale along.
        dropout_rate: after each hidden layer.
    """

    def __init__(self, shape, num_classes, width=None, dropout_rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.shape, self.num_classes, self.dropout_rate = shape, num_classes, dropout_rate
        units = scaled_widths((240, 50, 240), width)
        self.of_images, self.of_classes, self.joint = (
            _dense(count * pieces) for count, pieces in zip(units, PIECES, strict=True)
        )
        self.to_logit = _dense(1, dtype="float32")

    def build(self, images_shape, labels_shape=None):
        self.call(ops.zeros((1, *images_shape[1:])), ops.zeros((1,), "int32"))

    def call(self, images, labels, training=False, random=None):
        pixels = (ops.reshape(images, (-1, math.prod(self.shape))) + 1.0) / 2.0
        x = maxout(self.of_images(pixels), PIECES[0])
        y = maxout(self.of_classes(ops.one_hot(labels, self.num_classes)), PIECES[1])
        x = dropout(ops.concatenate([x, y], axis=-1), self.dropout_rate, random, "inputs")
        x = maxout(self.joint(x), PIECES[2])
        return self.to_logit(dropout(x, self.dropout_rate, random, "joint"))


class EmbeddingGenerator(Network):
    """As `ConcatGenerator`, for latents of any range; the widest layer has 1024 units, and there is
    no dropout."""

    def __init__(self, shape, num_classes, width=None, dropout_rate=0.0, **kwargs):
        super().__init__(**kwargs)
        units = scaled_widths((128, 256, 512, 1024), width)
        self.embed, self.stack = _embedding(num_classes), make_perceptron(shape, units, "stack")

    def build(self, latents_shape, labels_shape=None):
        self.call(ops.zeros((1, latents_shape[-1])), ops.zeros((1,), "int32"))

    def call(self, latents, labels, training=False, random=None):
        embedded = ops.cast(self.embed(labels), latents.dtype)
        return self.stack(ops.concatenate([embedded, latents], axis=-1), training=training)


class EmbeddingDiscriminator(Network):
    """As `ConcatDiscriminator`, of three layers of 512 units; dropout comes after the second and
    the third, before the activation."""

    def __init__(self, shape, num_classes, width=None, dropout_rate=0.4, **kwargs):
        super().__init__(**kwargs)
        self.pixels, self.dropout_rate = math.prod(shape), dropout_rate
        self.hidden = [layers.Dense(units) for units in scaled_widths((512,) * 3, width)]
        self.to_logit = layers.Dense(1, dtype="float32")
        self.embed = _embedding(num_classes)

    def build(self, images_shape, labels_shape=None):
        self.call(ops.zeros((1, *images_shape[1:])), ops.zeros((1,), "int32"))

    def call(self, images, labels, training=False, random=None):
        pixels = ops.reshape(images, (-1, self.pixels))
        embedded = ops.cast(self.embed(labels), pixels.dtype)
        x = self.hidden[0](ops.concatenate([pixels, embedded], axis=-1))
        for index, layer in enumerate(self.hidden[1:]):
            x = layer(ops.leaky_relu(x, 0.2))
            x = dropout(x, self.dropout_rate, random, f"hidden{index}")
        return self.to_logit(ops.leaky_relu(x, 0.2))


class ProjectionGenerator(ssgan.Generator):
    """Latents `[N, latent_dim]` and labels `[N]` to images `[N, S, S, C]` in [-1, 1]."""

    def call(self, latents, labels, training=False, random=None):
        return super().call(latents, labels, training)


class ProjectionDiscriminator(ssgan.Discriminator):
    """Images `[N, S, S, C]` in [-1, 1] and labels `[N]` to logits `[N, 1]`."""

    def call(self, images, labels, training=False, random=None):
        return super().call(images, labels)[0]


PERCEPTRONS = {
    "concat": (ConcatGenerator, ConcatDiscriminator),
    "pytorch_gan": (EmbeddingGenerator, EmbeddingDiscriminator),
}


class CGAN(LatentGAN):
    """Conditional GAN.

    Args:
        image_size: 28 or 32 pixels for perceptrons, 32, 48, 64 or 128 for "projection".
        channels: of the images, 1 (grey) or 3 (RGB).
        num_classes: classes of labels, 2 or more.
        architecture: a key of `ARCHITECTURES`.
        latent_dim: dimensions of the latent vector, uniformly distributed between -1 and 1 for
            "concat", else normally.
        generator_width: channels or units of the widest layer; None means as published, others
            scale along.
        discriminator_width: likewise.
        dropout_rate: of perceptrons.
        loss: a key of `ganzoo.losses.ADVERSARIAL`.
        discriminator_steps: updates of the discriminator for one of the generator, each on new
            images.
        generator_batches: images of the generator's update, in batches.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a size without a network, images without classes, a width below 1, a rate out
            of range, or an unknown name.
    """

    IMAGE_SIZES = tuple(ARCHITECTURES["concat"])  # to choose from by the data
    TINY = MappingProxyType({"image_size": 32, "generator_width": 48, "discriminator_width": 24})

    def __init__(
        self,
        image_size: int = 28,
        channels: int = 1,
        num_classes: int = 10,
        architecture: str = "concat",
        latent_dim: int = 100,
        generator_width: int | None = None,
        discriminator_width: int | None = None,
        dropout_rate: float = 0.5,
        loss: str = "non_saturating",
        discriminator_steps: int = 1,
        generator_batches: int = 1,
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        choose_size(architecture, image_size, choose("architecture", architecture, ARCHITECTURES))
        if num_classes < 2:
            raise UserError(
                f"num_classes = {num_classes}: a cGAN learns from images of 2 or more classes. Take"
                " data with labels, or another model"
            )
        if not 0.0 <= dropout_rate < 1.0 or generator_batches < 1:
            raise UserError(
                f"dropout_rate = {dropout_rate}, generator_batches = {generator_batches}; expected"
                " a rate in [0, 1), and 1 or more"
            )
        self.adversarial = choose("loss", loss, ADVERSARIAL)
        self.image_size, self.channels, self.num_classes = image_size, channels, num_classes
        self.architecture, self.latent_dim = architecture, latent_dim
        self.discriminator_steps, self.generator_batches = discriminator_steps, generator_batches
        self.ema_half_life_images = ema_half_life_images
        widths = generator_width, discriminator_width
        if architecture == "projection":
            self._make_projection(*widths)
        else:
            self._make_perceptrons(*widths, dropout_rate)

    def _make_perceptrons(self, generator_width, discriminator_width, dropout_rate):
        generator, discriminator = PERCEPTRONS[self.architecture]
        options = (self.image_size, self.image_size, self.channels), self.num_classes
        make_generators(self, functools.partial(generator, *options, generator_width, dropout_rate))
        self.discriminator = discriminator(
            *options, discriminator_width, dropout_rate, name="discriminator"
        )

    def _make_projection(self, generator_width, discriminator_width):
        widths, options = (generator_width, discriminator_width), (self.channels, self.num_classes)
        size, up = ssgan.scaled_size("projection", self.image_size, *widths)
        make = functools.partial(ProjectionGenerator, size, up, *options, False, "projection")
        make_generators(self, make)
        arch = ssgan.ARCHITECTURES["projection"]
        self.discriminator = ProjectionDiscriminator(
            size, *options, arch, rotations=False, name="discriminator"
        )

    def discriminator_loss(self, batch, random):
        # Real images and generated ones of random classes
        real, labels = batch["image"], batch["label"]
        fake, fake_labels = self._generate(random, real.shape[0])
        seen = self.augment(real, random, "real"), self.augment(fake, random, "fake")
        # Is each a real one of its class?
        logits = self._judge(ops.concatenate(seen), ops.concatenate([labels, fake_labels]), random)
        real_logits, fake_logits = ops.split(logits, 2)
        return Loss(
            self.adversarial.discriminator(real_logits, fake_logits),
            logs=self.adversarial.discriminator_logs(real_logits, fake_logits),
        )

    def generator_loss(self, batch, random):
        count = self.generator_batches * batch["image"].shape[0]
        fake, labels = self._generate(random, count)
        logits = self._judge(self.augment(fake, random, "fake"), labels, random)
        return Loss(self.adversarial.generator(logits))

    @property
    def latents(self):
        return Latents(self.latent_dim, "uniform" if self.architecture == "concat" else "normal")

    def _generate(self, random, count):
        """Images of the generator in training, and the classes they were asked for."""
        latents, labels = self.draw_latents(random, count), self.draw_labels(random, count)
        own = random.scoped("generator")
        return self.generator(latents, labels, training=True, random=own), labels

    def _judge(self, images, labels, random):
        logits = self.discriminator(images, labels, training=True, random=random)
        power_iteration(self.discriminator)
        return logits


def _embedding(num_classes):
    return layers.Embedding(num_classes, num_classes, keras.initializers.RandomNormal(stddev=1.0))


def _dense(units, **kwargs):
    return layers.Dense(
        units, kernel_initializer=keras.initializers.RandomUniform(-0.05, 0.05), **kwargs
    )
