"""Data sets: open one as a `Source`, then draw endless `batches` from it."""

from ganzoo.data.catalog import Info, inspect, open_source
from ganzoo.data.check import check
from ganzoo.data.pipeline import batches, require_divisible
from ganzoo.data.scan import Problem, Report
from ganzoo.data.source import ArraySource, Source

__all__ = [
    "ArraySource",
    "Info",
    "Problem",
    "Report",
    "Source",
    "batches",
    "check",
    "inspect",
    "open_source",
    "require_divisible",
]
