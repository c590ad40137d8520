import json
import re
import shutil

import pytest
from ml_collections import ConfigDict

from ganzoo import cli, config
from ganzoo.errors import UserError
from ganzoo.recipes import MODELS, optimizer

RECIPES = config.bundled()


@pytest.fixture
def small() -> ConfigDict:
    return config.load("ssgan_cifar10_small")


def refused(words: str):
    return pytest.raises(UserError, match=re.escape(words))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_valid_and_says_how_to_run_it(name):
    config.validate(config.load(name))
    text = config.resolve(name).read_text()
    assert "arXiv" in text
    assert "python -m ganzoo.train --" in text


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_of_a_model_differ_in_values_only(name):
    """And in arguments of optimizers, each of which has its own."""
    recipe = config.load(name)
    keys, defaults = (
        {re.sub(r"(optimizers\.\w+)\.\w+", r"\1", key) for key in config.flatten(each)}
        for each in (recipe, config.load(recipe.model_name))
    )
    assert keys == defaults


def test_a_data_set_without_a_recipe_gets_the_default_one():
    assert config.find("ssgan", "cifar10") == "ssgan_cifar10"
    assert config.find("dcgan", "zip:a/b.zip") == "dcgan_folder"
    assert config.find("ssgan", "folder:/../ssgan_cifar10") == config.find("ssgan") == "ssgan"
    assert config.find("srgan", "small") == "srgan"  # srgan_small is not for data of that name


@pytest.fixture
def wgans(monkeypatch, tmp_path):
    """Two recipes, wgan and wgan_gp, beside the others; returns the names of models to be."""
    folder = shutil.copytree(config.folder(), tmp_path / "configs")
    text = (folder / "dcgan.py").read_text()
    (folder / "wgan.py").write_text(text.replace('recipe("dcgan"', 'recipe("wgan"'))
    (folder / "wgan_gp.py").write_text(
        "from ganzoo.config import load\ndef get_config():\n    return load('wgan')"
    )
    monkeypatch.setattr(config, "folder", lambda: folder)

    def give_models(*names):
        places = dict.fromkeys(names, "ganzoo.models.dcgan:DCGAN")
        monkeypatch.setattr(MODELS, "bundled", {**MODELS.bundled, **places})

    return give_models


def test_a_models_name_may_extend_that_of_another(wgans):
    wgans("wgan", "wgan_gp")
    assert config.find("wgan_gp", "shapes") == "wgan_gp"
    assert config.find("wgan", "gp") == "wgan"  # another model is no recipe of this one


def test_a_recipes_name_may_extend_that_of_a_model(wgans):
    wgans("wgan")
    assert config.find("wgan", "gp") == "wgan"  # no recipe for data named gp
    assert config.load("wgan_gp").model_name == "wgan"
    with refused("'wgan_gp' is a recipe of the model wgan: --config=wgan_gp"):
        config.find("wgan_gp", "shapes")


def test_every_model_has_a_recipe_and_every_other_recipe_is_of_a_model():
    assert set(MODELS) <= set(config.recipes())
    for name in set(config.bundled()) - set(MODELS):
        assert name.startswith(f"{config.load(name).model_name}_")


@pytest.mark.parametrize(
    ("look_up", "answer"),
    [
        (lambda: config.find("ssgam", "cifar10"), "Unknown model 'ssgam'. Did you mean ssgan"),
        (lambda: config.load("ssgan_cifr10"), "Unknown config 'ssgan_cifr10'. Did you mean ssgan"),
        (lambda: config.load("nowhere/x.py"), "There is no config file 'nowhere/x.py'."),
        (lambda: config.read("nowhere/config.json"), "There is no nowhere/config.json."),
    ],
)
def test_what_cannot_be_found_is_answered_with_what_can(look_up, answer):
    with refused(answer):
        look_up()


@pytest.mark.parametrize("text", ["", "get_config = 3", "def get_config(): return {}"])
def test_a_file_that_is_no_config_is_refused(tmp_path, text):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with refused("must define get_config()"):
        config.load(path)


def test_a_recipe_that_misspells_a_key_fails(small):
    with pytest.raises(AttributeError, match="latent_dims"):
        small.model.latent_dims = 64


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("batch_size", 0, "config.batch_size = 0; expected at least 1."),
        ("seed", -1, "config.seed = -1; expected an integer from 0"),
        ("jit", "yes", "config.jit = 'yes'; expected one of auto, on, off."),
        ("precision", "float16", "expected one of auto, float32"),
        ("data.resize", "lanzcos", "expected one of nearest, box"),
        ("data.on_bad_file", "warn", "expected one of fail, skip"),
        ("data.dataset", "", "expected the name of a data set"),
        ("model.latent_dim", -1, "config.model.latent_dim = -1; expected at least 1."),
        ("model.num_classes", -1, "expected 0 or more"),
        ("model.ema_half_life_images", -5, "expected 0 or more images"),
        ("model.generator_rotation_weight", -0.2, "expected 0 or more"),
        ("model.generator_rotation_weight", float("nan"), "expected a finite number"),
        ("optimizers.generator.learning_rate", float("inf"), "expected a finite number"),
        ("optimizers.generator.learning_rate", 0.0, "expected a number above 0"),
        ("optimizers.generator.beta_1", 1.0, "a number in [0, 1)"),
        ("optimizers.generator.learning_rate", "fast", "is of type str; expected float"),
        ("optimizers.generator.learning_rate", ("linear", (0, 1.0)), "two or more points (images,"),
        ("optimizers.generator.beta_1", ("step", (0, 0.0), (5, 1.0)), "a number in [0, 1)"),
        ("model.generator_rotation_weight", ("cosin", (0, 1.0), (5, 2.0)), "Did you mean cosine"),
        ("model.generator_rotation_weight", ("step", (0, 1.0), (5, -2.0)), "expected 0 or more"),
        ("model.ema_half_life_images", 5.0, "is of type float; expected int"),
        ("model_name", "ssgam", "Unknown model_name 'ssgam'. Did you mean ssgan"),
    ],
)
def test_values_out_of_range_are_refused(small, key, value, answer):
    small.update_from_flattened_dict({key: value})
    with refused(answer):
        config.validate(small)


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("batch_size", 64.0, "config.batch_size = 64.0 is of type float; expected int, as in 64."),
        ("batch_size", True, "is of type bool; expected int"),
        ("model.image_size", "32", "is of type str; expected int."),
        ("model.latent_dim", None, "is of type NoneType; expected int"),
        ("model.architecture", ["sngan"], "expected str, as in 'compare_gan'"),
        ("lr", 1, "Unknown config key 'lr'."),
        ("latent_dim", 1, "Unknown config key 'latent_dim'. Did you mean model.latent_dim?"),
    ],
)
def test_a_config_written_by_hand_is_held_to_the_recipe(key, value, answer):
    flat = config.flatten(config.load("ssgan")) | {key: value}
    with refused(answer):
        config.validate(_nested(flat))


def test_a_missing_key_is_refused_and_an_integer_is_a_float():
    flat = config.flatten(config.load("ssgan"))
    flat["optimizers.generator.learning_rate"] = 1
    config.validate(_nested(flat))
    del flat["data.split"]
    with refused("The config lacks 'data.split'"):
        config.validate(_nested(flat))


@pytest.mark.parametrize("name", RECIPES)
def test_saved_and_read_configs_are_equal(tmp_path, name):
    original = config.load(name)
    original.seed = 2**31 - 1
    next(iter(original.optimizers.values())).learning_rate = 0.1 + 0.2
    config.save(original, tmp_path / "config.json")
    again = config.read(tmp_path / "config.json")
    config.validate(again)
    assert config.diff(original, again) == []
    assert config.to_json(original) == config.to_json(again)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_tuples_and_none_survive_json(tmp_path):
    original = ConfigDict({"widths": (1, (2.0, "x")), "group": {"nothing": None, "empty": ()}})
    config.save(original, tmp_path / "config.json")
    assert config.read(tmp_path / "config.json").to_dict() == original.to_dict()


@pytest.mark.parametrize("text", ["", "[1]", "{", "3"])
def test_a_damaged_config_is_refused(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with refused("is not a config that ganzoo saved"):
        config.read(path)


def test_a_renamed_argument_is_still_read(tmp_path):
    small = config.load("srgan")
    small.model.flat_region_weight = 0.5
    text = config.to_json(small).replace("flat_region_weight", "evenness_weight")
    (tmp_path / "config.json").write_text(text)
    assert config.read(tmp_path / "config.json") == small
    words = cli.expand_argv(["", "--model=srgan", "--config.model.evenness_weight=0.5"])
    assert words[-1] == "--config.model.flat_region_weight=0.5"


def test_the_decay_of_before_there_were_schedules_is_still_read(tmp_path):
    """In files of runs, and as flags."""
    recipe = config.load("cyclegan_small")
    saved = recipe.to_dict()
    for options in saved["optimizers"].values():
        decay = {"decay_start_images": 4_000, "decay_end_images": 8_000, "final_learning_rate": 0.0}
        options.update(decay, learning_rate=2e-4)
        del options["name"]
    (tmp_path / "config.json").write_text(json.dumps(saved))
    assert config.read(tmp_path / "config.json") == recipe
    adam = "--config.optimizers.generators"
    words = [f"{adam}.decay_end_images=9000", "--config.seed=1", f"{adam}.learning_rate=1e-4"]
    assert cli.expand_argv(["", "--config=cyclegan_small", *words])[2:] == [
        "--config.seed=1",
        f"{adam}.learning_rate=('linear', (4000, 0.0001), (9000, 0.0))",
    ]
    (tmp_path / "mine.py").write_text(
        "from ganzoo.config import load\n"
        "def get_config():\n"
        "    config = load('dcgan')\n"
        "    config.optimizers.generator.decay_end_images = 9\n"
    )
    with refused("decay_end_images is now part of the learning rate, as in learning_rate = ("):
        config.load(tmp_path / "mine.py")
    with refused(f"{adam}.decay_end_images=soon: expected int"):
        cli.expand_argv(["", "--config=cyclegan_small", f"{adam}.decay_end_images=soon"])


def test_the_optimizer_of_a_player_may_be_another_with_its_own_arguments(small):
    small.optimizers.discriminator = optimizer("RMSprop", learning_rate=5e-5, rho=0.99)
    config.validate(small)
    small.optimizers.discriminator.learning_rate = 0.0
    with refused("config.optimizers.discriminator.learning_rate = 0.0; expected a number above 0"):
        config.validate(small)
    small.optimizers.discriminator = optimizer("Adam", rho=0.99)
    with refused("Unknown config key 'optimizers.discriminator.rho'"):
        config.validate(small)


def test_only_what_reaches_a_weight_is_a_harmful_change(small):
    changed = config.load("ssgan_cifar10_small")
    changed.update_from_flattened_dict({"total_images": 64, "data.data_dir": "/data"})
    assert config.diff(small, changed) == [
        "data.data_dir: None -> '/data'",
        f"total_images: {small.total_images} -> 64",
    ]
    assert config.blocking_changes(small, changed) == []
    changed.batch_size = 16
    assert config.blocking_changes(small, changed) == ["batch_size: 32 -> 16"]


def test_a_key_younger_than_the_run_may_have_its_default(small):
    old = ConfigDict(small.to_dict())
    del old["augment"]
    assert config.blocking_changes(old, small) == []
    small.augment.pipe = "bgc"
    assert config.blocking_changes(old, small) == ["augment.pipe: (absent) -> 'bgc'"]


def test_the_data_that_a_model_was_made_of(small, tmp_path):
    config.save(small, tmp_path / "config.json")
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "config.json").write_text('{"model_name": "ssgan", "model": {}}')
    for model in (tmp_path, tmp_path / "best", "ssgan_cifar10_small"):
        assert config.data_of(model) == dict(small.data)
    for model in ("nobody", tmp_path / "config.json"):
        assert config.data_of(model) == {}
    (tmp_path / "config.json").unlink()
    assert config.data_of(tmp_path / "best") == {}


def test_keys_of_one_side_only_are_shown_as_absent():
    old, new = ConfigDict({"a": 1}), ConfigDict({"b": None})
    assert config.diff(old, new) == ["a: 1 -> (absent)", "b: (absent) -> None"]


def test_fill_sets_placeholders_only():
    recipe = config.load("ssgan")
    inferred = {"model.image_size": 32, "model.latent_dim": 7, "model.depth": 3}
    assert config.fill(recipe, inferred) == ["model.image_size = 32"]
    assert (recipe.model.image_size, recipe.model.latent_dim) == (32, 128)
    assert config.fill(recipe, {"model.image_size": 64}) == []


@pytest.mark.parametrize(("images", "expected"), [(0, 0), (1, 1), (64, 1), (65, 2), (128, 2)])
def test_durations_in_images_are_rounded_up_to_steps(images, expected):
    assert config.steps(images, batch_size=64) == expected


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        ("cifar10", "cifar10"),
        ("folder:/photos/My Cats/", "my_cats"),
        ("folder:/photos/cats.v2.ZIP", "cats_v2"),
        ("cifar10:3.0.2", "cifar10_3_0_2"),
        ("folder:..", "folder"),
    ],
)
def test_slugs_are_file_names(dataset, expected):
    assert config.slug(dataset) == expected


def _nested(flat: dict) -> ConfigDict:
    """A config with none of the recipe's locks and types."""
    nested: dict = {}
    for key, value in flat.items():
        *groups, leaf = key.split(".")
        place = nested
        for group in groups:
            place = place.setdefault(group, {})
        place[leaf] = value
    return ConfigDict(nested)
