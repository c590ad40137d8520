"""Maxout: the largest of several linear functions."""

from keras import ops


def maxout(x, pieces: int):
    """The largest of every `pieces` consecutive features: `[N, U * pieces] -> [N, U]`.

    After a dense layer these are the units of Goodfellow et al. 2013, section 3,
    https://arxiv.org/abs/1302.4389.
    """
    return ops.max(ops.reshape(x, (-1, x.shape[-1] // pieces, pieces)), axis=-1)
