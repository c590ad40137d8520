"""Models of a user's own: in a module, registered, or of an installed package."""

import json
import re
import sys
import textwrap
from importlib import metadata

import pytest
import tensorflow as tf

from ganzoo import config, models, report, trainer
from ganzoo.errors import UserError
from ganzoo.models import MODELS, registry
from ganzoo.recipes import Models, recipe
from ganzoo.runs import RunDirectory
from tests import commands

MODEL = """
    from types import MappingProxyType
    from ganzoo.models.dcgan import DCGAN
    from ganzoo.recipes import recipe

    class Mine(DCGAN):
        pass

    NO_GAN = dict

    def get_config():
        config = recipe("mine_gan:Mine", players=("discriminator", "generator"))
        config.model.update({"image_size": 28, "channels": 3, "width": 4})
        config.update({"batch_size": 4, "total_images": 8, "tick_images": 8, "num_samples": 4})
        config.data.dataset = "shapes"
        return config
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, which Python imports from, with a module `mine_gan` in it; what was
    imported there is forgotten."""
    (tmp_path / "mine_gan.py").write_text(textwrap.dedent(MODEL))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("mine_gan", "broken_gan"):
        sys.modules.pop(name, None)


@pytest.fixture
def registered(monkeypatch):
    """What is registered is so for one test."""
    monkeypatch.setattr(MODELS, "registered", {})


def refused(words):
    return pytest.raises(UserError, match=re.escape(words))


def train(chosen):
    trainer.train(chosen, RunDirectory("run"), tf.distribute.get_strategy())


def test_a_class_in_a_module_is_trained_and_loaded(here, eager):
    chosen = config.load("mine_gan.py")
    config.validate(chosen)
    train(chosen)
    assert type(models.load("run")).__name__ == "Mine"
    assert json.loads((here / "run/model/config.json").read_text())["model_name"] == "mine_gan:Mine"
    models.load("run").save("whole.keras")
    assert type(models.load("whole.keras")).__name__ == "Mine"
    assert report.arguments(chosen)[0] == "--config=RECIPE.py"
    assert "--config.model.width=4" in report.arguments(chosen)
    assert models.build("mine_gan:Mine", image_size=28).image_size == 28


def test_a_file_that_is_read_imports_no_module(here, eager):
    chosen = config.load("mine_gan.py")
    train(chosen)
    models.load("run").save("whole.keras")
    del sys.modules["mine_gan"]
    (here / "mine_gan.py").write_text("raise AssertionError('imported')")
    for path in ("run", "run/model/generator.weights.h5", "whole.keras"):
        with refused("import mine_gan first; on a command line with --imports=mine_gan"):
            models.load(path)
    settings = report.settings(config.read("run/config.json"))
    assert settings and "mine_gan" not in sys.modules


def test_the_config_file_is_the_schema_of_a_class(here):
    (here / "mine.py").write_text(
        "from mine_gan import get_config as default\n"
        "def get_config():\n    config = default()\n    config.model.slope = 0.1\n    return config"
    )
    chosen = config.load("mine.py")
    config.validate(chosen)
    chosen.batch_size = 0
    with refused("config.batch_size = 0; expected at least 1"):
        config.validate(chosen)
    lacking = recipe("mine_gan:Mine", players=("discriminator",)).unlock()
    del lacking["precision"]
    with refused("The config lacks 'precision'"):
        config.validate(lacking)


@pytest.mark.parametrize(
    ("place", "text", "answer"),
    [
        (
            "nowhere_gan:Mine",
            "",
            "'nowhere_gan' cannot be imported (ModuleNotFoundError",
        ),
        ("broken_gan:Mine", "1 / 0", "cannot be imported (ZeroDivisionError: division by zero)"),
        ("mine_gan:Mime", "", "Unknown class of mine_gan 'Mime'. Did you mean Mine"),
        ("mine_gan:NO_GAN", "", "mine_gan:NO_GAN is no GAN: a model is a class that derives from"),
    ],
)
def test_a_place_without_a_gan_is_refused(here, place, text, answer):
    (here / "broken_gan.py").write_text(text)
    (here / "recipe.py").write_text(
        f"from ganzoo.recipes import recipe\ndef get_config(): return recipe({place!r}, players=())"
    )
    with refused(answer):
        models.model_class(config.load("recipe.py").model_name)


def test_a_registered_model_has_a_name_everywhere(here, registered, monkeypatch):
    from mine_gan import Mine, get_config

    def own():
        config = get_config()
        config.model_name = "mine"
        return config

    models.register("mine", Mine, recipe=own)
    models.register("mine", Mine, recipe=own)  # as a cell that is run again
    assert "mine" in MODELS and "mine" in config.recipes() and models.model_class("mine") is Mine
    assert config.find("mine", "shapes") == "mine"
    config.validate(config.load("mine"))
    with refused("Unknown config key 'model.slope'"):
        changed = config.load("mine").unlock()
        changed.model.slope = 1
        config.validate(changed)
    assert report.arguments(config.load("mine")) == ["--config=mine"]


def test_a_name_that_is_taken_or_no_name_cannot_be_registered(registered):
    dcgan = models.model_class("dcgan")
    with refused("There is a model 'ssgan' already, ganzoo.models.ssgan:SSGAN"):
        models.register("ssgan", dcgan, dict)
    with refused("A model cannot be named 'a/b'"):
        models.register("a/b", dcgan, dict)
    with refused("<class 'dict'> is no GAN"):
        models.register("mine", dict, dict)
    with refused("Unknown model 'mine'. Known: "):
        models.build("mine")


def install(folder, package, name, place):
    """As pip does it."""
    installed = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[ganzoo.models]\n{name} = {place}\n")


def test_a_model_of_an_installed_package_has_its_name(here, monkeypatch):
    install(here, "zoo-of-mine", "mine", "mine_gan:Mine")
    found = Models(MODELS.bundled)
    assert set(found) - set(MODELS) == {"mine"} and "mine_gan" not in sys.modules
    for module in (registry, config):
        monkeypatch.setattr(module, "MODELS", found)
    assert config.find("mine", "shapes") == "mine" and "mine" in config.recipes()
    assert "mine_gan" not in sys.modules
    assert models.model_class("mine").__name__ == "Mine"
    assert config.load("mine").batch_size == 4


@pytest.mark.parametrize("name", ["ssgan", "mine"])
def test_two_models_of_one_name_are_refused(here, name):
    install(here, "zoo-a", name, "a:A")
    install(here, "zoo-b", name, "b:B")
    with refused(f"Two models are named {name!r}: that of ") as raised:
        list(Models(MODELS.bundled))
    owners = ("ganzoo", "zoo-") if name == "ssgan" else ("zoo-a", "zoo-b")
    assert all(owner in str(raised.value) for owner in owners)
    assert {p.name for p in metadata.entry_points(group="ganzoo.models")} == {name}


def test_commands_take_a_class_of_ones_own(here):
    flags = ("--config.total_images=4", "--config.tick_images=4", "--config.batch_size=2")
    done = commands.run("train", "--model=mine_gan:Mine", "--dataset=shapes", *flags)
    assert done.code == 0, done.err
    assert (here / "runs/Mine_shapes/model").is_dir()
    del sys.modules["mine_gan"]
    made = ("generate", "--model=runs/Mine_shapes", "--num=4", "--out=grid.png")
    done = commands.run(*made)
    assert done.code == 2 and "--imports=mine_gan" in done.err
    done = commands.run(*made, "--imports=mine_gan")
    assert done.code == 0 and (here / "grid.png").exists(), done.err
    done = commands.run(*made, "--imports=nowhere_gan")
    assert done.code == 2 and "'nowhere_gan' cannot be imported" in done.err
