"""Every command starts, says what it does and which flags it has."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from tests import commands

ROOT = Path(__file__).parents[1]


def _commands():
    """The title and a flag of each module that is run with `python -m`, by its name."""
    found = {}
    for path in sorted((ROOT / "ganzoo").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if '\nif __name__ == "__main__":' in text:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            title = ast.get_docstring(ast.parse(text)).splitlines()[0]
            found[name.removesuffix(".__main__")] = title
    return found


TITLES = _commands()


def test_the_commands_are_known():
    assert {"ganzoo.train", "ganzoo.generate", "ganzoo.data", "ganzoo.models"} <= TITLES.keys()


@pytest.mark.parametrize("name", TITLES)
def test_a_command_explains_itself(name):
    with mock.patch.dict(os.environ):  # the demo's settings are its own
        done = commands.run(name.removeprefix("ganzoo."), "--help")
    assert TITLES[name] in done.out and not done.err


@pytest.mark.slow
def test_the_program_that_trains_classifiers_starts():
    command = [sys.executable, "docs/train_classifier.py", "--name=none"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and "convnet-shapes, lenet-mnist" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", TITLES)
def test_a_command_starts_in_a_process_of_its_own(name):
    command = [sys.executable, "-m", name, "--nothing=1"]
    done = subprocess.run(command, capture_output=True, text=True)
    if name == "ganzoo.testing":  # whose options are pytest's
        assert done.returncode != 0 and "unrecognized arguments: --nothing=1" in done.stderr
        return
    assert done.returncode == 2 and "error: Unknown flag '--nothing'" in done.stderr
