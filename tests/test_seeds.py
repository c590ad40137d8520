import numpy as np
import pytest
import tensorflow as tf

from ganzoo.errors import UserError
from ganzoo.seeds import Random, _philox

MANY = 100_000


def draw(random):
    return (
        random.uniform("a", [6, 2]),
        random.normal("b", [6, 2]),
        random.integers("c", [6], 10),
    )


def gap_to_quantiles(sample, expected):
    """The largest difference between empirical and expected values of a distribution function.

    Args:
        sample: numbers drawn.
        expected: the distribution function at the sorted numbers.
    """
    return np.abs((np.arange(sample.size) + 0.5) / sample.size - expected).max()


@pytest.mark.parametrize("jit", [False, True])
def test_eager_graph_and_xla_draw_the_same(jit):
    @tf.function(jit_compile=jit, autograph=False)
    def compiled(step, replica):
        return draw(Random(3, step, replica, num_replicas=2))

    uniform, normal, integers = compiled(tf.constant(5, tf.int64), tf.constant(1))
    expected = draw(Random(3, 5, 1, num_replicas=2))
    np.testing.assert_array_equal(uniform, expected[0])
    np.testing.assert_allclose(normal, expected[1], atol=1e-4)
    np.testing.assert_array_equal(integers, expected[2])


def test_a_seed_may_be_a_tensor():
    for seed in (0, 7, 2**31 - 1):
        given = draw(Random(tf.constant(seed, tf.int64), 5))
        for ours, expected in zip(given, draw(Random(seed, 5)), strict=True):
            np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("method", ["uniform", "normal", "integers"])
def test_replicas_share_the_draw_of_one(method):
    def share(replica, num_replicas):
        random = Random(1, 2, replica, num_replicas)
        shape = [12 // num_replicas, 3]
        return getattr(random, method)("z", shape, *([5] if method == "integers" else []))

    for count in (2, 3):
        parts = [share(replica, count) for replica in range(count)]
        # The quantile function rounds by the length of the vector it is given.
        rounding = 1e-6 if method == "normal" else 0
        np.testing.assert_allclose(np.concatenate(parts), share(0, 1), rtol=rounding)


def test_every_part_of_the_key_decides():
    draws = [
        random.uniform(stream, [MANY]).numpy()
        for random, stream in [
            (Random(0, 0), "a"),
            (Random(1, 0), "a"),
            (Random(0, 1), "a"),
            (Random(1, 1), "a"),
            (Random(0, 0), "b"),
            (Random(0, 0, scope="1/"), "a"),
            (Random(2**31 - 1, 0), "a"),
        ]
    ]
    correlations = np.corrcoef(draws)[~np.eye(len(draws), dtype=bool)]
    assert abs(correlations).max() < 5 / MANY**0.5  # five standard errors


def test_updates_of_a_step_may_draw_the_same():
    one, other = (Random(1, 2, scope=f"{update}/") for update in (0, 1))
    for left, right in zip(draw(one.of_step("c")), draw(other.of_step("c")), strict=True):
        np.testing.assert_array_equal(left, right)
    others = one, one.of_step("d"), Random(1, 3).of_step("c"), Random(1, 2, 1, 2).of_step("c")
    for random in others:
        assert np.abs(draw(random)[0] - draw(one.of_step("c"))[0]).max() > 0


def test_the_same_key_gives_the_same_numbers():
    first, second = (Random(4, 7, scope="0/").normal("z", [5]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_uniform_numbers_are_uniform():
    sample = np.sort(Random(0, 0).uniform("u", [MANY], -2.0, 6.0))
    assert gap_to_quantiles(sample, (sample + 2.0) / 8.0) < 1.95 / MANY**0.5  # p = 0.001
    assert sample.dtype == np.float32


def test_normal_numbers_are_normal():
    sample = np.sort(Random(0, 0).normal("n", [MANY]).numpy().astype(np.float64))
    expected = 0.5 + 0.5 * tf.math.erf(sample / 2**0.5).numpy()
    assert gap_to_quantiles(sample, expected) < 1.95 / MANY**0.5
    assert sample.mean() == pytest.approx(0.0, abs=0.015)
    assert sample.std() == pytest.approx(1.0, abs=0.01)
    assert np.mean(sample**4) == pytest.approx(3.0, abs=0.15)


def test_neighbors_are_independent():
    sample = Random(0, 0).uniform("u", [MANY]).numpy()
    for lag in (1, 2, 64):
        assert abs(np.corrcoef(sample[lag:], sample[:-lag])[0, 1]) < 5 / MANY**0.5


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_beyond_its_bits_is_refused(seed):
    with pytest.raises(UserError, match=rf"seed {seed}: expected an integer from 0 to 2\*\*31 - 1"):
        Random(seed, 0)


@pytest.mark.parametrize("high", [1, 2, 3, 10, 1000])
def test_integers_are_uniform_and_below_the_bound(high):
    sample = Random(0, 0).integers("i", [MANY], high).numpy()
    assert sample.dtype == np.int32
    assert sample.min() >= 0 and sample.max() < high
    expected = MANY / high
    chi_square = np.sum((np.bincount(sample, minlength=high) - expected) ** 2) / expected
    assert chi_square <= high - 1 + 5 * (2 * (high - 1)) ** 0.5


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("shape", [[], [7], [1000, 3]])
def test_the_bits_are_those_of_tensorflow(shape, jit):
    draw = tf.function(_philox, jit_compile=jit, autograph=False)
    for seed in ([0, 0], [-3, 5], [(2**31 - 1) << 32, 2**40]):
        seed = tf.constant(seed, tf.int64)
        expected = tf.random.stateless_uniform(shape, seed, None, None, tf.uint32, alg="philox")
        np.testing.assert_array_equal(draw(seed, shape), expected)


def test_the_rarest_bits_stay_inside(monkeypatch):
    """All zeros or all ones come once in four billion draws; an infinite latent would end a run."""
    extremes = tf.constant([0, 2**32 - 1], tf.uint32)
    monkeypatch.setattr(Random, "_bits", lambda self, stream, shape: extremes)
    random = Random(0, 0)
    low, high = random.uniform("u", [2]).numpy()
    assert 0 < low < high < 1
    assert np.abs(random.normal("n", [2])).max() < 6
    for bound in (1, 3, 10, 16, 1000, 2**20 + 1):
        assert random.integers("i", [2], bound).numpy().tolist() == [0, bound - 1]
