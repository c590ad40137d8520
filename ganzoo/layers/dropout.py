"""Dropout and noise whose random numbers are given, as those of everything else are."""

from keras import ops


def dropout(x, rate: float, random, stream: str):
    """Sets values to 0 with the probability `rate`, and divides the others by 1 - rate.

    Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html, scaled in training
    instead of inference. Shapes: `[N, ...] -> [N, ...]`.

    Args:
        x: features.
        rate: in [0, 1).
        random: a `ganzoo.seeds.Random`; None leaves `x` as it is.
        stream: of the random numbers, its own for each layer of a network.
    """
    if random is None or not rate:
        return x
    numbers = ops.convert_to_tensor(random.uniform(stream, ops.shape(x)))
    return ops.where(numbers >= rate, x / (1.0 - rate), 0.0)


def gaussian_noise(x, deviation: float, random, stream: str):
    """Adds normally distributed numbers of this standard deviation: `[N, ...] -> [N, ...]`; other
    arguments as in `dropout`."""
    if random is None or not deviation:
        return x
    noise = ops.convert_to_tensor(random.normal(stream, ops.shape(x)))
    return x + ops.cast(deviation * noise, x.dtype)
