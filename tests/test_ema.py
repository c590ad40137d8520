import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.ema import Average


def network(value):
    """A weight and moments, all of them `value`."""
    network = keras.Sequential(
        [keras.layers.Dense(2), keras.layers.BatchNormalization(center=False, scale=False)]
    )
    network.build((None, 3))
    fill(network, value)
    return network


def fill(network, value):
    for variable in network.variables:
        variable.assign(tf.fill(variable.shape, float(value)))


def weight(network):
    """The value that all weights have."""
    values = np.concatenate([v.numpy().ravel() for v in network.trainable_variables])
    np.testing.assert_array_equal(values, values[0])
    return values[0]


def test_starts_as_a_copy():
    average = Average(network(3.0), network(7.0), 1000)
    average.start()
    for variable in average.target.variables:
        np.testing.assert_array_equal(variable, np.full(variable.shape, 3.0))


def test_weights_move_and_buffers_are_copied():
    average = Average(network(2.0), network(10.0), half_life_images=100, ramp_up=None)
    average.update(tf.constant(0), batch_size=50)
    assert weight(average.target) == pytest.approx(2.0 + 8.0 * 0.5**0.5)
    for buffer in average.target.non_trainable_variables:
        np.testing.assert_array_equal(buffer, np.full(buffer.shape, 2.0))
    assert weight(average.source) == 2.0


def test_buffers_of_a_target_that_is_run_are_its_own():
    average = Average(
        network(2.0), network(10.0), 100, ramp_up=None, refresh_moments=lambda *_: None
    )
    average.update(tf.constant(0), batch_size=50)
    assert weight(average.target) == pytest.approx(2.0 + 8.0 * 0.5**0.5)
    for buffer in average.target.non_trainable_variables:
        np.testing.assert_array_equal(buffer, np.full(buffer.shape, 10.0))


@pytest.mark.parametrize("batch_size", [10, 20, 200])
def test_the_distance_halves_in_a_half_life(batch_size):
    average = Average(network(0.0), network(1.0), half_life_images=200, ramp_up=None)
    for step in range(200 // batch_size):
        average.update(tf.constant(step * batch_size), batch_size)
    assert weight(average.target) == pytest.approx(0.5, rel=1e-5)


def test_ramp_up_by_hand():
    average = Average(network(1.0), network(5.0), half_life_images=1000, ramp_up=0.05)
    average.update(tf.constant(0), batch_size=64)
    assert weight(average.target) == 1.0  # nothing but the random start was there to remember
    fill(average.source, 2.0)
    average.update(tf.constant(64), batch_size=64)  # a half-life of 3.2 images
    expected = 2.0 - 0.5 ** (64 / 3.2)
    assert weight(average.target) == pytest.approx(expected, rel=1e-6)
    fill(average.source, 4.0)
    average.update(tf.constant(10_000), batch_size=64)  # of 500 images
    expected = 4.0 + 0.5 ** (64 / 500) * (expected - 4.0)
    assert weight(average.target) == pytest.approx(expected, rel=1e-6)


def test_ramp_up_ends_at_the_half_life():
    ramped = Average(network(0.0), network(1.0), half_life_images=1000, ramp_up=0.05)
    steady = Average(network(0.0), network(1.0), half_life_images=1000, ramp_up=None)
    for average in (ramped, steady):
        average.update(tf.constant(20_000), batch_size=64)
    assert weight(ramped.target) == weight(steady.target)


def test_networks_of_other_shapes_are_refused():
    smaller = keras.Sequential([keras.layers.Dense(2)])
    smaller.build((None, 3))
    with pytest.raises(ValueError):
        Average(network(0.0), smaller, 1000).start()


def test_a_half_life_may_follow_a_schedule():
    average = Average(network(2.0), network(10.0), ("linear", (0, 0), (200, 100)), ramp_up=None)
    expected = 10.0
    for images, half_life in ((0, 0), (100, 50), (200, 100), (300, 100)):
        average.update(tf.constant(images, tf.int64), batch_size=50)
        kept = 0.5 ** (50 / half_life) if half_life else 0.0
        expected = 2.0 + kept * (expected - 2.0)
        assert weight(average.target) == pytest.approx(expected, rel=1e-6)
        fill(average.target, expected := expected + 1.0)
