import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo.errors import UserError
from ganzoo.schedules import check, from_decay, value_at

LINEAR = ("linear", (100, 2.0), (300, 0.0))
COSINE = ("cosine", (0, 2e-4), (1000, 5e-5))
STEP = ("step", (0, 1e-3), (50, 1.5e-3), (80, 2e-3))
EXPONENTIAL = ("exponential", (100, 0.5), (300, 0.125))
SCHEDULES = (LINEAR, COSINE, STEP, EXPONENTIAL)


@pytest.mark.parametrize(
    ("schedule", "images", "value"),
    [
        (LINEAR, 0, 2.0),
        (LINEAR, 150, 1.5),
        (LINEAR, 300, 0.0),
        (LINEAR, 10**9, 0.0),
        (COSINE, 0, 2e-4),
        (COSINE, 250, 5e-5 + (2e-4 - 5e-5) * (1 + math.cos(math.pi / 4)) / 2),  # as R3GAN has it
        (COSINE, 1000, 5e-5),
        (STEP, 49, 1e-3),
        (STEP, 50, 1.5e-3),
        (STEP, 79, 1.5e-3),
        (EXPONENTIAL, 150, 0.5 * 0.25**0.25),
        (EXPONENTIAL, 200, 0.25),
        (STEP, 80, 2e-3),
        (("linear", (0, 0.0), (10, 1.0), (20, 0.5)), 15, 0.75),
        (3, 15, 3),
    ],
)
def test_values(schedule, images, value):
    assert value_at(schedule, images) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule[0])
def test_a_graph_has_the_values_of_the_host(schedule, jit):
    function = tf.function(lambda images: value_at(schedule, images), jit_compile=jit)
    for images in (0, 49, 50, 120, 299, 300, 999, 1000, 2**40):
        value = function(tf.constant(images, tf.int64))
        assert value.dtype == tf.float32
        assert float(value) == pytest.approx(np.float32(value_at(schedule, images)), rel=1e-7)


def test_images_beyond_the_integers_of_float32_are_told_from_each_other():
    schedule = ("step", (0, 1.0), (2**24 + 1, 2.0))
    at = [float(value_at(schedule, tf.constant(2**24 + i, tf.int64))) for i in (0, 1)]
    assert at == [1.0, 2.0]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule[0])
def test_schedules_are_valid_also_as_json_has_them(schedule):
    check("x", schedule)
    lists = [schedule[0], *map(list, schedule[1:])]
    check("x", lists)
    assert value_at(lists, 60) == value_at(schedule, 60)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ((), "expected a schedule that begins with its shape"),
        ((1.0, 2.0), "begins with its shape, linear or cosine or step or exponential, as in"),
        (("cosin", (0, 1.0), (5, 2.0)), "schedule gamma 'cosin'. Did you mean cosine?"),
        (("linear", (0, 1.0)), "two or more points"),
        (("linear", 0, 1.0), "two or more points"),
        (("linear", (0, 1.0), (5, 1.0, 2)), "two or more points"),
        (("linear", (5, 1.0), (5, 2.0)), "each above the last"),
        (("linear", (0, 1.0), (5.0, 2.0)), "whole numbers"),
        (("linear", (-1, 1.0), (5, 2.0)), "from 0 on"),
        (("linear", (0, "1"), (5, 2.0)), "finite numbers"),
        (("linear", (0, 1.0), (5, math.nan)), "finite numbers"),
        (("exponential", (0, 1.0), (5, 0.0)), "above 0"),
    ],
)
def test_what_is_no_schedule_is_refused(schedule, words):
    with pytest.raises(UserError, match=words.replace("?", r"\?")):
        check("gamma", schedule)


@pytest.mark.parametrize(
    ("rate", "changes", "expected"),
    [
        (1e-4, {"decay_end_images": 0, "final_learning_rate": 0.5}, 1e-4),
        (1e-4, {"decay_end_images": 9}, ("linear", (0, 1e-4), (9, 0.0))),
        (1e-4, {"decay_start_images": 9, "decay_end_images": 9}, ("step", (0, 1e-4), (9, 0.0))),
        (LINEAR, {"final_learning_rate": 1.0}, ("linear", (100, 2.0), (300, 1.0))),
        (LINEAR, {"learning_rate": 1.0, "decay_start_images": 0}, ("linear", (0, 1.0), (300, 0.0))),
        (("step", (0, 2.0), (7, 1.0)), {"learning_rate": 3.0}, ("step", (0, 3.0), (7, 1.0))),
        (LINEAR, {"decay_start_images": 0, "decay_end_images": 0}, 2.0),
    ],
)
def test_the_keys_of_decay_become_a_schedule(rate, changes, expected):
    assert from_decay(rate, changes) == expected


@pytest.mark.parametrize(
    ("rate", "changes", "words"),
    [
        (1.0, {"decay_start_images": 5}, "decay_end_images = 0 lies before decay_start_images = 5"),
        (COSINE, {"decay_end_images": 5}, "give another schedule as a whole"),
        (STEP, {"decay_end_images": 5}, "give another schedule as a whole"),
        (None, {"decay_end_images": 5}, "has to be given"),
    ],
)
def test_a_decay_that_is_none_is_refused(rate, changes, words):
    with pytest.raises(UserError, match=words):
        from_decay(rate, changes)


def test_keras_keeps_a_schedule_as_it_is():
    layer = keras.layers.Layer()
    layer.rate = COSINE
    assert layer.rate == COSINE and type(layer.rate) is tuple
