import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.callbacks import HealthMonitor, Tick

VARIED = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3))


def tick(step=1, **logs):
    return Tick(step, 16 * step, 1.0, 10.0, {k.replace("__", "/"): v for k, v in logs.items()})


def test_a_healthy_training_is_not_spoken_of(capsys):
    monitor = HealthMonitor(lambda step: VARIED)
    assert monitor(tick(d__loss=1.0, d__real_sign=0.99)) == []
    assert monitor(tick(d__loss=1.0, d__real_sign=0.5)) == []
    assert monitor(tick(d__loss=1.0, d__real_sign=0.99)) == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite(value, capsys):
    monitor = HealthMonitor(lambda step: VARIED)
    (words,) = monitor(tick(3, g__loss=value, d__loss=1.0))
    assert words.startswith("g/loss not finite at 48 images") and "earlier checkpoint" in words
    assert f"Health: {words}" in capsys.readouterr().out
    assert monitor(tick(4, g__loss=value, d__loss=1.0)) == []  # it was said
    assert monitor(tick(5, g__loss=1.0, d__loss=1.0)) == []
    assert len(monitor(tick(6, g__loss=value, d__loss=1.0))) == 1  # again


def test_a_discriminator_that_knows_all_images_for_two_ticks():
    monitor = HealthMonitor(lambda step: VARIED)
    assert monitor(tick(1, d__real_sign=1.0)) == []
    (words,) = monitor(tick(2, d__real_sign=0.99))
    assert words.startswith("d/real_sign = 0.990") and "--config.augment.pipe=bgc" in words


def test_samples_that_are_alike():
    same = np.repeat(VARIED[:1], 4, axis=0)
    monitor = HealthMonitor(lambda step: same if step == 2 else VARIED)
    assert monitor(tick(1)) == []
    (words,) = monitor(tick(2))
    assert "the generator has collapsed" in words


def test_samples_that_are_not_numbers_are_no_collapse():
    monitor = HealthMonitor(lambda step: np.full_like(VARIED, np.nan))
    assert monitor(tick(1)) == []


def test_troubles_stand_in_the_log(tmp_path):
    from ganzoo.callbacks import LogWriter

    class Model:
        def players(self):
            return {}

    writer = tf.summary.create_file_writer(str(tmp_path))
    same = np.zeros((4, 8, 8, 3))
    log = LogWriter(tmp_path / "log.jsonl", Model(), writer, HealthMonitor(lambda step: same))
    log(tick(1, d__loss=1.0))
    log(tick(2, d__loss=1.0))
    first, second = map(json.loads, (tmp_path / "log.jsonl").read_text().splitlines())
    assert "collapsed" in first["health"][0] and "health" not in second
