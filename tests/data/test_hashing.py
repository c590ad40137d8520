import numpy as np
import pytest

from ganzoo.data.hashing import hash64, permute


def _order(size, key):
    return permute(np.arange(size), size, np.repeat(hash64(key), size))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 17, 1000, 4096, 50_000])
def test_permutation_is_a_bijection(size):
    for key in range(3):
        assert np.array_equal(np.sort(_order(size, key)), np.arange(size))


def test_permutation_is_well_mixed():
    size = 10_000
    order, other = _order(size, 0), _order(size, 1)
    for values in (order, other[np.argsort(order)]):
        assert abs(np.corrcoef(np.arange(size), values)[0, 1]) < 0.04  # four standard errors
        assert (values == np.arange(size)).sum() < 10  # one fixed point is expected
        steps = np.diff(values)
        assert abs((steps > 0).mean() - 0.5) < 0.02
    assert np.bincount(order[:1000] // 1000, minlength=10).min() > 60  # the start is a fair sample


def test_every_order_of_a_small_set_is_equally_likely():
    keys = np.repeat(hash64(np.arange(6000)), 3)
    orders = permute(np.tile(np.arange(3), 6000), 3, keys).reshape(-1, 3)
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6
    assert abs(counts - 1000).max() < 150


def test_one_call_can_mix_keys():
    keys = hash64(np.array([0] * 9 + [1] * 9))
    both = permute(np.tile(np.arange(9), 2), 9, keys)
    assert np.array_equal(both, np.concatenate([_order(9, 0), _order(9, 1)]))


def test_hash_is_the_same_everywhere_and_uses_every_part():
    assert hash64(1, 2, np.arange(2)).tolist() == [9233991763900458559, 5193809491884537434]
    assert len({int(hash64(*parts)[0]) for parts in [(0,), (0, 0), (0, 1), (1, 0), (-1, 0)]}) == 5
    bits = (hash64(7, np.arange(20_000))[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert abs(bits.mean(axis=0) - 0.5).max() < 0.02
