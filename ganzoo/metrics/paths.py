"""Perceptual path length: how much an image changes along a small step of its latents.

Karras et al. 2019, https://arxiv.org/abs/1812.04948, section 4.1, as the code of StyleGAN2-ADA
measures it.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ganzoo import devices
from ganzoo.latents import BATCH_SIZE
from ganzoo.seeds import Random
from ganzoo.styles import StyleGAN

EPSILON = 1e-4  # the step, as a part of the path
LARGEST = 256  # pixels; larger images are reduced by what makes a whole one this large


def path_distances(
    model: StyleGAN,
    distance: Callable,
    count: int,
    space: str,
    sampling: str,
    crop: bool = False,
    seed: int = 0,
    strategy: tf.distribute.Strategy | None = None,
) -> np.ndarray:
    """d(G(t), G(t + e)) / e^2 for random paths: `[count]`, float32.

    Args:
        model: with random classes, if it is conditional.
        distance: of images `[N, H, W, C]` in [-1, 1]: `(images, others) -> [N]`.
        count: of paths.
        space: "z" walks along great circles between latents, "w" straight between styles.
        sampling: "full" for steps anywhere on the paths, "end" for steps at their begin.
        crop: compare the middle of a face only.
        seed: of paths, classes, and noise, which is the same at both ends of a step.
        strategy: whose replicas measure a batch each; None for the current device.
    """

    def measure(step):
        random = Random(seed, step[0], scope="path/")
        return (_distances(model, distance, random, space, sampling, crop),)

    measure = devices.run_on_replicas(strategy, measure)
    replicas = 1 if strategy is None else strategy.num_replicas_in_sync
    starts = range(0, -(-count // BATCH_SIZE), replicas)
    found = [measure(tf.range(replicas) + start)[0].numpy() for start in starts]
    return np.concatenate(found)[:count]


def path_length(distances: np.ndarray) -> float:
    """The mean of distances `[N]` without those outside the 1st and the 99th percentile."""
    low = np.percentile(distances, 1, method="lower")
    high = np.percentile(distances, 99, method="higher")
    return float(np.mean(distances[(distances >= low) & (distances <= high)], dtype=np.float64))


def _distances(model, distance, random: Random, space: str, sampling: str, crop: bool):
    latents = model.draw_latents(random, 2 * BATCH_SIZE)
    labels = random.integers("labels", [BATCH_SIZE], max(model.num_classes, 1))
    place = random.uniform("place", [BATCH_SIZE, 1])
    place = tf.zeros_like(place) if sampling == "end" else place
    if space == "w":
        first, second = tf.split(model.styles(latents, tf.tile(labels, [2])), 2)
        ends = [first + (second - first) * t[..., None] for t in (place, place + EPSILON)]
    else:
        points = tf.split(latents, 2)
        ends = [model.styles(_slerp(*points, t), labels) for t in (place, place + EPSILON)]
    # Drawn twice from the same place, hence with the same noise.
    images = [_prepared(model.synthesize(end, "random", random), crop) for end in ends]
    return distance(*images) / EPSILON**2


def _prepared(images: tf.Tensor, crop: bool) -> tf.Tensor:
    factor = images.shape[1] // LARGEST  # also of cropped ones, which get smaller than that
    if crop:
        eighth = images.shape[1] // 8
        images = images[:, 3 * eighth : 7 * eighth, 2 * eighth : 6 * eighth]
    return tf.nn.avg_pool2d(images, factor, factor, "VALID") if factor > 1 else images


def _slerp(start: tf.Tensor, end: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    """On the great circle through two directions, of length 1: `[N, D]`."""
    start, end = (tf.math.l2_normalize(x, axis=-1) for x in (start, end))
    cosine = tf.reduce_sum(start * end, axis=-1, keepdims=True)
    angle = part * tf.acos(cosine)
    side = tf.math.l2_normalize(end - cosine * start, axis=-1)
    return tf.math.l2_normalize(start * tf.cos(angle) + side * tf.sin(angle), axis=-1)
