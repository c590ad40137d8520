"""What can be done with models that turn latents into styles first: mixing, walking, inversion.

Karras et al. 2019, https://arxiv.org/abs/1812.04948; Karras et al. 2020,
https://arxiv.org/abs/1912.04958.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType

import keras
import numpy as np
import tensorflow as tf

from ganzoo.backends import require_tensorflow
from ganzoo.errors import UserError, choose
from ganzoo.inputs import Option
from ganzoo.latents import BATCH_SIZE, LatentGAN, random_of, seed_tensor
from ganzoo.seeds import Random

NUM_STYLES = 10_000  # drawn for their mean and deviation
FIRST_RATE, WARM_UP, COOL_DOWN = 0.1, 0.05, 0.25  # of the inversion; the latter parts of the steps
NOISE_MODES = ("random", "const", "none")
FIRST_NOISE, NOISE_END = 0.05, 0.75  # on the style, over its deviation; until this part


class StyleGAN(LatentGAN):
    """A GAN whose generator maps latents to styles, one for each of its layers."""

    OPTIONS = MappingProxyType(
        {
            "truncation": Option(1.0, "how much of a style's distance from the mean is kept", 0, 1),
            "cutoff": Option(None, "how many layers are truncated; all of them by default"),
            "noise": Option("const", "random, const or none", choices=NOISE_MODES),
        }
    )

    def require_options(self, truncation=1.0, cutoff=None, noise="const", **others) -> None:
        super().require_options(**others)
        choose("noise", noise, dict.fromkeys(NOISE_MODES))
        if not math.isfinite(truncation):
            raise UserError(
                f"truncation = {truncation}; expected a finite number, 0 to 1 as a rule"
            )
        if cutoff is not None and not 0 <= cutoff <= self.num_styles:
            raise UserError(
                f"cutoff = {cutoff}: the model has {self.num_styles} layers; expected 0 to that"
            )

    @property
    def num_styles(self) -> int:
        """Layers of the generator, each of which has a style."""
        raise NotImplementedError

    def styles(self, latents, labels=None, truncation: float = 1.0, cutoff: int | None = None):
        """Styles `[N, num_styles, style_dim]` of latents `[N, latent_dim]`.

        Args:
            latents: `[N, latent_dim]`.
            labels: classes `[N]`, for conditional models.
            truncation: psi, how much of a style's distance from the mean style is kept.
            cutoff: how many layers, from the coarsest on, are truncated; None means all.
        """
        raise NotImplementedError

    def synthesize(self, styles, noise: str = "const", random: Random | None = None):
        """Images `[N, H, W, C]`, not clipped, of styles `[N, num_styles, style_dim]`.

        Args:
            styles: one for each layer.
            noise: "const" has always the same, "random" draws it, "none" leaves it out.
            random: where it is drawn from; None draws the same at each call.
        """
        raise NotImplementedError

    def call(self, latents, labels=None, training=False, noise="const", random=None, **options):
        styles = self.styles(latents, labels, **options)
        return keras.ops.clip(self.synthesize(styles, noise, random), -1.0, 1.0)

    def draw(self, latents, labels, random, **options):
        return self(latents, labels, random=random, **options)


def images_of(
    model: StyleGAN, styles: tf.Tensor, noise: str = "const", seed: int = 0
) -> np.ndarray:
    """Images of styles: float32 `[N, H, W, C]` in [-1, 1]; arguments as `batches_of`."""
    return np.concatenate([batch.numpy() for batch in batches_of(model, styles, noise, seed)])


def batches_of(
    model: StyleGAN, styles: tf.Tensor, noise: str = "const", seed: int = 0
) -> Iterator[tf.Tensor]:
    """Images of styles, in batches on the device: float32 `[n, H, W, C]` in [-1, 1].

    Args:
        model: whose styles they are.
        styles: `[N, num_styles, style_dim]`.
        noise: as `StyleGAN.synthesize` has it.
        seed: of the noise, where it is random.
    """

    def synthesize(styles, seed, step):
        images = model.synthesize(styles, noise, random_of(seed, step))
        return keras.ops.clip(images, -1.0, 1.0)

    inputs = tf.TensorSpec([None, *styles.shape[1:]])
    draw, seed = model.keep_compiled("synthesize", noise, synthesize, inputs), seed_tensor(seed)
    for step, start in enumerate(range(0, len(styles), BATCH_SIZE)):
        yield draw(styles[start : start + BATCH_SIZE], seed, tf.constant(step))


def mixed(rows: tf.Tensor, columns: tf.Tensor, layers: Sequence[int]) -> tf.Tensor:
    """The styles of each row, with some layers from each column: `[R * K, num_styles, D]`.

    Args:
        rows: styles `[R, num_styles, D]`.
        columns: styles `[K, num_styles, D]`.
        layers: those that come from the columns, from 0, the coarsest, on.
    """
    from_columns = np.isin(np.arange(rows.shape[1]), layers)[:, None]
    sheet = tf.where(from_columns, columns[None], rows[:, None])
    return tf.reshape(sheet, [-1, *rows.shape[1:]])


def walk(points: tf.Tensor, frames: int, spherical: bool) -> tf.Tensor:
    """A closed way through points `[P, ...]`, with so many frames from each to the next.

    Args:
        points: latents `[P, D]`, or styles `[P, num_styles, D]`.
        frames: per point.
        spherical: along great circles, which keeps the length that latents are expected to have;
            else along straight lines.
    """
    steps = []
    for index in range(len(points)):
        start, end = points[index], points[(index + 1) % len(points)]
        for part in np.arange(frames, dtype=np.float32) / frames:
            steps.append(_between(start, end, part) if spherical else start + part * (end - start))
    return tf.stack(steps)


def project(
    model: StyleGAN,
    target: tf.Tensor,
    distance: Callable,
    steps: int = 1000,
    seed: int = 0,
    on_step: Callable[[int, float], None] | None = None,
    label: int = 0,
) -> tf.Tensor:
    """The style that comes closest to an image: Karras et al. 2020 (StyleGAN2), appendix D.

    Unlike there, noise stays constant instead of being fitted, too.

    Args:
        model: any of styles.
        target: the image, `[1, H, W, C]` in [-1, 1], of the model's size.
        distance: `(images, targets) -> [N]`.
        steps: of the optimizer.
        seed: of the noise on the style.
        on_step: called with the number of steps done and the distance.
        label: the class whose mean style the search starts from.

    Returns:
        styles `[1, num_styles, D]`, the same in all layers.

    Raises:
        UserError: for a label that the model does not have, or under another backend.
    """
    require_tensorflow("the search for a style")
    model.condition.require([label])
    random = Random(seed, step=0, scope="project/")
    labels = tf.fill([NUM_STYLES], label)
    drawn = model.styles(model.draw_latents(random, NUM_STYLES), labels)
    count = drawn.shape[1]
    mean = tf.reduce_mean(drawn[:, 0], axis=0, keepdims=True)
    # The root of the mean squared distance from it.
    deviation = tf.sqrt(tf.reduce_mean(tf.reduce_sum(tf.square(drawn[:, 0] - mean), axis=1)))
    style = tf.Variable(mean)
    optimizer = keras.optimizers.Adam(FIRST_RATE)

    @tf.function(autograph=False)
    def step(part, index):
        noise = Random(seed, index, scope="project/").normal("noise", style.shape)
        scale = FIRST_NOISE * deviation * tf.maximum(0.0, 1.0 - part / NOISE_END) ** 2
        with tf.GradientTape() as tape:
            styles = tf.repeat((style + scale * noise)[:, None], count, axis=1)
            loss = tf.reduce_mean(distance(model.synthesize(styles), target))
        optimizer.apply_gradients([(tape.gradient(loss, style), style)])
        return loss

    optimizer.build([style])
    for index in range(steps):
        part = index / steps
        ramp = min(1.0, (1.0 - part) / COOL_DOWN)
        ramp = 0.5 - 0.5 * math.cos(ramp * math.pi)
        optimizer.learning_rate = FIRST_RATE * ramp * min(1.0, part / WARM_UP)
        loss = step(tf.constant(part, tf.float32), tf.constant(index))
        if on_step is not None:
            on_step(index + 1, float(loss))
    return tf.repeat(tf.convert_to_tensor(style)[:, None], count, axis=1)


def _between(start: tf.Tensor, end: tf.Tensor, part: float) -> tf.Tensor:
    """A point on the great circle through two latents, with lengths in between theirs."""
    lengths = tf.norm(start), tf.norm(end)
    cosine = tf.tensordot(start, end, 1) / (lengths[0] * lengths[1])
    angle = tf.acos(tf.clip_by_value(cosine, -1.0, 1.0))
    if angle < 1e-4:
        return start + part * (end - start)
    sines = tf.sin((1.0 - part) * angle), tf.sin(part * angle)
    direction = (sines[0] * start / lengths[0] + sines[1] * end / lengths[1]) / tf.sin(angle)
    return direction * (lengths[0] + part * (lengths[1] - lengths[0]))
