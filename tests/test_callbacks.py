import json
import signal
from dataclasses import replace
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.callbacks import HealthMonitor, LogWriter, Measuring, StopOnSignal, Tick, Ticks
from ganzoo.runs import read_lines

VARIED = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3))


def tick(step=1, **logs):
    return Tick(step, 16 * step, 1.0, 10.0, {k.replace("__", "/"): v for k, v in logs.items()})


def troubles_of(monitor):
    return lambda tick: monitor(tick).get("health", [])


def test_a_healthy_training_is_not_spoken_of(capsys):
    monitor = troubles_of(HealthMonitor(lambda step: VARIED, str))
    assert monitor(tick(d__loss=1.0, d__real_sign=0.99)) == []
    assert monitor(tick(d__loss=1.0, d__real_sign=0.5)) == []
    assert monitor(tick(d__loss=1.0, d__real_sign=0.99)) == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite(value, capsys):
    monitor = troubles_of(HealthMonitor(lambda step: VARIED, str))
    (words,) = monitor(replace(tick(3, g__loss=value, d__loss=1.0), broken=2))
    assert words.startswith("g/loss not finite at 48 images, since step 2 (2). If")
    assert f"Health: {words}" in capsys.readouterr().out
    assert monitor(tick(4, g__loss=value, d__loss=1.0)) == []  # it was said
    assert monitor(tick(5, g__loss=1.0, d__loss=1.0)) == []
    assert len(monitor(tick(6, g__loss=value, d__loss=1.0))) == 1  # again


def test_the_step_at_which_numbers_broke_is_found():
    seen = []
    ticks = Ticks(3, [seen.append])
    model = mock.Mock(batch_size=16)
    model.step.numpy.return_value = 0
    ticks.set_model(model)
    ticks.on_train_begin()
    for d, g in ((1.0, None), (3.0, 5.0), (2.0, 7.0), (4.0, 1.0), (np.nan, 1.0), (1.0, np.inf)):
        logs = {"d": tf.constant(d)} | ({} if g is None else {"g": tf.constant(g)})
        ticks.on_train_batch_end(0, logs)
    first, second = seen
    assert (first.logs, first.broken) == ({"d": 2.0, "g": 6.0}, None)
    assert (second.step, second.images, second.broken) == (6, 96, 5)


def test_what_was_told_before_a_stop_is_not_told_again(tmp_path):
    """A log that was written in two parts is that of one."""
    ticks = [tick(n, d__real_sign=1.0) for n in range(1, 6)]
    whole = writer_of(tmp_path / "whole", HealthMonitor(lambda step: 0 * VARIED, str))
    for one in ticks:
        whole(one)
    for part in (ticks[:1], ticks[1:3], ticks[3:]):
        lines = read_lines(tmp_path / "parts" / "log.jsonl")
        writer = writer_of(tmp_path / "parts", HealthMonitor(lambda step: 0 * VARIED, str, lines))
        for one in part:
            writer(one)
    told = [[line.get("health") for line in lines_of(tmp_path / n)] for n in ("whole", "parts")]
    assert told[0] == told[1] and [bool(words) for words in told[0]] == [True, True, 0, 0, 0]


def test_a_discriminator_that_knows_all_images_for_two_ticks():
    monitor = troubles_of(HealthMonitor(lambda step: VARIED, str))
    assert monitor(tick(1, d__real_sign=1.0)) == []
    (words,) = monitor(tick(2, d__real_sign=0.99))
    assert words.startswith("d/real_sign = 0.990") and "--config.augment.pipe=bgc" in words


def test_samples_that_are_alike():
    same = np.repeat(VARIED[:1], 4, axis=0)
    monitor = troubles_of(HealthMonitor(lambda step: same if step == 2 else VARIED, str))
    assert monitor(tick(1)) == []
    (words,) = monitor(tick(2))
    assert "the generator has collapsed" in words


def test_samples_that_are_not_numbers_are_no_collapse():
    monitor = troubles_of(HealthMonitor(lambda step: np.full_like(VARIED, np.nan), str))
    assert monitor(tick(1)) == []


class Model:
    stop_training = False

    def players(self):
        return {}

    def scheduled_values(self):
        return {}


def writer_of(folder, monitor):
    writer = tf.summary.create_file_writer(str(folder))
    return LogWriter(folder / "log.jsonl", Model(), writer, [monitor])


def lines_of(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_troubles_stand_in_the_log(tmp_path):
    log = writer_of(tmp_path, HealthMonitor(lambda step: np.zeros((4, 8, 8, 3)), str))
    log(tick(1, d__loss=1.0))
    log(tick(2, d__loss=1.0))
    first, second = lines_of(tmp_path)
    assert "collapsed" in first["health"][0] and "health" not in second


def measuring(folder, values, higher_is_better, kept):
    def keep(best):
        best.mkdir(exist_ok=True)
        kept.append(best)

    log = folder / "log.jsonl"
    return Measuring(
        lambda: {"fd": values.pop(0)}, higher_is_better, 32, 96, log, keep, folder / "best"
    )


@pytest.mark.parametrize("higher", [False, True])
def test_measuring_every_so_often_at_the_end_and_keeping_the_best(tmp_path, higher):
    kept, values = [], [5.0, 3.0, 4.0]
    ticks = [tick(step) for step in range(1, 7)]  # 16 images each
    log = writer_of(tmp_path, measuring(tmp_path, values, higher, kept))
    for one in ticks[:3]:
        log(one)
    # Another process goes on: what was best is told by the log.
    log = writer_of(tmp_path, measuring(tmp_path, values, higher, kept))
    for one in ticks[3:]:
        log(one)
    found = {line["images"]: line["fd"] for line in lines_of(tmp_path) if "fd" in line}
    assert found == {32: 5.0, 64: 3.0, 96: 4.0}
    told = json.loads((tmp_path / "best" / "metrics.json").read_text())
    assert told == ({"images": 32, "fd": 5.0} if higher else {"images": 64, "fd": 3.0})
    assert len(kept) == (1 if higher else 2)


def test_a_worker_stops_where_another_one_was_told_to():
    stop, told = StopOnSignal(lambda flag: flag or told), False
    stop.set_model(Model())
    stop.on_train_batch_end(0)
    assert (stop.received, stop.model.stop_training) == (None, False)
    told = True
    stop.on_train_batch_end(1)
    assert (stop.received, stop.model.stop_training) == (signal.SIGTERM, True)
