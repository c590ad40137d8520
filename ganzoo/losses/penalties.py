"""Penalties on gradients, of the discriminator and of the generator, and on weights."""

from collections.abc import Callable

import tensorflow as tf


def r1(discriminate: Callable, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """|grad_x D(x)|^2 / 2 for each image x: Mescheder et al. 2018, eq. 9, before its gamma.

    https://arxiv.org/abs/1801.04406

    Args:
        discriminate: from images to logits `[N, 1]`.
        images: `[N, H, W, C]`, real ones; generated ones for R2, eq. 10.

    Returns:
        the penalties `[N]` and the logits `[N, 1]`.
    """
    squared_slopes, logits = _squared_slopes(discriminate, images)
    return squared_slopes / 2.0, logits


def slope_of_one(
    discriminate: Callable, real: tf.Tensor, fake: tf.Tensor, mix: tf.Tensor
) -> tf.Tensor:
    """(|grad_x D(x)| - 1)^2 at images x between real and generated ones: Gulrajani et al. 2017,
    eq. 3, before its lambda.

    https://arxiv.org/abs/1704.00028

    Args:
        discriminate: from images to logits `[N, 1]`, each of its image alone.
        real: images `[N, H, W, C]`.
        fake: generated ones.
        mix: how far x is from real to generated, `[N, 1, 1, 1]`, uniformly between 0 and 1.

    Returns:
        the penalties `[N]`.
    """
    squared_slopes, _ = _squared_slopes(discriminate, real + mix * (fake - real))
    # The root has no derivative at 0.
    return tf.square(tf.sqrt(squared_slopes + 1e-12) - 1.0)


def _squared_slopes(discriminate: Callable, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """|grad_x D(x)|^2 of each image, `[N]`, and its logits."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = discriminate(images)
        total = tf.reduce_sum(logits)
    gradients = tape.gradient(total, images)
    return tf.reduce_sum(tf.square(gradients), axis=[1, 2, 3]), logits


def orthogonality(kernel: tf.Tensor) -> tf.Tensor:
    """|W W^T * (1 - I)|^2, a scalar: Brock et al. 2019, eq. 3, before its beta.

    https://arxiv.org/abs/1809.11096

    Args:
        kernel: of a layer, `[..., inputs, outputs]`; W has a row for each output.
    """
    matrix = tf.reshape(kernel, [-1, kernel.shape[-1]])
    products = tf.matmul(matrix, matrix, transpose_a=True)
    return tf.reduce_sum(tf.square(tf.linalg.set_diag(products, tf.zeros(products.shape[:1]))))


def path_lengths(synthesize: Callable, styles: tf.Tensor, noise: tf.Tensor) -> tf.Tensor:
    """How far images move for a step of the styles: Karras et al. 2020, eq. 4.

    https://arxiv.org/abs/1912.04958

    Args:
        synthesize: from styles to images `[N, H, W, C]`.
        styles: `[N, L, D]`, for L layers.
        noise: of the standard normal distribution, `[N, H, W, C]`.

    Returns:
        the root of the squared length of J^T y, averaged over layers, `[N]`, with y the noise over
        the root of the number of pixels.
    """
    _, height, width, _ = noise.shape
    with tf.GradientTape() as tape:
        tape.watch(styles)
        total = tf.reduce_sum(synthesize(styles) * noise) / (height * width) ** 0.5
    gradients = tape.gradient(total, styles)
    return tf.sqrt(tf.reduce_mean(tf.reduce_sum(tf.square(gradients), axis=2), axis=1))
