"""What holds for the package as a whole: its layers, its import time, its contents."""

import ast
import graphlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from absl import flags

import ganzoo

ROOT = Path(__file__).parents[1]
RANKS = (
    "quiet errors backends arrays files config recipes cli photos images bicubic tiles runs "
    "devices layers",
    "seeds ema optimizers plots weights",
    "augment losses",
    "engine latents styles translation checkpoints",
    "data",
    "models metrics outputs",
    "callbacks evaluation",
    "trainer",
    "train generate evaluate benchmark convert report demo",
)
RANK = {name: rank for rank, names in enumerate(RANKS) for name in names.split()}


def _modules() -> dict[str, Path]:
    names = {}
    for path in (ROOT / "ganzoo").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        names[".".join(parts).removesuffix(".__init__")] = path
    return names


MODULES = _modules()


def _imports(path: Path) -> Iterator[str]:
    """The modules of ganzoo that a file imports, at its top or inside its functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "ganzoo":
                yield name if name in MODULES else name.rpartition(".")[0]


def _rank(module: str) -> int:
    part = module.split(".")[1]
    assert part in RANK, f"ganzoo.{part} needs a rank in RANKS"
    return RANK[part]


def _folder(module: str) -> str:
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


@pytest.mark.parametrize("module", sorted(MODULES.keys() - {"ganzoo"}))
def test_a_module_imports_lower_ranks_or_siblings_only(module):
    for other in set(_imports(MODULES[module])) - {"ganzoo"}:
        sibling = f"{module}.".startswith(f"{_folder(other)}.")
        assert _rank(other) < _rank(module) + sibling, f"{module} must not import {other}"


def test_no_imports_form_a_cycle():
    graphlib.TopologicalSorter({m: set(_imports(p)) for m, p in MODULES.items()}).prepare()


def test_the_import_is_quick_and_loads_no_tensorflow():
    code = "import sys; before = set(sys.modules); import ganzoo; print(*set(sys.modules) - before)"
    # Without site-packages, of which some bring modules along when Python starts.
    loaded = {name.partition(".")[0] for name in _python("-S", "-c", code).split()}
    assert loaded - sys.stdlib_module_names == {"ganzoo"}
    assert len(loaded) < 40
    code = "import sys, ganzoo.config, ganzoo.cli; print(*sys.modules)"
    assert not {"tensorflow", "keras", "numpy"} & set(_python("-c", code).split())


@pytest.mark.parametrize("fails", [False, True])
def test_what_tensorflow_writes_is_shown_where_it_fails(tmp_path, fails):
    (tmp_path / "tensorflow.py").write_text(
        "import os, types\n"
        "os.write(2, b'E0000 failed call to cuInit\\n')\n"
        "config = types.SimpleNamespace(list_physical_devices=lambda: os.write(2, b'once more'))\n"
        f"assert not {fails}\n"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import ganzoo, tensorflow"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode != 0) == ("cuInit" in done.stderr) == fails
    assert ("once more" in done.stderr) is False


def test_every_module_can_be_imported_beside_every_other():
    before = set(flags.FLAGS)
    with mock.patch.dict(os.environ):  # the demo's settings are its own
        for module in MODULES:
            if module != "ganzoo.demo.page" or importlib.util.find_spec("gradio"):
                importlib.import_module(module)
    assert set(flags.FLAGS) == before  # those of commands are defined when one runs


def test_submodules_are_attributes_from_the_first_use_on():
    code = "import ganzoo; assert 'models' in dir(ganzoo); print(*ganzoo.recipes.MODELS)"
    assert "ssgan" in _python("-c", code).split()
    with pytest.raises(AttributeError, match="no attribute 'modles'"):
        _ = ganzoo.modles


def test_the_package_holds_every_module_and_config(tmp_path):
    _python("setup.py", "-q", "build", f"--build-base={tmp_path}", f"--build-lib={tmp_path}/lib")
    library = tmp_path / "lib"
    built = {path.relative_to(library) for path in library.rglob("*") if path.is_file()}
    configs = {Path("ganzoo") / path.relative_to(ROOT) for path in (ROOT / "configs").glob("*.py")}
    weights = (ROOT / "ganzoo" / "metrics" / "weights").glob("*.npz")
    models = (ROOT / "ganzoo" / "models" / "pretrained").glob("*/*")
    templates = (ROOT / "ganzoo" / "templates").glob("*")
    ours = {path.relative_to(ROOT) for path in (*MODULES.values(), *weights, *models, *templates)}
    assert built == ours | configs
    assert sum((ROOT / path).stat().st_size for path in ours) < 16 << 20

    code = "import ganzoo.config as c; print(c.folder(), *c.presets(), c.load('ssgan_mnist').seed)"
    folder, *presets, seed = _python("-c", code, folder=library).split()
    assert Path(folder) == library / "ganzoo" / "configs"
    assert presets == ganzoo.config.presets() and seed == "0"


def _python(*arguments: str, folder: Path = ROOT) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
