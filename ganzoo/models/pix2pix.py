"""pix2pix: translation of images, learned from pairs.

Isola, Zhu, Zhou & Efros 2017, https://arxiv.org/abs/1611.07004

A U-Net translates an image x of domain a to one of domain b, of which the right one, y, is known in
training. A discriminator of patches sees input and output together, and so judges whether this is
an answer to that; the L1 distance to y takes care of what patches are too small for.

    L_cGAN = log D(x, y) + log(1 - D(x, G(x, z)))                   (eq. 1; eq. 2 without x in D)
    L_L1   = |y - G(x, z)|                                          (eq. 3)
    G      = arg min max L_cGAN + lambda L_L1,  lambda = 100        (eq. 4)

The generator's share of L_cGAN is the non-saturating one, and the discriminator's is halved, which
slows it down (section 3.3). Within a step the discriminator moves first. The noise z is nothing but
dropout, and stays on in inference, as does normalization by the statistics of the batch, here of
the one image: results depend on a seed. `deterministic=True` takes neither.

Networks and losses are those of the authors' codes, github.com/phillipi/pix2pix and
github.com/junyanz/pytorch-CycleGAN-and-pix2pix. These have dropout in different places: the paper
and the former in the three innermost levels of the way up, the latter in those after the innermost.

Differs from the codes: the generator is run once for each of the two updates, with the same
dropout. Kept from the second one: convolutions before a normalization have no bias, and the
generator's update asks the discriminator after its own.
"""

from types import MappingProxyType

from keras import ops

from ganzoo.engine import Loss, Update
from ganzoo.errors import UserError, choose
from ganzoo.inputs import Option
from ganzoo.losses import ADVERSARIAL
from ganzoo.models.cyclegan import UNetGenerator, difference, discriminator_of, halvings_of
from ganzoo.translation import ImageGAN

# Levels of the way up with dropout, 0 the innermost, of a U-Net with so many halvings.
DROPOUT_LEVELS = MappingProxyType(
    {
        "paper": lambda num_halvings: range(3),
        "pytorch": lambda num_halvings: range(1, num_halvings - 4),
        "none": lambda num_halvings: (),
    }
)


class Pix2Pix(ImageGAN):
    """pix2pix, for pairs of images: from a to b.

    Args:
        image_size: height and width of the images in training, in pixels: a multiple of 32. The
            U-Net halves them as often as it can, at most 8 times.
        channels: of the images of a, 1 (grey) or 3 (RGB).
        out_channels: of the images of b; None for as many as a has.
        generator_width: channels of the generator's first layer.
        dropout: a key of `DROPOUT_LEVELS`.
        discriminator: "patch" or "pixel".
        discriminator_layers: of the former; 1 to 6 look at patches of 16, 34, 70, 142, 286 and 574
            pixels.
        discriminator_width: channels of the discriminator's first layer.
        conditional: whether the discriminator sees the image of a, too (eq. 1), or not (eq. 2).
        loss: a key of `ganzoo.losses.ADVERSARIAL`.
        adversarial_weight: of the generator's adversarial term; 0 leaves L1 alone.
        l1_weight: lambda of the paper.

    Raises:
        UserError: for a size that the networks cannot have, or an unknown name.
    """

    DATA = "paired"
    IMAGE_SIZES = (64, 128, 256)  # preferred ones, to choose from by the data
    TINY = MappingProxyType(
        {
            "image_size": 32,
            "generator_width": 8,
            "discriminator_width": 8,
            "discriminator_layers": 2,
        }
    )
    overlap = 48  # the U-Net sees all of a tile; seams are blended

    def __init__(
        self,
        image_size: int = 256,
        channels: int = 3,
        out_channels: int | None = None,
        generator_width: int = 64,
        dropout: str = "paper",
        discriminator: str = "patch",
        discriminator_layers: int = 3,
        discriminator_width: int = 64,
        conditional: bool = True,
        loss: str = "non_saturating",
        adversarial_weight: float = 1.0,
        l1_weight: float = 100.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if min(generator_width, discriminator_width) < 1:
            raise UserError(
                f"generator_width = {generator_width}, discriminator_width = {discriminator_width};"
                " expected 1 or more channels"
            )
        halvings = halvings_of("unet", image_size)
        levels = choose("dropout", dropout, DROPOUT_LEVELS)(halvings)
        self.adversarial = choose("loss", loss, ADVERSARIAL)
        self.image_size, self.channels = image_size, channels
        self.out_channels = channels if out_channels is None else out_channels
        self.multiple = self.least = 2**halvings
        self.conditional = conditional
        self.adversarial_weight, self.l1_weight = adversarial_weight, l1_weight
        self.generator = UNetGenerator(
            self.out_channels, generator_width, halvings, "batch", levels, name="generator"
        )
        self.discriminator = discriminator_of(
            discriminator,
            discriminator_layers,
            discriminator_width,
            image_size,
            "discriminator",
            "batch",
        )

    def build(self, input_shape=None):
        self.build_generators()
        channels = self.channels + self.out_channels if self.conditional else self.out_channels
        self.discriminator.build((None, self.image_size, self.image_size, channels))

    def build_generators(self):
        self.generator.build((None, None, None, self.channels))

    def players(self):
        return {"discriminator": [self.discriminator], "generator": [self.generator]}

    def updates(self):
        return (
            Update("discriminator", self.discriminator_loss),
            Update("generator", self.generator_loss),
        )

    def generators(self):
        return {"translate": self.generator}

    def translate(self, image, seed: int = 0, deterministic: bool = False):
        """The image of b that belongs to one of a.

        Args:
            image: a path, a PIL image, or an array `[H, W, C]` or `[N, H, W, C]`, uint8 or float in
                [-1, 1]; of any size.
            seed: of the dropout; every image of `[N, H, W, C]` gets the same.
            deterministic: without dropout, and normalized by the moving averages of training
                instead of the image's own statistics.

        Returns:
            what was given: an array like it, or a PIL image, also for a path.

        Raises:
            UserError: for anything else, an unreadable file, or a seed out of range.
        """
        return self._answer(image, seed=seed, deterministic=deterministic)

    def discriminator_loss(self, batch, random):
        # Translation, with the dropout that the generator's update will have
        fake = self._generate(batch["a"], random, update_moments=False)
        # Logits of patches, either batch normalized by its own statistics
        real_logits = self._judge(batch["a"], batch["b"], random, "real")
        fake_logits = self._judge(batch["a"], fake, random, "fake")
        # Halved objective (eq. 1, section 3.3)
        return Loss(
            self.adversarial.discriminator(real_logits, fake_logits) / 2.0,
            logs=self.adversarial.discriminator_logs(real_logits, fake_logits),
        )

    def generator_loss(self, batch, random):
        # Same translation, for a discriminator that has moved
        fake = self._generate(batch["a"], random)
        logits = self._judge(batch["a"], fake, random, "fake")
        # Terms of eq. 4
        adversarial = self.adversarial.generator(logits)
        l1 = difference(fake, batch["b"])
        return Loss(
            self.current(self.adversarial_weight) * adversarial + self.current(self.l1_weight) * l1,
            logs={"adversarial": ops.mean(adversarial), "l1": ops.mean(l1)},
        )

    def _generate(self, images, random, **options):
        """Translations in training: the same in all updates of a step."""
        random = random.of_step("generator")
        return self.generator(images, training=True, random=random, **options)

    def _judge(self, images, answers, random, stream):
        """Logits of images of b as answers to those of a."""
        seen = self.augment(answers, random, stream)
        if self.conditional:
            # Drawn from the same stream: what belongs together moves together.
            seen = ops.concatenate([self.augment(images, random, stream), seen], axis=-1)
        return self.discriminator(seen, training=True)

    def call(self, inputs, direction="translate", training=False):
        return self.generator(inputs, training=training)

    def modes(self):
        words = "no dropout, and the moving averages of training instead of the image's statistics"
        return {
            "translate": self.converting(
                self._translate,
                *self.generators(),
                channels=self.out_channels,
                options={"deterministic": Option(False, words)},
                is_random=True,
            )
        }

    def _translate(self, images, random=None, deterministic=False):
        """As the authors' test scripts do it; deterministic without random numbers, too."""
        if deterministic or random is None:
            return self.generator(images)
        return self.generator(images, random=random, update_moments=False)

    def preview(self, batch, count):
        """Strips `[M, H, 3 W, C]` of an image, its translation, and the right one."""
        strips = []
        for a, b in zip(batch["a"], batch["b"], strict=True):
            images = [a[None], self.run_mode("translate", [a[None]]), b[None]]
            channels = max(image.shape[-1] for image in images)
            images = [_with_channels(image, channels) for image in images]
            strips.append(ops.concatenate(images, axis=2))
        return ops.concatenate(strips[: max(1, count // 3)])


def _with_channels(images, count: int):
    """Images of another number of channels in grey."""
    if images.shape[-1] == count:
        return images
    return ops.repeat(ops.mean(images, axis=-1, keepdims=True), count, axis=-1)
