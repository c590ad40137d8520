"""Random numbers that are a pure function of (run seed, stream, step).

They are the same under XLA and on any number of replicas. TensorFlow's own float generators give
other numbers when XLA compiles them, and `keras.random` gives every replica the same ones. Here
only the integer bits come from TensorFlow (Philox, equal everywhere); floats are made of them, for
the global batch, of which each replica takes its slice.
"""

from __future__ import annotations

import dataclasses
import functools
import zlib
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from ganzoo.errors import UserError

_SCRAMBLER = np.array([0x02461E293EC8F720], np.uint64)  # TensorFlow's key for scrambling seeds
_UPPER = np.array([0, 1], np.uint64)


@dataclasses.dataclass(frozen=True)
class Random:
    """The random numbers of one replica at one step.

    Every method takes the name of a stream and the shape of this replica's share, `[N, ...]`. The
    same stream asked twice gives the same numbers twice; two streams are independent.

    Args:
        seed: the run's seed, 0 to 2**31 - 1, an integer or an int64 scalar tensor.
        step: the training step, an integer or a scalar tensor.
        replica: which of the replicas this is, an integer or a scalar tensor.
        num_replicas: how many replicas share the global batch.
        scope: prefix of every stream name; the engine gives each update its own.
    """

    seed: int | tf.Tensor
    step: int | tf.Tensor
    replica: int | tf.Tensor = 0
    num_replicas: int = 1
    scope: str = ""

    def __post_init__(self) -> None:
        if not tf.is_tensor(self.seed) and not 0 <= self.seed < 2**31:
            raise UserError(f"seed {self.seed}: expected an integer from 0 to 2**31 - 1")

    def uniform(self, stream: str, shape: Sequence[int], low=0.0, high=1.0) -> tf.Tensor:
        """Float32 numbers in the open interval (low, high)."""
        # 23 bits and a half: never 0 or 1, so that logarithms and quantiles stay finite.
        mantissa = tf.cast(tf.bitwise.right_shift(self._bits(stream, shape), 9), tf.float32)
        numbers = (mantissa + 0.5) * 2.0**-23
        return numbers if (low, high) == (0.0, 1.0) else low + (high - low) * numbers

    def normal(self, stream: str, shape: Sequence[int]) -> tf.Tensor:
        """Float32 numbers of the standard normal distribution (by its quantile function)."""
        return tf.math.ndtri(self.uniform(stream, shape))

    def integers(self, stream: str, shape: Sequence[int], high: int) -> tf.Tensor:
        """Int32 numbers, uniform over 0 to high - 1."""
        return tf.cast(self.uniform(stream, shape) * high, tf.int32)

    def scoped(self, name: str) -> Random:
        """The random numbers of a part of the computation, which may reuse names of streams."""
        return dataclasses.replace(self, scope=f"{self.scope}{name}/")

    def of_step(self, name: str) -> Random:
        """The random numbers of what several updates of a step have in common, which draw the same
        ones under the same name."""
        return dataclasses.replace(self, scope=f"step/{name}/")

    def shared(self) -> Random:
        """Numbers that are the same on all replicas: of what is drawn once for the whole batch."""
        return dataclasses.replace(self, replica=0, num_replicas=1)

    def _bits(self, stream: str, shape: Sequence[int]) -> tf.Tensor:
        local, *rest = shape
        name = f"{self.scope}{stream}"
        key = self.seed * 2**32 + zlib.crc32(name.encode())
        seed = tf.stack([tf.convert_to_tensor(key, tf.int64), tf.cast(self.step, tf.int64)])
        bits = _philox(seed, [local * self.num_replicas, *rest])
        if self.num_replicas == 1:
            return bits
        return tf.slice(bits, [self.replica * local, *[0 for _ in rest]], [local, *rest])


def _philox(seed: tf.Tensor, shape: Sequence[int]) -> tf.Tensor:
    """The bits of `tf.random.stateless_uniform` with this algorithm, uint32 of any shape.

    In a third of its operations: of many small draws most of a step's tracing would be for them.
    """
    draw = functools.partial(
        tf.raw_ops.StatelessRandomUniformFullIntV2,
        alg=tf.random.Algorithm.PHILOX.value,
        dtype=tf.uint32,
    )
    # The seed is scrambled to a key and the upper half of the counter, whose lower half is 0.
    mixed = draw(shape=[2, 2], key=_SCRAMBLER, counter=tf.cast(seed, tf.uint64))
    key_and_counter = tf.bitcast(mixed, tf.uint64)
    key, counter = tf.slice(key_and_counter, [0], [1]), key_and_counter * _UPPER
    return draw(shape=shape, key=key, counter=counter)
