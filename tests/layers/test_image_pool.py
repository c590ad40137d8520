import numpy as np
import pytest
import tensorflow as tf

from ganzoo.layers import ImagePool
from ganzoo.seeds import Random

SHAPE = (2, 2, 1)


def pool_of(size):
    pool = ImagePool(size)
    pool.build((None, *SHAPE))
    return pool


def fakes_from(start, count):
    """Images that are all of one value, their number."""
    numbers = np.arange(start, start + count, dtype=np.float32)
    return tf.constant(np.broadcast_to(numbers[:, None, None, None], (count, *SHAPE)))


def numbers(images):
    return np.asarray(images)[:, 0, 0, 0].astype(int).tolist()


def run(pool, steps, count=1, first=0, compiled=lambda show: show):
    """The numbers of the images that were shown, from step `first` on."""

    def show(fakes, step):
        images, slots = pool.query(fakes, Random(7, step), "pool")
        pool.store(fakes, slots)
        return images

    show, shown = compiled(show), []
    for step in range(first, steps):
        shown += numbers(show(fakes_from(step * count, count), tf.constant(step)))
    return shown


def official(size, steps):
    """The published rule, restated for one image at a time, with the draws of `Random`."""
    kept, shown = [], []
    for number in range(steps):
        random = Random(7, number)
        if len(kept) < size:
            kept.append(number)
            shown.append(number)
        elif random.uniform("pool/exchange", [1])[0] < 0.5:
            slot = int(random.integers("pool/slot", [1], size)[0])
            shown.append(kept[slot])
            kept[slot] = number
        else:
            shown.append(number)
    return shown, kept


def test_single_images_follow_the_official_rule():
    pool = pool_of(5)
    shown, kept = official(5, 60)
    assert run(pool, 60) == shown
    assert numbers(pool.images) == kept
    assert shown[:5] == list(range(5)) and any(shown[i] != i for i in range(5, 60))


def test_a_full_pool_gives_old_images_half_of_the_time():
    """From the 51st on; an old one was made 100 images ago on average."""
    shown = run(pool_of(50), 1050, compiled=tf.function)
    assert shown[:50] == list(range(50))
    ages = np.arange(1050) - shown
    old = ages[50:] > 0
    assert abs(old.mean() - 0.5) < 0.05  # three standard deviations
    assert 70 < ages[50:][old][200:].mean() < 130
    assert (ages >= 0).all() and len(set(shown[50:])) == 1000  # none is shown twice


def test_slots_are_drawn_uniformly():
    pool = pool_of(4)
    run(pool, 4)
    draws = [pool.query(fakes_from(9, 64), Random(1, step), "pool")[1] for step in range(50)]
    counts = np.unique(np.concatenate(draws), return_counts=True)
    assert counts[0].tolist() == [-1, 0, 1, 2, 3]
    np.testing.assert_allclose(counts[1], [1600, 400, 400, 400, 400], rtol=0.15)


def test_a_batch_meets_the_pool_as_it_was_before():
    pool = pool_of(5)
    images, slots = pool.query(fakes_from(0, 3), Random(0, 0), "pool")
    assert slots.numpy().tolist() == [0, 1, 2] and numbers(images) == [0, 1, 2]
    assert not pool.images.numpy().any() and int(pool.filled) == 0  # a query changes nothing
    pool.store(fakes_from(0, 3), slots)
    images, slots = pool.query(fakes_from(3, 3), Random(0, 1), "pool")
    assert slots.numpy().tolist() == [3, 4, -1] and numbers(images) == [3, 4, 5]
    pool.store(fakes_from(3, 3), slots)
    assert numbers(pool.images) == [0, 1, 2, 3, 4] and int(pool.filled) == 5


def test_the_later_of_two_images_for_one_slot_is_kept():
    pool = pool_of(3)
    pool.store(fakes_from(0, 3), np.int32([0, 1, 2]))
    pool.store(fakes_from(10, 4), np.int32([1, -1, 1, 2]))
    assert numbers(pool.images) == [0, 12, 13] and int(pool.filled) == 3


@pytest.mark.parametrize("count", [2, 8])
def test_two_replicas_equal_one(count):
    one, two = pool_of(5), pool_of(5)
    for step in range(20):
        fakes = fakes_from(step * count, count)
        images, slots = one.query(fakes, Random(7, step), "pool")
        one.store(fakes, slots)
        halves = np.split(fakes.numpy(), 2)
        parts = [
            two.query(tf.constant(half), Random(7, step, tf.constant(replica), 2), "pool")
            for replica, half in enumerate(halves)
        ]
        images_of_two, slots_of_two = (np.concatenate(part) for part in zip(*parts, strict=True))
        two.store(fakes, slots_of_two)
        np.testing.assert_array_equal(images_of_two, images)
        np.testing.assert_array_equal(slots_of_two, slots)
    np.testing.assert_array_equal(two.images, one.images)


def test_a_restored_pool_goes_on_alike():
    straight, stopped, resumed = pool_of(5), pool_of(5), pool_of(5)
    shown = run(straight, 30)
    assert run(stopped, 13) == shown[:13]
    resumed.set_weights(stopped.get_weights())
    assert run(resumed, 30, first=13) == shown[13:]
    np.testing.assert_array_equal(resumed.images, straight.images)
    assert not straight.trainable_variables


def test_under_xla_it_is_the_same():
    graph, xla = pool_of(5), pool_of(5)
    by_xla = run(xla, 12, 2, compiled=tf.function(jit_compile=True))
    assert by_xla == run(graph, 12, 2)
    np.testing.assert_array_equal(xla.images, graph.images)


def test_no_pool():
    pool = pool_of(0)
    assert run(pool, 5, 2) == list(range(10))
    assert not pool.variables
