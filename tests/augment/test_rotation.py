import numpy as np
import pytest

from ganzoo.augment import (
    NUM_ROTATIONS,
    Rotation,
    Strength,
    rotate90,
    rotation_batch_quarter,
    rotation_batch_split,
)
from ganzoo.seeds import Random

IMAGES = np.random.default_rng(0).normal(size=(8, 5, 5, 3)).astype(np.float32)


def turned(images, turns):
    return np.rot90(images, turns, axes=(1, 2))


def test_a_quarter_turn_moves_the_upper_right_corner_to_the_upper_left():
    image = np.zeros((1, 3, 3, 1), np.float32)
    image[0, 0, 2] = 1.0
    rotated = np.asarray(rotate90(image, 1))
    assert rotated[0, 0, 0, 0] == 1.0
    assert rotated.sum() == 1.0


@pytest.mark.parametrize("turns", range(NUM_ROTATIONS))
def test_turns_are_those_of_numpy(turns):
    np.testing.assert_array_equal(rotate90(IMAGES, turns), turned(IMAGES, turns))


@pytest.mark.parametrize("turns", range(NUM_ROTATIONS))
def test_a_turn_and_the_rest_of_the_circle_are_the_identity(turns):
    back = rotate90(rotate90(IMAGES, turns), (NUM_ROTATIONS - turns) % NUM_ROTATIONS)
    np.testing.assert_array_equal(back, IMAGES)


def test_four_quarter_turns_are_the_identity():
    images = IMAGES
    for _ in range(4):
        images = rotate90(images, 1)
    np.testing.assert_array_equal(images, IMAGES)


@pytest.mark.parametrize("count", [4, 7, 8])
def test_quarter_turns_every_fourth_image_four_times(count):
    rotated, labels = rotation_batch_quarter(IMAGES[:count])
    quarter = IMAGES[:count][3::4]
    assert labels.numpy().tolist() == np.repeat(range(4), count // 4).tolist()
    expected = np.concatenate([turned(quarter, turns) for turns in range(4)])
    np.testing.assert_array_equal(rotated, expected)


@pytest.mark.parametrize(
    "order",
    [[0], [0, 1, 2], [0, 4, 1, 5, 2, 3], [0, 4, 1, 5, 2, 6, 3, 7]],
)
def test_split_turns_every_image_once(order):
    rotated, labels = rotation_batch_split(IMAGES[: len(order)])
    assert labels.numpy().tolist() == [index % 4 for index in order]
    for index, result in zip(order, rotated, strict=True):
        np.testing.assert_array_equal(result, np.rot90(IMAGES[index], index % 4))


@pytest.mark.parametrize("build", [rotation_batch_quarter, rotation_batch_split])
def test_parts_of_a_batch_are_turned_as_the_whole(build):
    """Two replicas train on the rotated images that one does."""

    def sorted_rows(*batches):
        rows = [np.c_[labels, np.reshape(images, (len(images), -1))] for images, labels in batches]
        return sorted(np.concatenate(rows).tolist())

    assert sorted_rows(build(IMAGES[:4]), build(IMAGES[4:])) == sorted_rows(build(IMAGES))


def test_the_layer_turns_each_image_by_its_own():
    result = Rotation()(IMAGES, draws={"rotate90": np.arange(8) % 4})
    for index, image in enumerate(np.asarray(result)):
        np.testing.assert_array_equal(image, np.rot90(IMAGES[index], index % 4))


def test_the_layer_draws_all_turns_alike():
    draws = Rotation(strength=Strength(0.8)).draw(Random(0, 0), np.zeros([20_000, 1, 1, 1]))
    shares = np.bincount(np.asarray(draws["rotate90"])) / 20_000
    np.testing.assert_allclose(shares, [0.4, 0.2, 0.2, 0.2], atol=0.015)
