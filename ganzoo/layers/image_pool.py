"""A pool of earlier generated images, so that a discriminator does not forget them."""

import keras
from keras import ops


class ImagePool(keras.layers.Layer):
    """A history of generated images (Shrivastava et al. 2017, section 2.3; the rule of CycleGAN).

    https://arxiv.org/abs/1612.07828

    Until the pool is full it keeps every image and returns it. From then on, with probability 1/2,
    it returns an old image and keeps the new one in its place, or else returns the new one.

    `query` only reads, and may be compiled by XLA; `store` writes, and is given the images of all
    replicas, so that the pools of all replicas stay equal. Every example of a batch meets the pool
    as it was before the batch: one that was not full gives none of its images, and what finds no
    free slot is not kept; two examples may be given the same old image, and the later one of them
    is kept. For batches of one image, CycleGAN's, none of this matters.

    Args:
        size: how many images are kept; 0 returns all images as they come.
    """

    def __init__(self, size: int, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def build(self, input_shape):
        if self.size:
            self.images = self._state("images", (self.size, *input_shape[1:]), "float32")
            self.filled = self._state("filled", (), "int32")

    def _state(self, name, shape, dtype):
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer="zeros",
            trainable=False,
            autocast=False,
        )

    def query(self, fakes, random, stream: str):
        """What the discriminator is shown in place of the generator's latest images.

        Args:
            fakes: this replica's new images, `[N, H, W, C]`, float32.
            random: this replica's random numbers (`ganzoo.seeds.Random`).
            stream: a name for those that are used here.

        Returns:
            The images to show, `[N, H, W, C]`, and for each of `fakes` the slot that it is to be
            stored in, int32 `[N]`, -1 for none.
        """
        count = fakes.shape[0]
        if not self.size:
            return fakes, ops.full((count,), -1, dtype="int32")
        # Free slots are taken in the order of the global batch, of which this is a slice.
        free = self.filled + random.replica * count + ops.arange(count, dtype="int32")
        drawn = random.integers(f"{stream}/slot", [count], self.size)
        exchanged = ops.logical_and(
            ops.equal(self.filled, self.size), random.uniform(f"{stream}/exchange", [count]) < 0.5
        )
        kept = ops.where(free < self.size, free, -1)
        slots = ops.where(exchanged, drawn, kept)
        old = ops.take(self.images, drawn, axis=0)
        return ops.where(exchanged[:, None, None, None], old, fakes), slots

    def store(self, fakes, slots):
        """Keeps the images of all replicas, `[M, H, W, C]`, in the slots, `[M]`, of `query`."""
        if not self.size:
            return
        count = fakes.shape[0]
        order = ops.arange(count, dtype="int32")
        chosen = ops.equal(slots, ops.arange(self.size, dtype="int32")[:, None])  # [size, M]
        last = ops.max(ops.where(chosen, order, -1), axis=1)
        new = ops.take(fakes, ops.maximum(last, 0), axis=0)
        self.images.assign(ops.where((last >= 0)[:, None, None, None], new, self.images))
        self.filled.assign(ops.minimum(self.filled + count, self.size))
