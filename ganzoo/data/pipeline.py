"""Endless batches as a pure function of (seed, step).

Batches are slices of a stream of examples, so that any step can be computed without the ones before
it, and replicas take parts of the same batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ganzoo.data.sources import Column
from ganzoo.data.streams import ExampleStream
from ganzoo.errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf


def batches(
    stream: ExampleStream,
    *,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    num_replicas: int = 1,
    first_replica: int = 0,
    local_replicas: int | None = None,
) -> tf.data.Dataset:
    """Endless dictionaries of the stream's columns, converted by their roles.

    Images are float32 `[b, H, W, C]` in [-1, 1], masks float32 `[b, H, W, 1]` of 0 and 1, classes
    int32 `[b]`, attributes and embeddings float32 `[b, K]`, texts strings `[b, K]`.

    Args:
        stream: what to draw from; an epoch may have fewer than `batch_size` examples.
        batch_size: images per step over all replicas; `b` is `batch_size / num_replicas`.
        seed: decides the order and all that is random about an example.
        start_step: the first step to deliver, at no cost.
        num_replicas: over all workers.
        first_replica: the first one of this worker.
        local_replicas: how many this worker has; None for all. Their parts of a step follow
            each other in the data set.

    Raises:
        UserError: when the replicas cannot share a batch equally.
    """
    require_divisible(batch_size, num_replicas)
    local = num_replicas if local_replicas is None else local_replicas
    part, columns = batch_size // num_replicas, stream.columns

    def read(count: np.ndarray) -> list[np.ndarray]:
        step, replica = divmod(int(count), local)
        start = step * batch_size + (first_replica + replica) * part
        examples = stream.read(seed, start, part)
        return [examples[name] for name in columns]

    return _dataset(read, start_step * local, part, columns)


def require_divisible(batch_size: int, num_replicas: int, microbatch: int = 1) -> None:
    """Raises UserError, with the nearest sizes, unless the replicas can share a batch equally, each
    in `microbatch` parts."""
    parts = num_replicas * microbatch
    below = batch_size // parts * parts
    if below != batch_size or not batch_size:
        nearest = [str(size) for size in (below, below + parts) if size]
        of_each = f", in {microbatch} parts each (config.microbatch)" if microbatch > 1 else ""
        raise UserError(
            f"A batch of {batch_size} images cannot be shared equally by {num_replicas} "
            f"replicas{of_each}. The nearest batch size is {' or '.join(nearest)}."
        )


def _dataset(
    read: Callable, start: int, size: int, columns: Mapping[str, Column]
) -> tf.data.Dataset:
    import tensorflow as tf

    types = [tf.as_dtype(np.dtype(column.dtype)) for column in columns.values()]

    def load(count: tf.Tensor) -> dict[str, tf.Tensor]:
        arrays = tf.numpy_function(read, [count], types)
        found = {}
        for (name, column), array in zip(columns.items(), arrays, strict=True):
            found[name] = convert(tf.ensure_shape(array, (size, *column.shape)), column.role)
        return found

    def convert(array: tf.Tensor, role: str) -> tf.Tensor:
        if role == "image":
            return tf.cast(array, tf.float32) / 127.5 - 1.0
        return tf.cast(array, tf.float32) if role == "mask" else array

    options = tf.data.Options()
    options.deterministic = True
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    numbers = tf.data.Dataset.counter(start)
    parallel = numbers.map(load, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    return parallel.prefetch(tf.data.AUTOTUNE).with_options(options)
