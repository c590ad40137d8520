"""Endless batches as a pure function of (seed, step).

Training sees one long line of examples; example `p` is number `p mod N` of a fresh permutation
in epoch `p // N`, mirrored if a hash of `p` says so. Batches are slices of that line, so that
any step can be computed without the ones before it, and replicas take parts of the same batch.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from ganzoo.data.hashing import hash64, permute
from ganzoo.data.source import Source
from ganzoo.errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf

_ORDER, _FLIP = range(2)  # streams of random numbers


@dataclasses.dataclass(frozen=True)
class Line:
    """The endless line of examples that one seed draws from a source."""

    source: Source
    seed: int
    shuffle: bool = True
    flip: bool = False

    def read(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Examples `start` to `start + count`: uint8 `[count, H, W, C]`, int32 labels."""
        positions = np.arange(start, start + count, dtype=np.int64)
        images, labels = self.source.read(self.indices(positions))
        if self.flip:
            mirrored = (hash64(self.seed, _FLIP, positions) & np.uint64(1)).astype(bool)
            images[mirrored] = images[mirrored, :, ::-1]
        return images, labels

    def indices(self, positions: np.ndarray) -> np.ndarray:
        """Which example of the source stands at each position: int64 `[n]`."""
        epoch, index = np.divmod(positions, len(self.source))
        if not self.shuffle:
            return index
        return permute(index, len(self.source), hash64(self.seed, _ORDER, epoch))


def batches(
    source: Source,
    *,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    flip: bool = False,
    shuffle: bool = True,
    num_replicas: int = 1,
    first_replica: int = 0,
    local_replicas: int | None = None,
) -> tf.data.Dataset:
    """Endless `{"image": float32 [b, H, W, C] in [-1, 1], "label": int32 [b]}`, static shapes.

    Args:
        source: what to draw from; it may hold fewer than `batch_size` images.
        batch_size: images per step over all replicas; `b` is `batch_size / num_replicas`.
        seed: decides the order and the flips.
        start_step: the first step to deliver, at no cost.
        flip: mirror half of the images, different ones in each epoch.
        shuffle: a new order in each epoch; False for the order of the source.
        num_replicas: over all workers.
        first_replica: the first one of this worker.
        local_replicas: how many this worker has; None for all. Their parts of a step follow
            each other in the data set.

    Raises:
        UserError: when the replicas cannot share a batch equally.
    """
    require_divisible(batch_size, num_replicas)
    local = num_replicas if local_replicas is None else local_replicas
    line, part = Line(source, seed, shuffle, flip), batch_size // num_replicas

    def read(count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        step, replica = divmod(int(count), local)
        return line.read(step * batch_size + (first_replica + replica) * part, part)

    shape = (part, source.image_size, source.image_size, source.channels)
    return _dataset(read, start_step * local, shape)


def require_divisible(batch_size: int, num_replicas: int) -> None:
    """Raises UserError, with the nearest sizes, unless the replicas can share a batch equally."""
    below = batch_size // num_replicas * num_replicas
    if below != batch_size or not batch_size:
        nearest = [str(size) for size in (below, below + num_replicas) if size]
        raise UserError(
            f"A batch of {batch_size} images cannot be shared equally by {num_replicas} "
            f"replicas. The nearest batch size is {' or '.join(nearest)}."
        )


def _dataset(read, start: int, shape: tuple[int, ...]) -> tf.data.Dataset:
    import tensorflow as tf

    def load(count: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels, labels = tf.numpy_function(read, [count], (tf.uint8, tf.int32))
        image = tf.cast(tf.ensure_shape(pixels, shape), tf.float32) / 127.5 - 1.0
        return {"image": image, "label": tf.ensure_shape(labels, shape[:1])}

    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    numbers = tf.data.Dataset.counter(start)
    parallel = numbers.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return parallel.prefetch(tf.data.AUTOTUNE).with_options(options)
