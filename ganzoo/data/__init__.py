"""Data sets: open one as a `Line` of examples, then draw endless `batches` from it."""

from ganzoo.data.catalog import Info, inspect, open_source
from ganzoo.data.check import check
from ganzoo.data.collection import numbered
from ganzoo.data.kinds import KINDS, Kind
from ganzoo.data.lines import ImageLine, Line, PatchLine, UnpairedLine
from ganzoo.data.pipeline import batches, require_divisible
from ganzoo.data.scan import Problem, Report
from ganzoo.data.source import ArraySource, PackedSource, Source
