"""Measures training steps: python -m ganzoo.benchmark --model=all

Networks in their published sizes, or one of them (`--model=dcgan`), or any training (`--model=ssgan
--dataset=shapes`). Each combination of `--precisions` and `--jits` has a process of its own, and is
timed in turns with the others, round after round, so that the ratios hold on a machine whose speed
drifts. docs/devices.md explains the columns.
"""

import functools
import itertools
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from absl import flags

from ganzoo import cli
from ganzoo.benchmark import cases, tables
from ganzoo.benchmark.steps import Steps, Worker

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this command."""
    cli.define_config_flags()
    cli.define_device_flags()
    flags.DEFINE_list("precisions", ["float32", "mixed_bfloat16"], "values of config.precision")
    flags.DEFINE_list("jits", ["off"], "values of config.jit")
    flags.DEFINE_integer("rounds", 5, "how often everything is timed", lower_bound=1)
    flags.DEFINE_string("json", None, "the file to write everything to")
    flags.DEFINE_string("compare", None, "an earlier such file")


def main(names: list[str], rest: list[str], argv: list[str]) -> None:
    """The command line.

    Args:
        names: the cases that it names.
        rest: its words but for them.
        argv: the words beside flags.
    """
    earlier = None if FLAGS.compare is None else tables.read(FLAGS.compare)
    if len(names) > 1:
        rows = [row for name in names for row in _in_a_process(name, rest[1:])]
    else:
        rows = _measure(*names)
        print(tables.shown(rows))
    if FLAGS.json is not None:
        tables.save(rows, FLAGS.json)
    if earlier is not None and len(names) < 2:
        print(f"\n{tables.compared(rows, earlier)}")


def _in_a_process(name: str, rest: list[str]) -> list[dict]:
    """The rows of one case, which shows them itself."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "ganzoo.benchmark", *rest]
        code = subprocess.run([*command, f"--model={name}", f"--json={path}"]).returncode
        if code:
            sys.exit(code)
        return tables.read(path)


def _measure(name: str | None = None) -> list[dict]:
    """The rows of every combination, each in a process of its own, in turns."""
    config, name = cli.from_flags(), name or cli.run_name()
    with ExitStack() as stack:
        workers = {}
        for precision, jit in itertools.product(FLAGS.precisions, FLAGS.jits):
            worker = Worker(Steps, config, precision, jit, FLAGS.devices, FLAGS.tpu)
            workers[f"{name} {precision}, jit {jit}"] = worker
            stack.callback(worker.close)
        for _ in range(FLAGS.rounds):
            for worker in workers.values():
                worker("round")
        return [{"of": of} | row for of, worker in workers.items() for row in worker("rows")]


if __name__ == "__main__":
    names, rest = cases.chosen(sys.argv)
    sys.argv = cases.spelled_out(sys.argv)
    cli.run(functools.partial(main, names, rest), define_flags)
