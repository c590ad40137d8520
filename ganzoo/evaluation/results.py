"""Results of evaluations, as tables, and beside the model that they are of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganzoo.errors import UserError
from ganzoo.runs import RunDirectory, read_lines

# What two values must have in common to be compared.
_PROTOCOL = (
    "dataset",
    "data_fingerprint",
    "test_fingerprint",
    "statistics",
    "network",
    "network_fingerprint",
    "image_size",
    "truncation",
    "seeds",
    "split",
    "direction",
    "images",
    "border",
)


def lines_of(rows: list[dict[str, float]]) -> list[dict]:
    """A dictionary for each metric.

    Args:
        rows: the values by name, once for each seed; with "trivial/" those of trivial answers.
    """
    lines = []
    for name in rows[0]:
        if not name.startswith("trivial/"):
            values = [row[name] for row in rows]
            line = {"metric": name, "value": float(np.mean(values))}
            if len(rows) > 1:
                line["deviation"] = float(np.std(values))
            if f"trivial/{name}" in rows[0]:
                line["trivial"] = rows[0][f"trivial/{name}"]
            lines.append(line)
    return lines


def table(lines: Sequence[dict]) -> str:
    """Values by name, one below the other."""
    return aligned([[line["metric"], _shown(line)] for line in lines])


def compare(runs: Sequence[Path]) -> str:
    """A table of what was last measured of each run.

    Raises:
        UserError: for a run without results, or a metric measured by different protocols.
    """
    if len(runs) < 2:
        raise UserError("Expected: python -m ganzoo.evaluate --compare RUN_DIR RUN_DIR")
    found = [_last_results(run) for run in runs]
    names = [name for name in found[0] if all(name in results for results in found)]
    if not names:
        raise UserError(f"No metric was measured of all of {', '.join(map(str, runs))}")
    for name in names:
        for key in _PROTOCOL:
            values = [results[name].get(key) for results in found]
            if any(value != values[0] for value in values):
                found = "; ".join(f"{run}: {v}" for run, v in zip(runs, values, strict=True))
                raise UserError(
                    f"{name} was measured by different protocols, {key} differs ({found})."
                    " Measure the runs again, in the same way."
                )
    rows = [[name, *(_shown(results[name]) for results in found)] for name in names]
    return aligned([["metric", *map(str, runs)], *rows])


def _last_results(run: Path) -> dict[str, dict]:
    path = RunDirectory(run).metrics
    if not path.exists():
        raise UserError(f"{run} has no {path.name}. Measure it: --model={run} --metrics=NAME")
    return {line["metric"]: line for line in read_lines(path)}


def _shown(line: dict) -> str:
    words = [f"{line['value']:.4f}"]
    if "deviation" in line:
        words.append(f"(deviation {line['deviation']:.4f})")
    if "trivial" in line:
        words.append(f"(the trivial answer: {line['trivial']:.4f})")
    return " ".join(words)


def aligned(rows: list[list[str]]) -> str:
    """Rows of words as lines with columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
