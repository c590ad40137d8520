"""The conformance suite: what every model must do, for those that come with ganzoo and your own.

    python -m ganzoo.testing my_module:MyGAN
    python -m ganzoo.testing my_module:MyGAN -k xla  # options are those of pytest

A file of tests of your own has the same ones:

    from ganzoo.testing.suite import *

    MODELS = ["my_module:MyGAN"]

Tests run on the CPU. The process is made one for tests where this package is imported before
TensorFlow is. It needs pytest: pip install pytest.
"""

import contextlib

import pytest

from ganzoo.testing.processes import FRESH, free, two_cpus

pytest.register_assert_rewrite("ganzoo.testing.suite", "ganzoo.testing.subject")


def run(*arguments: str) -> int:
    """Tests models in this process, and returns pytest's exit code: 0 when all passed.

    Args:
        *arguments: the models, each a key of `MODELS`, "module:Class" or a config file; then
            options of pytest. Those that choose tests are `-k WORDS`, and `-m slow` for the tests
            of the second tier, which take long.
    """
    options = [index for index, word in enumerate(arguments) if word.startswith("-")]
    first = min(options, default=len(arguments))
    models = [f"--ganzoo-model={name}" for name in arguments[:first]]
    suite = ["-p", "ganzoo.testing.plugin", "--pyargs", "ganzoo.testing.suite", "-m", "not slow"]
    with contextlib.nullcontext() if FRESH else _on_the_cpu():
        return int(pytest.main([*suite, *models, *arguments[first:]]))


def _on_the_cpu() -> contextlib.AbstractContextManager:
    import tensorflow as tf

    return tf.device("CPU:0")
