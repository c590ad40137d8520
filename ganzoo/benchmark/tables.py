"""Rows of measurements, as tables and files."""

import json
import os
import platform
import statistics
import time
from pathlib import Path

import tensorflow as tf

from ganzoo import files
from ganzoo.errors import UserError
from ganzoo.evaluation.results import aligned

COLUMNS = {
    "images/s": lambda row: f"{row['images_per_second']:,.1f}",
    "pipeline": lambda row: f"{row['share_of_pipeline']:.1%}",
    "compile": lambda row: f"{row['compile_seconds']:.1f} s",
    "MiB": lambda row: f"{row['peak_mib']:,.0f}",
}


def shown(rows: list[dict]) -> str:
    """Their medians and ranges; of steps all of `COLUMNS`, too."""
    first = {row["what"]: row for row in reversed(rows)}
    columns = COLUMNS if "images_per_second" in rows[0] else {}
    lines = [["of", "what", "median", "range", *(["over first"] if columns else []), *columns]]
    for row in rows:
        span = f"{_number(min(row['values']))} to {_number(max(row['values']))}"
        pairs = zip(row["values"], first[row["what"]]["values"], strict=True)
        over = [f"{statistics.median(a / b for a, b in pairs):.2f}"] if columns else []
        cells = [cell(row) for cell in columns.values()]
        lines.append([row["of"], row["what"], f"{_median(row)} {row['unit']}", span, *over, *cells])
    return aligned(lines)


def compared(rows: list[dict], earlier: list[dict]) -> str:
    """The medians beside those of an earlier file, and how many times better they are."""
    before = {_key(row): row for row in earlier}
    if not before.keys() & set(map(_key, rows)):
        raise UserError(f"The file of --compare has nothing of {rows[0]['of']}, {rows[0]['what']}")
    lines = [["of", "what", "earlier", "now", "times better"]]
    for row in (row for row in rows if _key(row) in before):
        old = before[_key(row)]
        ratio = statistics.median(old["values"]) / statistics.median(row["values"])
        better = 1 / ratio if row["unit"] == "images/s" else ratio
        now = f"{_median(row)} {row['unit']}"
        lines.append([row["of"], row["what"], _median(old), now, f"{better:.2f}"])
    return aligned(lines)


def save(rows: list[dict], path: str) -> None:
    """Writes everything as JSON, with the machine and the date."""
    text = json.dumps({"machine": machine(), "rows": rows}, indent=1)
    files.write_text(files.expanded(path), f"{text}\n")


def read(path: str | Path) -> list[dict]:
    """The rows that `save` wrote."""
    try:
        return json.loads(files.expanded(path).read_text(encoding="utf-8"))["rows"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path} is no file that --json wrote: {error}") from error


def machine() -> str:
    """What measures, with what, and when."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return (
        f"{(names or [platform.processor()])[0]}, {os.cpu_count()} cores, TensorFlow"
        f" {tf.__version__}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
    )


def _key(row: dict) -> tuple[str, str, str]:
    return row["of"], row["what"], row["unit"]


def _median(row: dict) -> str:
    return _number(statistics.median(row["values"]))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"
