"""How often a model that classifies is wrong; linear probes are tested in metrics/test_probe."""

import numpy as np
import pytest
from PIL import Image

from ganzoo import config, data, metrics, models
from ganzoo.errors import UserError
from ganzoo.evaluation import ErrorEvaluation, higher_is_better
from tests import commands

from .sources import noise, source_of

TINY = dict(models.model_class("sgan").TINY)


@pytest.fixture
def model():
    return models.build("sgan", **TINY, channels=1, num_classes=3)


@pytest.mark.usefixtures("eager")
def test_the_error_is_the_share_of_wrong_classes(model):
    images = noise(100, size=32, channels=1)
    guessed = model.classify(images).argmax(axis=1)
    labels = np.where(np.arange(100) < 25, (guessed + 1) % 3, guessed)
    source = data.ArraySource.of_images(images, labels, ("a", "b", "c"))
    assert ErrorEvaluation(source).of_model(model) == {"test_error": 0.25}
    assert not higher_is_better("test_error") and metrics.parse("test_error").kind == "error"


@pytest.mark.usefixtures("eager")
def test_what_cannot_be_measured_is_refused(model):
    images = noise(4, size=32, channels=1)
    with pytest.raises(UserError, match="few has no labels, which test_error needs"):
        ErrorEvaluation(source_of(images))
    two = ErrorEvaluation(source_of(images, np.array([0, 1, 0, 1])))
    with pytest.raises(UserError, match="The model has 3 classes, and few 2"):
        two.of_model(model)
    other = models.build("dcgan", **models.model_class("dcgan").TINY)
    with pytest.raises(UserError, match="DCGAN has no mode that classifies images"):
        two.of_model(other)


def test_options_of_streams_are_not_those_of_sources():
    options = data.source_options(config.load("sgan_shapes").data)
    assert options["dataset"] == "shapes" and not options.keys() & {"flip", "labeled"}
    assert data.open_source(image_size=32, channels=3, **options).num_classes == 0


@pytest.mark.usefixtures("eager")
def test_the_command(model, tmp_path):
    arguments = TINY | {"channels": 1, "num_classes": 3}
    models.save(model, "sgan", arguments, tmp_path / "model")
    images = noise(6, size=32, channels=1)
    for index, image in enumerate(images):
        folder = tmp_path / "images" / "abc"[index % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[..., 0]).save(folder / f"{index}.png")
    flags = [f"--model={tmp_path}", "--metrics=test_error", f"--dataset=folder:{tmp_path}/images"]
    error = np.mean(model.classify(images).argmax(axis=1) != np.arange(6) % 3)
    done = commands.run("evaluate", *flags, "--split=train")
    assert f"test_error  {error:.4f}" in done.out, done.err
    done = commands.run("evaluate", *flags, "--metrics=test_error,is10_lenet-mnist")
    assert done.code and "run it by itself" in done.err
    done = commands.run("evaluate", *flags[:2])
    assert done.code and "does not say what it was trained on" in done.err
