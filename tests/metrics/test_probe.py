import numpy as np
import pytest

from ganzoo import evaluation, models
from ganzoo.data import open_source
from ganzoo.errors import UserError
from ganzoo.metrics import probe_accuracy


def test_classes_that_a_line_parts_are_told_and_others_are_not():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    features = rng.normal(size=(600, 5)) + 4 * np.eye(5)[labels]
    parts = (features[:400], labels[:400], features[400:], labels[400:])
    accuracy = probe_accuracy(*parts)
    assert accuracy > 0.97
    assert probe_accuracy(*parts) == accuracy
    shuffled = (features[:400], rng.permutation(labels[:400]), features[400:], labels[400:])
    assert probe_accuracy(*shuffled) < 0.6


def source(split, labels=True):
    return open_source("shapes", image_size=32, channels=3, split=split, labels=labels)


@pytest.mark.slow
def test_the_discriminator_of_a_model_is_probed():
    class Few:
        """The first images of a source."""

        def __init__(self, source):
            self.source = source

        def __len__(self):
            return 100

        def __getattr__(self, name):
            return getattr(self.source, name)

    train = source("train")
    probe = evaluation.ProbeEvaluation(["probe50", "probe90"], train, Few(train))
    found = probe.of_model(models.build("ssgan", **models.model_class("ssgan").TINY))
    assert list(found) == ["probe50", "probe90"] and all(0.1 < v < 1 for v in found.values())
    with pytest.raises(UserError, match="DCGAN has no features to be probed"):
        probe.of_model(models.build("dcgan", **models.model_class("dcgan").TINY))


def test_labels_are_needed():
    with pytest.raises(UserError, match="of 0 classes; the probe needs labels of 50"):
        evaluation.ProbeEvaluation(["probe50"], *[source("train", labels=False)] * 2)
