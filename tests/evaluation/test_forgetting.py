import itertools

import keras
import numpy as np
import pytest
from keras import ops

from ganzoo import models
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.evaluation import OneVsAllEvaluation, forgetting
from tests.evaluation.sources import noise, source_of


class Linear(GAN):
    """A discriminator with four features."""

    def build(self, input_shape=None):
        self.features = keras.layers.Dense(4)
        self.features.build((None, 48))

    def players(self):
        return {"discriminator": [self.features]}

    def represent(self, images):
        return self.features(ops.reshape(images, (-1, 48)))


def dark_and_bright(count=40):
    """Two classes that anyone can tell."""
    labels = np.arange(count) % 2
    images = noise(count, size=4) // 4 + (labels * 191).astype(np.uint8)[:, None, None, None]
    return source_of(images, labels)


@pytest.mark.slow
def test_what_is_turned_around_is_forgotten(monkeypatch):
    """Of two classes, the second task is the first one turned around."""
    monkeypatch.setattr(forgetting, "ADAM", {"learning_rate": 0.05})
    source = dark_and_bright()
    evaluation = OneVsAllEvaluation(["onevsall60"], source, source)
    values = evaluation.of_model(Linear())
    assert values == {"onevsall60": 1.0, "onevsall_kept60": 0.0, "onevsall_probe60": 1.0}
    records = evaluation.records["onevsall60"]
    assert [(r["step"], r["turn"], r["task"]) for r in records] == [
        (60, 0, 0),
        (120, 0, 1),
        (180, 1, 0),
        (240, 1, 1),
    ]
    assert [r["accuracies"] for r in records] == [[1.0, 0.0], [0.0, 1.0]] * 2


@pytest.mark.slow
def test_the_sequence_depends_on_seed_and_rotation_alone():
    source = source_of(noise(30, size=4), np.arange(30) % 3)
    evaluation = OneVsAllEvaluation(["onevsall10"], source, source)

    def known(rotation, seed):
        return next(evaluation.sequence(Linear(), 10, rotation, seed))

    one = known(rotation=True, seed=0)
    assert (one["step"], one["turn"], one["task"]) == (10, 0, 0)
    assert known(rotation=True, seed=0) == one
    assert known(rotation=True, seed=1) != one
    assert known(rotation=False, seed=0) != one


def test_records_in_the_midst_of_a_task():
    evaluation = OneVsAllEvaluation(["onevsall10"], dark_and_bright(), dark_and_bright())
    records = evaluation.sequence(Linear(), 4, rotation=False, points=2)
    found = [(r["step"], r["task"]) for r in itertools.islice(records, 3)]
    assert found == [(2, 0), (4, 0), (6, 1)]


def test_what_cannot_be_learned_is_refused():
    labeled, unlabeled = dark_and_bright(), source_of(noise(10, size=4))
    with pytest.raises(UserError, match="few has 0 classes to learn and 2 to tell"):
        OneVsAllEvaluation(["onevsall10"], unlabeled, labeled)
    dcgan = models.build("dcgan", **models.model_class("dcgan").TINY)
    with pytest.raises(UserError, match="DCGAN has no features"):
        OneVsAllEvaluation(["onevsall10"], labeled, labeled).of_model(dcgan)
