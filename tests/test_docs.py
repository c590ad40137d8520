"""What the documentation tells to type is right: commands parse, names exist, Python compiles.

Commands are not run, nor their modules imported: the definitions of flags are read out of them.
"""

import ast
import functools
import json
import re
import runpy
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from absl import flags
from PIL import Image

import ganzoo
from ganzoo import cli, config, metrics, models
from ganzoo.benchmark import cases
from ganzoo.errors import UserError
from ganzoo.recipes import MODELS

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "ganzoo" / "models" / "pretrained").glob("*/card.md")),
]
COMMANDS = [*PAGES, *sorted((ROOT / "configs").glob("[!_]*.py"))]
COMMAND = re.compile(r"(?<!`)`(python -m ganzoo[^`]+)`(?!`)|^ *(python -m ganzoo.*)$", re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
PLACEHOLDER = re.compile(r"[A-Z_]+")  # such as NAME, which the reader replaces
NAMES = tuple(MODELS)  # without that of the guide
PRESETS = runpy.run_path(str(ROOT / "ganzoo" / "models" / "named.py"))["TABLE"]
MODEL, RECIPE, *_ = PYTHON.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))


def commands() -> list:
    """Every `python -m ganzoo...`, on a line of its own or between backticks, once."""
    found = {}
    for page in COMMANDS:
        text = re.sub(r"\\\n\s*", "", page.read_text(encoding="utf-8"))  # lines that go on
        for match in COMMAND.finditer(text):
            words = re.sub(r"\([^)]*\)|  #.*", "", match[1] or match[2])  # remarks
            found.setdefault(" ".join(words.split()), page.name)
    return [pytest.param(command, id=f"{page}: {command}") for command, page in found.items()]


def main_of(module: str) -> ast.Module:
    """The syntax tree of what `python -m module` runs."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    assert path.is_file(), f"there is no {module}"
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST, owner: str) -> Iterator[tuple[str, list, dict]]:
    """Calls of a module's functions: name, arguments, keywords; what is no literal is None."""
    for node in ast.walk(tree):
        function = getattr(node, "func", None)
        if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == owner:
            named = {word.arg: literal(word.value) for word in node.keywords}
            yield function.attr, [literal(value) for value in node.args], named


def literal(node: ast.AST):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def define_flags(tree: ast.AST, values: flags.FlagValues) -> None:
    """Defines in `values` what the module defines when it is run."""
    for name, arguments, named in calls(tree, "flags"):
        if name == "DEFINE_enum" and arguments[2] is None:  # its choices are computed
            name, arguments = "DEFINE_string", arguments[:2] + arguments[3:]
        if name.startswith("DEFINE_"):
            getattr(flags, name)(*arguments, **named, flag_values=values)


def parse(module: str, arguments: list[str]) -> flags.FlagValues:
    """The flags of a command by the definitions of its module; refuses words that it refuses."""
    tree, values = main_of(module), flags.FlagValues()
    values.set_gnu_getopt()
    define_flags(tree, values)
    shared = {node.name: node for node in main_of("ganzoo.cli").body if hasattr(node, "name")}
    define_flags(shared["defined"], values)
    of_cli = {name: (given, named) for name, given, named in calls(tree, "cli")}
    argv = [module, *arguments]
    if module == "ganzoo.benchmark":
        argv = cases.spelled_out(argv)
    if "define_device_flags" in of_cli:
        define_flags(shared["define_device_flags"], values)
    if "define_config_flags" in of_cli:
        flags.DEFINE_string("config", None, "", flag_values=values)
        argv = cli.define_recipe(argv, values)
    (_, *known), named = of_cli["run"]
    if "describe" in named:  # a model declares more flags
        words = values([word for word in argv if word != "--help"], known_only=True)[1:]
        assert cli.flags_in(words).keys() <= declared_flags(), f"{module} takes no {words}"
        return values
    words = values(argv)[1:]
    assert "commands" in named or set(words) <= set(*known[1:]), f"{module} takes no {words}"
    return values


@functools.cache
def declared_flags() -> set[str]:
    """Those of the modes of all models."""
    built = [models.construct(name, **models.model_class(name).TINY) for name in NAMES]
    modes = [mode for model in built for mode in model.modes().values()]
    return {"classes", *(flag for mode in modes for flag in mode.flags())}


@pytest.fixture
def _guides_recipe(tmp_path, monkeypatch):
    """The recipe that CONTRIBUTING.md writes lies among the others, and in a module."""
    folder = shutil.copytree(config.folder(), tmp_path / "configs")
    (folder / "minimal.py").write_text(RECIPE, encoding="utf-8")
    monkeypatch.setattr(config, "folder", lambda: folder)
    own = {**MODELS.bundled, "minimal": "ganzoo.models.minimal:Minimal"}
    monkeypatch.setattr(MODELS, "bundled", own)
    for name in ("my_gan", "my_recipe"):
        text = RECIPE.replace('"minimal"', '"my_gan:MyGAN"')
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)


def check(command: str) -> None:
    _, _, module, *arguments = shlex.split(command)
    if module == "ganzoo.testing":  # its options are those of pytest
        assert ":" in arguments[0] or arguments[0] in {*MODELS, "NAME"}
        return
    values = parse(module, arguments)
    if "config" in values and values.config is not None:
        config.validate(values.config)
    if "model" in values and values.model is not None:
        require_model(values.model)
    if "metrics" in values:
        require_metrics(values.metrics or [])
    words = [word for word in arguments if not word.startswith("-")]
    if module == "ganzoo.models" and words[0] in ("info", "fetch"):
        for name in words[1:]:
            require_model(name)


def require_model(name: str) -> None:
    assert name in PRESETS or "/" in name or PLACEHOLDER.fullmatch(name), f"no model {name}"


def require_metrics(names: list[str]) -> None:
    for name in names:
        if name not in metrics.RECONSTRUCTION and not name.startswith("lpips-"):
            assert name == "..." or metrics.parse(name)


@pytest.mark.usefixtures("_guides_recipe")
@pytest.mark.parametrize("command", commands())
def test_a_command_parses(command):
    check(command)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("ganzoo.nothing", AssertionError),
        ("ganzoo.generate --nothing=1", AssertionError),
        ("ganzoo.generate --num=many", flags.IllegalFlagValueError),
        ("ganzoo.generate --model=nothing", AssertionError),
        ("ganzoo.evaluate --metrics=fid", UserError),
        ("ganzoo.train --model=ssgan --dataset=shapes --config.model.nothing=1", UserError),
        ("ganzoo.train --model=ssgan --dataset=shapes --jit=perhaps", UserError),
        ("ganzoo.train --model=nothing --dataset=shapes", UserError),
        ("ganzoo.train now --model=ssgan --dataset=shapes", AssertionError),
        ("ganzoo.data look --dataset=shapes", AssertionError),
        ("ganzoo.models info nothing", AssertionError),
    ],
)
def test_a_mistake_in_a_command_is_found(command, error):
    with pytest.raises(error):
        check(f"python -m {command}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_compiles(page):
    for code in PYTHON.findall(page.read_text(encoding="utf-8")):
        compile(code, str(page), "exec")


def test_the_model_of_the_guide_trains():
    names = {"__name__": "minimal"}
    exec(compile(MODEL, "minimal.py", "exec"), names)
    model = names["Minimal"](**names["Minimal"].TINY)
    model.build()
    model.compile({player: keras.optimizers.Adam(1e-3) for player in model.players()}, batch_size=2)
    before = model.generate(1)
    images = tf.random.stateless_uniform([4, 32, 32, 3], seed=[0, 0], minval=-1.0)
    model.fit(tf.data.Dataset.from_tensor_slices({"image": images}).batch(2, True), shuffle=False)
    assert model.step == 2 and abs(model.generate(1) - before).max() > 0


@pytest.mark.slow
def test_the_stored_pictures_are_what_their_program_makes():
    program = runpy.run_path(str(ROOT / "docs" / "pictures.py"))
    for name, picture in program["all_pictures"]().items():
        stored = np.asarray(Image.open(program["FOLDER"] / f"{name}.png"), np.float32)
        assert np.abs(stored - picture.squeeze()).mean() < 1, name  # processors round differently


@pytest.fixture
def model_pages():
    return SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "model_pages.py")))


def test_the_readmes_rows_are_those_of_recipes_and_cards(model_pages):
    readme = (ROOT / "README.md").read_text("utf-8")
    assert model_pages.with_rows(readme) == readme, "write them by python docs/model_pages.py"
    configs = [preset.folder / "config.json" for preset in PRESETS.values() if preset.folder]
    trained = {json.loads(path.read_text(encoding="utf-8"))["model_name"] for path in configs}
    assert readme.count("see [measured](docs/measured.md) |") == len(trained)


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if preset.url is None])
def test_the_figure_of_a_card_is_what_it_says_was_measured(name):
    card = PRESETS[name].card()
    (line,) = re.findall("^- Figure: (.*)$", card, re.MULTILINE)
    figures = re.findall(r"(?<= )\d[\d,.]*\d", re.sub(r"`[^`]*`", "", line))
    assert figures
    for figure in figures:
        assert card.count(figure) > 1, figure


@pytest.mark.parametrize("name", MODELS.bundled)
def test_every_recipe_is_shown_on_its_models_page(name, model_pages):
    page = model_pages.page(name)
    for recipe in model_pages.recipes_of(name):
        assert page.count(f'--8<-- "configs/{config.resolve(recipe).name}"') == 1


def test_a_model_needs_no_page_by_hand(model_pages, monkeypatch, tmp_path):
    monkeypatch.setitem(model_pages.page.__globals__, "_BY_HAND", tmp_path)
    page = model_pages.page("dcgan")
    assert page.startswith("# DCGAN\n\nUnsupervised Representation Learning")
    assert "[arXiv 1511.06434](https://arxiv.org/abs/1511.06434)" in page
    assert "#ganzoo.models.dcgan.DCGAN)" in page and '--8<-- "configs/dcgan_mnist.py"' in page
    assert "L_G = -log D(G(z))" in page


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {ganzoo.__version__}\n" in citation
