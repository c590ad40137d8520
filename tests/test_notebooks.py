"""Every notebook is complete as it is stored, and runs, in miniature and without a network."""

import ast
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
COLAB = "https://colab.research.google.com/github/ganzoo/ganzoo/blob/main/notebooks"
WARNING = re.compile(r"\w*Warning\b|WARNING:tensorflow")
SOLUTION = re.compile(r"```python\n(.*?)```", re.DOTALL)
NEEDED = re.compile(r"""^ *(?:import|from) (\w+)|"-m", "(\w+)\"""", re.MULTILINE)
BROUGHT = {"h5py", "keras", "ml_collections", "numpy", "tensorflow"}  # by ganzoo
BROUGHT |= {"sklearn"}  # by mlxtend
TIMEOUT = 1200  # seconds for a cell, on a machine that is busy
LARGEST = 1_500_000  # bytes of a notebook
LONGEST = 25  # lines of a cell, unless it writes a file

# What the cell tagged "parameters" is followed by: seconds instead of minutes.
TINY = {
    "01_generate": {"NUM_IMAGES": 20, "NUM_LATENTS": 200, "NUM_FRAMES": 5, "PHOTO_SIDE": 64},
    "02_dcgan_from_scratch": {
        "WIDTH": 4,
        "BATCH": 16,
        "TRAIN_IMAGES": 128,
        "WIN_IMAGES": 64,
        "COLLAPSE_IMAGES": 64,
        "CURE_IMAGES": 64,
        "EXERCISE_STEPS": 5,
    },
    "03_ssgan_rotation": {
        "WIDTH": 4,
        "TASK_STEPS": 2,
        "POINTS": 1,
        "NUM_DIGITS": 100,
        "TRAIN_IMAGES": 64,
        "TRAIN_WIDTH": 4,
        "NUM_DRAWINGS": 100,
        "NUM_TEST": 50,
        "NUM_SEEDS": 1,
    },
    "04_cyclegan": {"WIDTH": 4, "TRAIN_IMAGES": 16, "FOLDER_IMAGES": 8, "NUM_TEST": 8},
    "05_srgan": {"PATCH": 16, "NUM_PATCHES": 32, "EPOCHS": 1, "WIDTH": 4, "SRGAN_IMAGES": 32},
    "06_stylegan2_ada_small_data": {
        "IMAGE_SIZE": 16,
        "NUM_IMAGES": 48,
        "WIDEST": 8,
        "TRAIN_IMAGES": 320,
        "SPEED_IMAGES": 1000,
        "PROJECT_STEPS": 2,
    },
    "07_write_your_own_gan": {
        "TRAIN_IMAGES": 64,
        "NUM_DIGITS": 50,
        "BATCH": 16,
        "WIDTH": 8,
        "TESTS": "in_range or no_others or everything",
    },
    "08_scale_up": {"WIDTH": 4, "BATCH": 16, "ROUNDS": 1, "RUN_IMAGES": 640},
}


def stored(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(book):
    return [cell for cell in book.cells if cell.cell_type == "code"]


def solutions(book):
    """Code of the exercises' solutions, as cells."""
    return [nbformat.v4.new_code_cell(code) for code in SOLUTION.findall(book.cells[-1].source)]


def parameters(book):
    """Where the one cell of settings is."""
    tags = [cell.metadata.get("tags", []) for cell in book.cells]
    (found,) = (index for index, own in enumerate(tags) if "parameters" in own)
    return found


def assigned(cell):
    """Names and values of a cell that holds nothing but assignments of literals."""
    statements = ast.parse(cell.source).body
    return {node.targets[0].id: ast.literal_eval(node.value) for node in statements}


def written(outputs):
    """All text in outputs, errors included."""
    texts = []
    for output in outputs:
        texts += [output.get("text", ""), *output.get("traceback", [])]
        texts += [str(v) for k, v in output.get("data", {}).items() if k.startswith("text/")]
    return "".join(texts)


def test_each_notebook_has_tiny_settings():
    assert sorted(TINY) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_complete(name):
    path, book = FOLDER / f"{name}.ipynb", stored(name)
    nbformat.validate(book)
    assert f"{COLAB}/{path.name}" in book.cells[0].source
    settings = assigned(book.cells[parameters(book)])
    assert settings["GPU"] is False
    assert TINY[name].keys() <= settings.keys()
    assert "<details>" in book.cells[-1].source  # exercises, with their solutions folded
    assert path.stat().st_size < LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_the_first_cell_installs_what_a_notebook_needs(name):
    cells = [cell.source for cell in code_cells(stored(name))]
    sources = ast.parse(cells[0].partition("missing =")[0]).body[-1]
    installed = ast.literal_eval(sources.value).keys()
    code = "\n".join(source for source in cells if not source.startswith("%%writefile"))
    needed = {first or second for first, second in NEEDED.findall(code)}
    assert needed <= sys.stdlib_module_names | BROUGHT | installed


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_were_run_in_order(name):
    cells = code_cells(stored(name))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert cell.source.startswith("%%writefile") or len(cell.source.splitlines()) <= LONGEST
    shown = [output for cell in cells for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert not [output for output in shown if output.output_type == "error"]
    assert not [output for output in shown if output.get("name") == "stderr"]


@pytest.mark.parametrize("name", NAMES)
def test_outputs_tell_nothing_of_the_machine(name):
    text = json.dumps(stored(name).cells)
    text = re.sub(r'"image/png": "[^"]*"', "", text)
    assert not re.search(r"(?<![\w.:/])/(home|root|tmp|work|usr|opt|var|Users)/", text)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # an install would fail
    book = stored(name)
    values = "\n".join(f"{key} = {value!r}" for key, value in TINY[name].items())
    injected = nbformat.v4.new_code_cell(values)
    book.cells.insert(parameters(book) + 1, injected)
    book.cells += solutions(book)
    (tmp_path / "work").mkdir()
    NotebookClient(
        book, timeout=TIMEOUT, resources={"metadata": {"path": str(tmp_path / "work")}}
    ).execute()
    for cell in code_cells(book):
        errors = [output for output in cell.outputs if output.get("name") == "stderr"]
        assert not WARNING.search(written(errors)), f"{cell.id}: {written(errors)}"
