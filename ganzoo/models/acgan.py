"""AC-GAN: Conditional Image Synthesis with Auxiliary Classifier GANs.

Odena, Olah & Shlens, ICML 2017, https://arxiv.org/abs/1610.09585

The generator gets a class c beside its noise z. The discriminator does not see the class, but has a
second head that has to recognize it, in real images and in generated ones; the generator is
rewarded for images that look real and are recognized as what was asked for.

    L_S = log P(real | x) + log P(fake | G(c, z))                   (eq. 2)
    L_C = log P(c | x) + log P(c | G(c, z))                         (eq. 3)

D maximizes L_S + L_C, G maximizes L_C - L_S: the minus is that of L_S alone, and both of them want
images to be recognized. As usual, G minimizes -log P(real | G(c, z)) instead. A weight for each
part of L_C covers later variants: 1, 0 and 0.1 those of Gulrajani et al. 2017, 1, 0 and 1 that of
StudioGAN.

The classifier's reward makes G prefer images that are easy to classify. `twin_weight` adds the
remedy of TAC-GAN (Gong et al. 2019, https://arxiv.org/abs/1907.02690, eq. 8): a third head learns
the classes of generated images alone, and G opposes it.

The authors published no code. `ARCHITECTURES` has three generators; all have the discriminator of
the paper's table 1, of 3 x 3 kernels with strides of 2 and 1 in turn:

    paper   table 1 (ImageNet, 128 px) and table 2 (CIFAR-10, 32 px)
    clvrai  32 px, github.com/clvrai/ACGAN-PyTorch, and its discriminator without most biases
    dcgan   28 to 128 px, the generator of DCGAN

What the paper leaves open: padding is symmetric, latents are normally distributed, the one-hot
class comes first. Batch normalization takes real and generated images separately, and the
statistics of each replica. As in DCGAN here, the generator is run once for each of the two updates,
on the same latents and classes. Added: an averaged generator.
"""

import functools
import math
from types import MappingProxyType
from typing import NamedTuple

import keras
from keras import layers, ops

from ganzoo.classifying import ClassifyingGAN, class_accuracy
from ganzoo.ema import make_generators
from ganzoo.engine import Loss
from ganzoo.errors import UserError, choose, choose_size
from ganzoo.layers import (
    CroppedConv2DTranspose,
    Network,
    PaddedConv2D,
    batch_norm,
    dropout,
    gaussian_noise,
    scaled_widths,
    small_normal,
)
from ganzoo.losses import ADVERSARIAL

# Channels and strides of the discriminator's convolutions.
DISCRIMINATOR = ((16, 2), (32, 1), (64, 2), (128, 1), (256, 2), (512, 1))


class Architecture(NamedTuple):
    """What distinguishes the networks.

    Attributes:
        widths: by the image's side, channels of the generator's feature maps, of which each is
            twice as large as the one before.
        kernel_size: of the generator's convolutions.
        embedding: units of a linear layer before the first feature map; 0 for none.
        normalized_start: whether the first feature map is normalized, too.
        use_bias: whether the generator's convolutions have one.
        discriminator_bias: likewise.
    """

    widths: dict[int, tuple[int, ...]]
    kernel_size: int
    embedding: int
    normalized_start: bool
    use_bias: bool
    discriminator_bias: bool


ARCHITECTURES = {
    "paper": Architecture(
        {32: (384, 192, 96), 128: (768, 384, 256, 192, 64)},
        kernel_size=5,
        embedding=0,
        normalized_start=False,
        use_bias=True,
        discriminator_bias=True,
    ),
    "clvrai": Architecture(
        {32: (192, 96, 48)},
        kernel_size=4,
        embedding=384,
        normalized_start=True,
        use_bias=False,
        discriminator_bias=False,
    ),
    "dcgan": Architecture(
        {
            28: (128, 64),
            32: (256, 128, 64),
            64: (512, 256, 128, 64),
            128: (1024, 512, 256, 128, 64),
        },
        kernel_size=4,
        embedding=0,
        normalized_start=True,
        use_bias=False,
        discriminator_bias=True,
    ),
}


class Generator(Network):
    """Latents `[N, latent_dim]` and labels `[N]` to images `[N, S, S, C]` in [-1, 1].

    Args:
        architecture: a key of `ARCHITECTURES`.
        image_size: S.
        channels: C.
        num_classes: of the labels.
        width: channels of the widest feature map; None means as published.
    """

    def __init__(self, architecture, image_size, channels, num_classes, width=None, **kwargs):
        super().__init__(**kwargs)
        arch = ARCHITECTURES[architecture]
        first, *widths = scaled_widths(arch.widths[image_size], width)
        bottom = image_size // 2 ** (len(widths) + 1)
        norm = batch_norm if arch.normalized_start else layers.Identity
        stack = [_dense(arch.embedding)] if arch.embedding else []
        stack += [_dense(bottom * bottom * first, use_bias=arch.use_bias)]
        stack += [layers.Reshape((bottom, bottom, first)), norm(), layers.ReLU()]
        for filters in widths:
            stack += [_up(arch, filters), batch_norm(), layers.ReLU()]
        stack += [_up(arch, channels), layers.Activation("tanh", dtype="float32")]
        self.num_classes, self.stack = num_classes, keras.Sequential(stack)

    def build(self, latents_shape, labels_shape=None):
        self.stack.build((None, self.num_classes + latents_shape[-1]))

    def call(self, latents, labels, training=False):
        classes = ops.one_hot(labels, self.num_classes, dtype=latents.dtype)
        return self.stack(ops.concatenate([classes, latents], axis=-1), training=training)


class Discriminator(Network):
    """Images `[N, S, S, C]` in [-1, 1] to logits of being real `[N, 1]`, of classes `[N, K]`, and
    of classes by the twin classifier, or None without one.

    Args:
        num_classes: K.
        width: channels of the widest feature map; None means as published.
        dropout_rate: after each convolution.
        activation_noise: standard deviation of what is added there to the activations.
        use_bias: of the convolutions.
        twin: whether there is a second classifier, of generated images.
    """

    def __init__(
        self,
        num_classes,
        width=None,
        dropout_rate=0.5,
        activation_noise=0.0,
        use_bias=True,
        twin=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.dropout_rate, self.activation_noise = dropout_rate, activation_noise
        widths, strides = zip(*DISCRIMINATOR, strict=True)
        options = {"use_bias": use_bias, "kernel_initializer": small_normal()}
        self.convolutions = [
            PaddedConv2D(filters, 3, pad=1, strides=stride, **options)
            for filters, stride in zip(scaled_widths(widths, width), strides, strict=True)
        ]
        self.norms = [layers.Identity(), *(batch_norm() for _ in widths[1:])]
        self.to_logit = _dense(1, dtype="float32")
        self.to_classes = _dense(num_classes, dtype="float32")
        self.to_twin_classes = _dense(num_classes, dtype="float32") if twin else None

    def build(self, input_shape):
        shape = input_shape
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            convolution.build(shape)
            shape = convolution.compute_output_shape(shape)
            norm.build(shape)
        _, height, width, channels = shape
        for head in filter(None, (self.to_logit, self.to_classes, self.to_twin_classes)):
            head.build((None, height * width * channels))

    def call(self, images, training=False, random=None):
        features = self.features(images, training, random)
        twin = self.to_twin_classes(features) if self.to_twin_classes else None
        return self.to_logit(features), self.to_classes(features), twin

    def features(self, images, training=False, random=None):
        """What the heads read: `[N, F]`, float32. Without a `ganzoo.seeds.Random` there is neither
        dropout nor noise."""
        x = ops.cast(images, self.compute_dtype)
        for index, (convolution, norm) in enumerate(
            zip(self.convolutions, self.norms, strict=True)
        ):
            x = ops.leaky_relu(norm(convolution(x), training=training), 0.2)
            x = gaussian_noise(x, self.activation_noise, random, f"noise{index}")
            x = dropout(x, self.dropout_rate, random, f"dropout{index}")
        return ops.cast(ops.reshape(x, (-1, math.prod(x.shape[1:]))), "float32")


class ACGAN(ClassifyingGAN):
    """Auxiliary classifier GAN, conditional on classes.

    Args:
        image_size: 32 or 128 pixels for "paper", 32 for "clvrai", 28, 32, 64 or 128 for "dcgan".
        channels: of the images, 1 (grey) or 3 (RGB).
        num_classes: classes of labels, 2 or more.
        architecture: a key of `ARCHITECTURES`.
        latent_dim: dimensions of the latent vector, drawn from the standard normal distribution.
        generator_width: channels of the widest feature map; None means as published, others scale
            along.
        discriminator_width: likewise.
        dropout_rate: in the discriminator, after each convolution; 0 for none.
        activation_noise: standard deviation of the noise on the discriminator's activations.
        loss: of real against fake, a key of `ganzoo.losses.ADVERSARIAL`.
        real_class_weight: of the discriminator's class loss on real images.
        fake_class_weight: of that on generated ones.
        generator_class_weight: of the generator's class loss.
        twin_weight: of TAC-GAN's second classifier, in both losses; 0 for none.
        ema_half_life_images: of the averaged generator, in images; 0 means no averaging.

    Raises:
        UserError: for a size without a network, images without classes, a rate or noise out of
            range, or an unknown name.
    """

    IMAGE_SIZES = (32, 128)  # of the paper, to choose from by the data
    TINY = MappingProxyType(
        {
            "image_size": 32,
            "architecture": "dcgan",
            "generator_width": 32,
            "discriminator_width": 256,
        }
    )

    def __init__(
        self,
        image_size: int = 32,
        channels: int = 3,
        num_classes: int = 10,
        architecture: str = "paper",
        latent_dim: int = 100,
        generator_width: int | None = None,
        discriminator_width: int | None = None,
        dropout_rate: float = 0.5,
        activation_noise: float = 0.0,
        loss: str = "non_saturating",
        real_class_weight: float = 1.0,
        fake_class_weight: float = 1.0,
        generator_class_weight: float = 1.0,
        twin_weight: float = 0.0,
        ema_half_life_images: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        arch = choose("architecture", architecture, ARCHITECTURES)
        choose_size(architecture, image_size, arch.widths)
        if num_classes < 2:
            raise UserError(
                f"num_classes = {num_classes}: an AC-GAN learns from images of 2 or more classes."
                " Take data with labels, or another model"
            )
        if not 0.0 <= dropout_rate < 1.0 or activation_noise < 0.0:
            raise UserError(
                f"dropout_rate = {dropout_rate}, activation_noise = {activation_noise}; expected a"
                " rate in [0, 1), and 0 or more"
            )
        self.adversarial = choose("loss", loss, ADVERSARIAL)
        self.image_size, self.channels, self.num_classes = image_size, channels, num_classes
        self.latent_dim = latent_dim
        self.real_class_weight, self.fake_class_weight = real_class_weight, fake_class_weight
        self.generator_class_weight, self.twin_weight = generator_class_weight, twin_weight
        self.ema_half_life_images = ema_half_life_images
        options = architecture, image_size, channels, num_classes, generator_width
        make_generators(self, functools.partial(Generator, *options))
        self.discriminator = Discriminator(
            num_classes,
            discriminator_width,
            dropout_rate,
            activation_noise,
            use_bias=arch.discriminator_bias,
            twin=bool(twin_weight),
            name="discriminator",
        )

    def discriminator_loss(self, batch, random):
        # Generated images of random classes
        real, labels = batch["image"], batch["label"]
        latents = self.draw_latents(random, real.shape[0])
        fake_labels = self.draw_labels(random, real.shape[0])
        fake = self.generator(latents, fake_labels, training=True)
        # Sources and classes, either batch normalized by its own statistics
        judged_real = self._judge(real, random, "real")
        judged_fake = self._judge(fake, random, "fake")
        # Terms of -(L_S + L_C)
        terms = self.discriminator_terms(judged_real, judged_fake, labels, fake_labels)
        return Loss(
            sum(terms.values()),
            logs={name: ops.mean(term) for name, term in terms.items()}
            | {"class_accuracy": class_accuracy(labels, judged_real[1])}
            | self.adversarial.discriminator_logs(judged_real[0], judged_fake[0]),
            reuse={"latents": latents, "fake_label": fake_labels},
        )

    def generator_loss(self, batch, random):
        # The discriminator's last fakes
        labels = batch["fake_label"]
        fake = self.generator(batch["latents"], labels, training=True)
        # Source and class
        judged = self._judge(fake, random, "fake")
        # Terms of -(L_C - L_S)
        terms = self.generator_terms(judged, labels)
        logs = {name: ops.mean(term) for name, term in terms.items()}
        return Loss(
            sum(terms.values()), logs=logs | {"class_accuracy": class_accuracy(labels, judged[1])}
        )

    def discriminator_terms(self, real, fake, labels, fake_labels) -> dict:
        """The terms `[N]` of the discriminator's loss.

        Args:
            real: logits of real images, as the discriminator returns them.
            fake: those of generated images.
            labels: classes of the real images, `[N]`.
            fake_labels: classes that the generator was given, `[N]`.
        """
        terms = {
            # -L_S, eq. 2
            "adversarial": self.adversarial.discriminator(real[0], fake[0]),
            # -L_C, eq. 3
            "class_real": _cross_entropy(labels, real[1], self.current(self.real_class_weight)),
            "class_fake": _cross_entropy(
                fake_labels, fake[1], self.current(self.fake_class_weight)
            ),
        }
        if self.twin_weight:
            terms["twin"] = _cross_entropy(fake_labels, fake[2], self.current(self.twin_weight))
        return terms

    def generator_terms(self, fake, labels) -> dict:
        """The terms `[N]` of the generator's loss; arguments as in `discriminator_terms`."""
        terms = {
            # L_S, non-saturating
            "adversarial": self.adversarial.generator(fake[0]),
            # -L_C
            "class": _cross_entropy(labels, fake[1], self.current(self.generator_class_weight)),
        }
        if self.twin_weight:
            terms["twin"] = _cross_entropy(labels, fake[2], -self.current(self.twin_weight))
        return terms

    def _judge(self, images, random, stream):
        """Logits in training, with dropout of its own for each stream."""
        seen = self.augment(images, random, stream)
        return self.discriminator(seen, training=True, random=random.scoped(stream))


def _cross_entropy(labels, logits, weight):
    """-log P(c | x) of each image, weighted, `[N]`."""
    return weight * ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _up(arch: Architecture, filters: int):
    """Transposed convolution: `[N, H, W, C] -> [N, 2H, 2W, F]`."""
    return CroppedConv2DTranspose(
        filters,
        arch.kernel_size,
        crop=(arch.kernel_size - 1) // 2,
        strides=2,
        use_bias=arch.use_bias,
        kernel_initializer=small_normal(),
    )


def _dense(units: int, **kwargs):
    return layers.Dense(units, kernel_initializer=small_normal(), **kwargs)
