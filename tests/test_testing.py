"""The conformance suite outside of the tree: for a model of one's own, in a folder of its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest

from ganzoo.testing import suite

ROOT = Path(__file__).parents[1]
MODEL = """
    import tensorflow as tf
    from ganzoo import config
    from ganzoo.models.dcgan import DCGAN

    class Mine(DCGAN):
        pass

    class Unseeded(DCGAN):
        def draw_latents(self, random, count):
            return tf.random.normal([count, self.latent_dim])

    def get_config():
        default = config.load("dcgan")
        default.model_name = "mine_gan:Mine"
        return default
"""
RECIPE = """
    from mine_gan import get_config as default

    def get_config():
        config = default()
        config.model_name = "mine_gan:Unseeded"
        return config
"""
TESTS = """
    from ganzoo.testing.suite import *

    MODELS = ["mine_gan:Mine"]
"""


@pytest.fixture
def there(tmp_path):
    """A folder with a model, a recipe of another class, and a file of tests."""
    for name, text in (("mine_gan", MODEL), ("unseeded", RECIPE), ("test_mine", TESTS)):
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
    return tmp_path


def run_tests(folder, *arguments):
    """The exit code of `python -m ARGUMENTS`, and what was printed."""
    command = [sys.executable, "-m", *arguments, "-q", "-p", "no:cacheprovider"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return done.returncode, done.stdout


@pytest.mark.slow
def test_a_model_in_a_module_is_tested_by_the_command(there):
    code, out = run_tests(
        there, "ganzoo.testing", "mine_gan:Mine", "-k", "in_range or two_replicas"
    )
    assert code == 0 and "2 passed" in out, out


@pytest.mark.slow
def test_a_promise_that_is_broken_is_found(there):
    code, out = run_tests(there, "ganzoo.testing", "unseeded.py", "-k", "seed_and_a_step")
    assert code == 1 and "1 failed" in out, out


@pytest.mark.slow
def test_a_file_of_three_lines_has_all_tests(there):
    code, out = run_tests(there, "pytest", "test_mine.py", "-k", "in_range")
    assert code == 0 and "2 passed" in out, out  # with those of the second tier
    code, out = run_tests(there, "pytest", "test_mine.py", "--co", "-k", "replicas or stopped")
    assert "test_mine.py::test_two_replicas_equal_one_and_never_differ[mine_gan:Mine]" in out
    assert "test_mine.py::test_a_stopped_training_ends_with_the_same_bits[mine_gan:Mine]" in out


@pytest.mark.parametrize("chosen", [None, ["a:A"]])
def test_tests_without_a_model_are_refused(chosen):
    """Or a file that misspells MODELS would pass, with no test at all."""
    metafunc = SimpleNamespace(
        config=SimpleNamespace(getoption=lambda *args: chosen),
        module=SimpleNamespace(__file__="test_mine.py"),
        fixturenames=["name"],
        parametrize=lambda *args: made.append(args),
    )
    made = []
    if chosen is None:
        with pytest.raises(pytest.UsageError, match=r"Expected MODELS = \[NAME\] in test_mine.py"):
            suite.pytest_generate_tests(metafunc)
    else:
        suite.pytest_generate_tests(metafunc)
    assert made == ([] if chosen is None else [("name", ["a:A"])])
