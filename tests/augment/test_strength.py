import numpy as np
import pytest
import tensorflow as tf

from ganzoo.augment import AdaptiveStrength, AugmentPipe, DiffAugment, Rotation, Strength, make
from ganzoo.errors import UserError


def adapted(strength, signs, batch_size=64):
    """The strength after each step, with the signs that a step's updates logged."""
    path = []
    for step, of_step in enumerate(signs):
        strength.adapt([tf.constant(s) for s in of_step], tf.constant(step, tf.int64), batch_size)
        path.append(float(strength.value))
    return path


def test_it_rises_from_0_to_1_in_the_given_images():
    path = adapted(AdaptiveStrength(), [[0.9]] * 8)
    step = 64 * 4 / 500_000
    np.testing.assert_allclose(path, [0, 0, 0, step, step, step, step, 2 * step], rtol=1e-6)
    assert step == pytest.approx(0.000512)


def test_it_falls_to_0_and_not_below():
    path = adapted(AdaptiveStrength(0.0007), [[-1.0]] * 8)
    np.testing.assert_allclose(path[3::4], [0.000188, 0.0], atol=1e-7)


def test_it_may_exceed_1():
    assert adapted(AdaptiveStrength(1.0), [[1.0]] * 4)[-1] > 1


def test_the_mean_is_of_all_updates_since_the_last_change():
    # (4 * 1.0 + 3 * 0.0) / 7 < 0.6, though the mean of the steps' means is 0.625.
    signs = [[1.0], [1.0], [1.0], [1.0, 0.0, 0.0, 0.0]]
    strength = AdaptiveStrength(0.5)
    assert adapted(strength, signs)[-1] < 0.5
    # Nothing of it is left for the next change.
    assert float(strength.sign_sum) == float(strength.sign_count) == 0


def test_at_the_target_it_rests():
    assert adapted(AdaptiveStrength(0.5, target=0.5), [[0.5]] * 4)[-1] == 0.5


def test_steps_without_real_images_change_nothing():
    assert adapted(AdaptiveStrength(0.5), [[]] * 8)[-1] == 0.5


def test_a_fixed_one_stays():
    assert adapted(Strength(0.25), [[1.0]] * 8)[-1] == 0.25


def test_one_that_follows_a_schedule_has_its_values_from_the_start_of_each_step():
    strength = make("bgc", strength=("linear", (64, 0.1), (192, 0.5))).strength
    assert float(strength.value) == pytest.approx(0.1)
    assert adapted(strength, [[1.0]] * 4) == pytest.approx([0.1, 0.3, 0.5, 0.5])
    with pytest.raises(UserError, match=r"follows a schedule, and config\.augment\.target = 0\.6"):
        make("bgc", strength=("linear", (0, 0.1), (9, 0.5)), target=0.6)


@pytest.mark.parametrize(
    "make_strength",
    [
        lambda: Strength(-0.1),
        lambda: Strength(("linear", (0, 0.1), (9, -0.5))),
        lambda: AdaptiveStrength(target=1.0),
        lambda: AdaptiveStrength(interval=0),
        lambda: AdaptiveStrength(speed_images=0),
    ],
)
def test_senseless_values_are_refused(make_strength):
    with pytest.raises(UserError, match="expected"):
        make_strength()


@pytest.mark.parametrize(
    "pipe, kind", [("bgc", AugmentPipe), ("rotation", Rotation), ("diffaugment", DiffAugment)]
)
def test_augmentations_have_names(pipe, kind):
    fixed, adaptive = make(pipe), make(pipe, target=0.6, interval=2, speed_images=1000)
    assert isinstance(fixed, kind) and float(fixed.strength.value) == 1.0
    assert float(make(pipe, strength=0.3).strength.value) == pytest.approx(0.3)
    assert isinstance(adaptive.strength, AdaptiveStrength)
    assert float(adaptive.strength.value) == 0.0 and adaptive.strength.interval == 2


def test_a_policy_may_follow():
    assert make("diffaugment:translation").transforms == ["translation"]
    with pytest.raises(UserError, match="Unknown augmentation 'bgc:color'"):
        make("bgc:color")


def test_none_is_none_whatever_else_is_set():
    assert make("none") is None and make("none", target=0.6) is None
