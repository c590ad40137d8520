"""Features of images, real or just drawn, which stay on the devices from latents to features."""

import collections
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from ganzoo import data, devices
from ganzoo.errors import UserError
from ganzoo.latents import BATCH_SIZE, LatentGAN, random_of
from ganzoo.metrics import FeatureNetwork

Features = Iterator[tuple[tf.Tensor, tf.Tensor | None]]


class Extractor:
    """Features of a network, a batch at a time on each replica.

    Batches are those of one device, whatever the number of replicas, hence also the results.

    Args:
        network: that looks at images.
        strategy: whose replicas work; None for the current device.
    """

    def __init__(self, network: FeatureNetwork, strategy: tf.distribute.Strategy | None = None):
        self.network, self.strategy = network, strategy
        self.replicas = 1 if strategy is None else strategy.num_replicas_in_sync
        self._looking = devices.run_on_replicas(strategy, network)
        self._drawing = (None, None)

    def of_source(
        self, source: data.Source, indices: np.ndarray, convert: Callable | None = None
    ) -> Features:
        """Features `[n, D]` and probabilities `[n, K]` or None of images, in batches.

        Args:
            source: of the images.
            indices: of those to take.
            convert: what becomes of a batch first, from uint8 `[N, H, W, C]` to the same.
        """

        def look(_, chosen):
            images = source.read(chosen)["image"]
            return self._looking(images if convert is None else convert(images))

        return self._batches(look, indices)

    def of_model(self, model: LatentGAN, latents, labels, seed: int, **options) -> Features:
        """Likewise of the images that a model draws.

        Args:
            model: may be in training.
            latents: `[N, latent_dim]`.
            labels: classes `[N]`.
            seed: of anything random that is not in the latents.
            **options: of the model, see its `OPTIONS`.

        Raises:
            UserError: when images are not finite.
        """
        draw, seeds = self._compiled(model, **options), np.full(len(latents), seed, np.int64)
        for finite, *features in self._batches(draw, latents, labels, seeds):
            if not np.all(finite):
                raise UserError(
                    "The model makes images that are not finite numbers: its training failed. Take"
                    " an earlier checkpoint, or the run's folder best."
                )
            yield features

    def _batches(self, compute: Callable, *columns) -> Iterator:
        """What is computed of the numbers of batches, one for each replica, and of their rows."""
        count, size = len(columns[0]), BATCH_SIZE * self.replicas
        waiting = collections.deque()
        for start in range(0, count, size):
            rows = [_padded(column[start : start + size], size) for column in columns]
            steps = tf.range(self.replicas) + start // BATCH_SIZE
            left = count - start
            results = compute(steps, *rows)
            waiting.append([None if value is None else value[:left] for value in results])
            if len(waiting) > 1:  # the next batch is under way while this one is looked at
                yield waiting.popleft()
        yield from waiting

    def _compiled(self, model: LatentGAN, **options) -> Callable:
        """Kept for the next time that a model in training is measured."""
        key = (id(model), *sorted(options.items()))
        if self._drawing[0] != key:

            def draw(step, latents, labels, seeds):
                random = random_of(seeds[0], step[0])
                images = model.draw(latents, labels, random, **options)
                finite = tf.reduce_all(tf.math.is_finite(images), axis=(1, 2, 3))
                return finite, *self.network(_pixels(images))

            self._drawing = key, devices.run_on_replicas(self.strategy, draw)
        return self._drawing[1]


def _padded(rows, size: int):
    """To batches of one shape, compiled once; what is added repeats the first row."""
    missing = size - len(rows)
    return rows if not missing else np.concatenate([rows, np.repeat(rows[:1], missing, axis=0)])


def _pixels(images: tf.Tensor) -> tf.Tensor:
    """As `images.to_uint8` does it, on the device."""
    return tf.cast(tf.clip_by_value(images * 127.5 + 128.0, 0.0, 255.0), tf.uint8)
