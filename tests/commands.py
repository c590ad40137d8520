"""Commands as a person gives them, in the process of the tests."""

import contextlib
import io
import runpy
import sys
import warnings
from collections.abc import Callable
from typing import NamedTuple
from unittest import mock


class Done(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str


def run(module: str, *arguments) -> Done:
    """`python -m ganzoo.MODULE ARGUMENTS`, without a process of its own."""

    def command():
        warnings.filterwarnings("ignore", ".*found in sys.modules", RuntimeWarning)
        runpy.run_module(f"ganzoo.{module}", run_name="__main__", alter_sys=True)

    return call(command, *arguments)


def call(command: Callable[[], None], *arguments) -> Done:
    """What a command does with some arguments."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["command", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        try:
            command()
            code = 0
        except SystemExit as end:
            code = end.code or 0
    return Done(code, out.getvalue(), err.getvalue())
