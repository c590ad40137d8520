"""Random numbers as a pure function of integers: the same on every machine, in any order."""

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def hash64(*parts: int | np.ndarray) -> np.ndarray:
    """Hash integers, broadcast against each other, to uint64 (at least one-dimensional).

    One round of splitmix64 (Steele et al., OOPSLA 2014) per part; order matters.
    """
    state = np.zeros(1, np.uint64)
    for part in parts:
        state = _mix((state + _GAMMA) ^ np.asarray(part).astype(np.uint64))
    return state


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def permute(index: np.ndarray, size: int, key: np.ndarray) -> np.ndarray:
    """Where a pseudo-random permutation of `range(size)` sends `index`, in constant time.

    Args:
        index: int64 `[n]` in `[0, size)`.
        size: how many numbers are permuted.
        key: uint64 `[n]`; each key chooses a permutation.

    Returns:
        int64 `[n]` in `[0, size)`; a bijection for each key.

    A Feistel network permutes the next even power of two, and walking its cycles until they
    come back below `size` restricts it to `range(size)` (Black and Rogaway, CT-RSA 2002).
    """
    # Fewer than four bits leave the network too few permutations to choose from.
    half_bits = max(2, ((size - 1).bit_length() + 1) // 2)
    out = _feistel(index.astype(np.uint64), key, half_bits)
    while (outside := out >= size).any():
        out[outside] = _feistel(out[outside], key[outside], half_bits)
    return out.astype(np.int64)


def _feistel(x: np.ndarray, key: np.ndarray, half_bits: int, rounds: int = 6) -> np.ndarray:
    bits, mask = np.uint64(half_bits), np.uint64((1 << half_bits) - 1)
    left, right = x >> bits, x & mask
    for i in range(rounds):
        left, right = right, left ^ (hash64(key, i, right) & mask)
    return (left << bits) | right
