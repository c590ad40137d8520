import numpy as np
import pytest
import tensorflow as tf

from ganzoo.augment import DiffAugment, Strength
from ganzoo.errors import UserError
from ganzoo.seeds import Random
from tests.augment.derivatives import assert_second_derivatives
from tests.models.goldens import assert_golden, hashed, inputs

SIZE = 18
IMAGES = inputs((5, 3, SIZE, SIZE)).transpose(0, 2, 3, 1).astype(np.float32)


def official_draws():
    """What the recorded run drew; its rows are called x, and are read from where they move to."""
    u = [hashed(f"draw{call}", (5,)) for call in range(7)]
    up, left = (np.floor(u[i] * 5) - 2 for i in (3, 4))
    row, column = (np.floor(u[i] * SIZE) for i in (5, 6))
    return {
        "brightness": u[0] - 0.5,
        "saturation": 2 * u[1],
        "contrast": u[2] + 0.5,
        "translation": -np.stack([left, up], axis=1),
        "cutout": np.stack([column, row], axis=1),
    }


def test_is_the_official_code():
    result = DiffAugment()(IMAGES, draws=official_draws())
    assert_golden("augment", "diffaugment", np.transpose(result, (0, 3, 1, 2)))


def test_images_move_right_and_down_and_zeros_move_in():
    moved = np.asarray(DiffAugment()(IMAGES[:1], draws={"translation": [[2, 1]]}))
    np.testing.assert_array_equal(moved[0, 1:, 2:], IMAGES[0, :-1, :-2])
    assert not moved[0, 0].any() and not moved[0, :, :2].any()


def test_cutouts_are_half_as_wide_as_the_image():
    ones = np.ones([2, 16, 16, 1], np.float32)
    cut = np.asarray(DiffAugment()(ones, draws={"cutout": [[8, 8], [0, 16]]}))
    expected = np.ones([2, 16, 16, 1])
    expected[0, 4:12, 4:12] = 0
    expected[1, 12:, :4] = 0
    np.testing.assert_array_equal(cut, expected)


def test_values_have_the_published_ranges():
    images = tf.zeros([20_000, 16, 16, 3])
    draws = {k: np.asarray(v) for k, v in DiffAugment().draw(Random(0, 1), images).items()}
    for name, low, high in [
        ("brightness", -0.5, 0.5),
        ("saturation", 0, 2),
        ("contrast", 0.5, 1.5),
    ]:
        assert draws[name].min() == pytest.approx(low, abs=1e-3)
        assert draws[name].max() == pytest.approx(high, abs=1e-3)
    np.testing.assert_array_equal(np.unique(draws["translation"]), range(-2, 3))
    np.testing.assert_array_equal(np.unique(draws["cutout"]), range(17))


@pytest.mark.parametrize("strength", [0.0, 0.4])
def test_strength_is_the_share_of_images(strength):
    images = np.ones([500, 8, 8, 1], np.float32)
    augment = DiffAugment("cutout", strength=Strength(strength))
    result = np.asarray(augment(images, random=Random(0, 1)))
    changed = (result != images).any(axis=(1, 2, 3))
    assert changed.mean() == pytest.approx(strength, abs=0.05 * (strength > 0))


def test_a_policy_has_its_transforms_alone():
    images = tf.zeros([2, 8, 8, 3])
    draws = DiffAugment("cutout,color").draw(Random(0, 1), images)
    assert list(draws) == ["brightness", "saturation", "contrast", "cutout"]
    with pytest.raises(UserError, match="Did you mean color"):
        DiffAugment("colour")


@pytest.mark.slow
def test_second_derivatives_under_xla():
    augment = DiffAugment()
    draws = {name: values.astype(np.float32) for name, values in official_draws().items()}
    direction = np.random.default_rng(0).normal(size=IMAGES.shape).astype(np.float32)

    def energy(images):
        return tf.reduce_sum(augment(images, draws=draws) ** 3)

    assert_second_derivatives(energy, IMAGES, direction, tolerance=1e-2)
