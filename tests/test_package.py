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
    "devices layers schedules",
    "seeds ema optimizers plots weights",
    "augment losses inputs",
    "engine latents styles translation checkpoints",
    "data programs",
    "classifying",
    "models metrics outputs",
    "callbacks evaluation",
    "trainer",
    "train generate evaluate benchmark convert report demo testing",
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


# What executes what it is given, or fetches what nobody verifies; by the last parts of its name.
EXECUTES = (
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "pty.spawn"),
    *("pickle.load", "pickle.loads", "pickle.Unpickler", "dill.load", "joblib.load", "torch.load"),
    *("marshal.load", "marshal.loads", "shelve.open", "yaml.load", "runpy.run_path"),
    *("numpy.fromfile", "load_model", "enable_unsafe_deserialization", "extractall"),
    *("urlopen", "urlretrieve", "get_file", "requests.get", "requests.post", "import_module"),
)
# A config is a program that the user names; downloads are verified; Keras loads in its safe mode.
# Modules are ganzoo's own, those of installed packages, and those that the user names in a config,
# in --model or in --imports; `test_registry.py` proves that a file which is read names none.
ALLOWED = {
    "ganzoo/config.py": {"runpy.run_path", "import_module"},
    "ganzoo/recipes.py": {"import_module"},
    "ganzoo/cli.py": {"import_module"},
    "ganzoo/__init__.py": {"import_module"},
    "ganzoo/benchmark/__main__.py": {"subprocess"},
    "ganzoo/benchmark/steps.py": {"multiprocessing"},
    "ganzoo/models/registry.py": {"import_module"},
    "ganzoo/weights/download.py": {"requests.get"},
    "ganzoo/testing/processes.py": {"ctypes"},  # gives free memory back
    "ganzoo/testing/suite.py": {"load_model"},
    "ganzoo/metrics/networks.py": {"load_model"},
    "ganzoo/models/exports.py": {"load_model"},
}
UNSAFE = {"shell": False, "allow_pickle": False, "safe_mode": True, "verify": True}
VERIFIED = {"get_file": "file_hash"}


def _unsafe_calls(text: str) -> Iterator[str]:
    """The calls that execute or fetch, by what `EXECUTES` calls them or by an argument."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            yield from {"subprocess", "multiprocessing", "ctypes"} & set(names)
        if not isinstance(node, ast.Call):
            continue
        called, given = ast.unparse(node.func), {word.arg: word.value for word in node.keywords}
        yield from (
            name
            for name in EXECUTES
            if called == name or (called.endswith(f".{name}") and name not in ("compile", "eval"))
        )
        for name, safe in UNSAFE.items():
            if name in given and getattr(given[name], "value", None) is not safe:
                yield f"{name}={ast.unparse(given[name])}"
        for name, needed in VERIFIED.items():
            if called.endswith(name) and needed not in given:
                yield f"{name} without {needed}"


@pytest.mark.parametrize(
    "text, found",
    [
        ("import pickle\npickle.loads(x)", "pickle.loads"),
        ("eval('1')", "eval"),
        ("np.load(x, allow_pickle=flag)", "allow_pickle=flag"),
        ("from subprocess import run", "subprocess"),
        ("keras.utils.get_file(a, file_hash=None or b)", "get_file"),
        ("urllib.request.urlopen(url)", "urlopen"),
        ("tar.extractall()", "extractall"),
    ],
)
def test_what_executes_is_found(text, found):
    assert list(_unsafe_calls(text)) == [found]


def test_nothing_that_is_read_is_executed_and_nothing_fetched_without_a_hash():
    paths = [*(ROOT / "ganzoo").rglob("*.py"), *(ROOT / "configs").glob("*.py")]
    found = {}
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        found[name] = set(_unsafe_calls(path.read_text(encoding="utf-8")))
    assert len(paths) > 100 and {name: calls for name, calls in found.items() if calls} == ALLOWED


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

    code = "import ganzoo.config as c; print(c.folder(), *c.bundled(), c.load('ssgan_mnist').seed)"
    folder, *recipes, seed = _python("-c", code, folder=library).split()
    assert Path(folder) == library / "ganzoo" / "configs"
    assert recipes == ganzoo.config.bundled() and seed == "0"


def _python(*arguments: str, folder: Path = ROOT) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout
