"""Measures training steps: python -m ganzoo.benchmark --model=all

Networks in their published sizes, or one of them (`--model=dcgan`), or any training (`--model=ssgan
--dataset=shapes`). Each combination of `--precisions` and `--jits` has a process of its own, and is
timed in turns with the others, round after round, so that the ratios hold on a machine whose speed
drifts. Other things than steps are measured with --part; docs/devices.md explains the columns.
"""

import functools
import itertools
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from absl import flags

from ganzoo import cli, models
from ganzoo.benchmark import cases, parts, tables
from ganzoo.benchmark.steps import Steps
from ganzoo.benchmark.worker import Worker

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this command."""
    cli.define_config_flags()
    cli.define_device_flags()
    flags.DEFINE_enum(
        "part",
        "steps",
        ["steps", "import", "load", "generate", "evaluate", "checkpoint", "data"],
        "what is measured",
    )
    flags.DEFINE_list("precisions", ["float32", "mixed_bfloat16"], "values of config.precision")
    flags.DEFINE_list("jits", ["off"], "values of config.jit")
    flags.DEFINE_integer("rounds", 5, "how often everything is timed", lower_bound=1)
    flags.DEFINE_boolean("profile", False, "show the ten operations that take longest")
    flags.DEFINE_string("json", None, "the file to write everything to")
    flags.DEFINE_string("compare", None, "an earlier such file")
    flags.DEFINE_string("preset", None, "a trained model, for --part=load and generate; None: all")
    flags.DEFINE_string("metric", None, "such as fd50k_lenet-mnist, for --part=evaluate")
    flags.DEFINE_list("weights", [], "the file of the metric's feature network")
    flags.DEFINE_integer("batches", 16, "of a metric's images in each round", lower_bound=1)


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
    part = "evaluate" if FLAGS.metric is not None else FLAGS.part
    if part in parts.OF_PRESETS:
        bundled = [name for name, preset in models.presets().items() if preset.url is None]
        presets = bundled if FLAGS.preset in (None, "all") else [FLAGS.preset]
        return [row for one in presets for row in _in_turns(one, parts.OF_PRESETS[part], one)]
    config, name = cli.from_flags(), name or cli.run_name()
    if part == "steps":
        return _steps(name, config)
    config.precision, config.jit = FLAGS.precisions[0], FLAGS.jits[0]
    return _in_turns(name, parts.OF_CONFIGS[part], config)


def _steps(name: str, config) -> list[dict]:
    """Every combination in a process of its own, in turns."""
    with ExitStack() as stack:
        workers = {}
        for precision, jit in itertools.product(FLAGS.precisions, FLAGS.jits):
            options = (config, precision, jit, FLAGS.profile, FLAGS.devices, FLAGS.tpu)
            worker = workers[f"{name} {precision}, jit {jit}"] = Worker(Steps, *options)
            stack.callback(worker.close)
        for _ in range(FLAGS.rounds):
            for worker in workers.values():
                worker("round")
        return [{"of": of} | row for of, worker in workers.items() for row in worker("rows")]


def _in_turns(name: str, part, subject) -> list[dict]:
    """The values of a part, round after round."""
    rounds = list(itertools.islice(part(subject, FLAGS), FLAGS.rounds))
    return [
        {"of": name, "what": what, "unit": unit, "values": [one[what, unit] for one in rounds]}
        for what, unit in rounds[0]
    ]


if __name__ == "__main__":
    names, rest = cases.chosen(sys.argv)
    sys.argv = cases.spelled_out(sys.argv)
    cli.run(functools.partial(main, names, rest), define_flags)
