"""Data sets: open one as a `ExampleStream` of examples, then draw endless `batches` from it."""

from ganzoo.data.catalog import Info, inspect, open_source
from ganzoo.data.check import check
from ganzoo.data.collection import numbered
from ganzoo.data.formats import FORMATS, DataFormat
from ganzoo.data.pipeline import batches, require_divisible
from ganzoo.data.scan import Problem, Report
from ganzoo.data.source import ArraySource, PackedSource, Source
from ganzoo.data.streams import ExampleStream, ImageStream, PatchStream, UnpairedStream
