"""Seconds of a training step with PyTorch and with ganzoo, in their published sizes.

    python tests/parity/speed.py --torch-python=PYTHON --mimicry=CHECKOUT --stylegan2-ada=CHECKOUT

PYTHON is an interpreter that has PyTorch, and the checkouts are of kwotsin/mimicry and of
NVlabs/stylegan2-ada-pytorch, which `--models=dcgan,srresnet,cyclegan` does without. The programs of
a model, what PyTorch's do is in `speed_torch.py`, run in turns, a step each in every round. A step
of ganzoo has all that training has: the input pipeline, logs and averages, too.
"""

import argparse
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from ganzoo import cli, devices
from ganzoo.benchmark import tables
from ganzoo.benchmark.cases import CASES
from ganzoo.benchmark.steps import Steps, Worker

STEPS = {"ssgan": 5}  # of ganzoo: five of the discriminator, one of the generator
GANZOO = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


class Torch:
    """PyTorch's side of a model, called for the seconds of a step."""

    def __init__(self, python, model, precision, *checkout):
        command = [python, Path(__file__).with_name("speed_torch.py"), model, precision, *checkout]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.version = self._line()

    def __call__(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._line())

    def close(self):
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()

    def _line(self):
        line = self.process.stdout.readline().strip()
        if not line:
            sys.exit(f"{self.process.args} failed")
        return line


class Ganzoo:
    """ganzoo's side, likewise."""

    def __init__(self, model, precision):
        with cli.defined(cli.define_config_flags) as own:
            cli.parse([sys.argv[0], *CASES[model].split()], own)
            config = cli.from_flags()
        self.steps = STEPS.get(model, 1)
        self.worker = Worker(Steps, config, GANZOO[precision], "off", None, None)
        self.close = self.worker.close

    def __call__(self):
        return self.steps * self.worker("round")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch-python", required=True, help="an interpreter that has PyTorch")
    parser.add_argument("--mimicry", help="a checkout of kwotsin/mimicry")
    parser.add_argument("--stylegan2-ada", help="a checkout of NVlabs/stylegan2-ada-pytorch")
    parser.add_argument("--models", default=",".join(CASES), help="with commas between them")
    parser.add_argument("--rounds", type=int, default=5, help="steps of each program")
    options = parser.parse_args()
    options.models = options.models.split(",")
    options.checkouts = {"ssgan": options.mimicry, "stylegan2_ada": options.stylegan2_ada}
    for model in options.models:
        if model not in CASES:
            parser.error(f"no model {model!r}; there are {', '.join(CASES)}")
        if not options.checkouts.get(model, "none needed"):
            parser.error(f"{model} needs --mimicry or --stylegan2-ada; or leave it out of --models")
    return options


def sides(model, options):
    """The programs that take turns, by their names."""
    checkout = [options.checkouts[model]] if model in options.checkouts else []
    for precision in GANZOO:
        if model != "stylegan2_ada" or precision == "float32":  # its CPU code has no other
            yield "PyTorch", precision, Torch(options.torch_python, model, precision, *checkout)
    for precision in GANZOO:
        yield "ganzoo", precision, Ganzoo(model, precision)


def measure(model, options):
    """The seconds of each program, by its name and precision, round by round; PyTorch's version."""
    programs = {(name, precision): side for name, precision, side in sides(model, options)}
    try:
        seconds = {key: [] for key in programs}
        for _ in range(options.rounds):
            for key, side in programs.items():
                seconds[key].append(side())
        return seconds, programs["PyTorch", "float32"].version
    finally:
        for side in programs.values():
            side.close()


def row(model, seconds, auto):
    """A line of the table."""
    medians = {key: statistics.median(values) for key, values in seconds.items()}
    keys = [(name, precision) for name in ("PyTorch", "ganzoo") for precision in GANZOO]
    shown = [f"{medians[key]:.2f}" if key in medians else "-" for key in keys]
    best = min(value for (name, _), value in medians.items() if name == "PyTorch")
    ours = medians["ganzoo", "float32" if auto == "float32" else "bfloat16"]
    single = medians["PyTorch", "float32"] / medians["ganzoo", "float32"]
    return f"| {model} | {' | '.join(shown)} | {best / ours:.2f} | {single:.2f} |"


def main():
    """Prints the table, a line as soon as it is known."""
    options, auto = arguments(), devices.resolve_precision("auto")
    heads = [f"{name} {precision}" for name in ("PyTorch", "ganzoo") for precision in GANZOO]
    heads = [
        "seconds of a step",
        *heads,
        f"best PyTorch / ganzoo auto ({auto})",
        "float32 / float32",
    ]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    for model in options.models:
        seconds, version = measure(model, options)
        print(row(model, seconds, auto), flush=True)
    print(f"\n{tables.machine()}, PyTorch {version}, medians of {options.rounds} rounds")


if __name__ == "__main__":
    main()
