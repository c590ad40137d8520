"""Data sets: open one as a `ExampleStream` of examples, then draw endless `batches` from it."""

from ganzoo.data.catalog import Info, inspect
from ganzoo.data.formats import FORMATS, DataFormat, check, open_sets, open_source
from ganzoo.data.pipeline import batches, require_divisible
from ganzoo.data.reports import Problem, Report
from ganzoo.data.sources import ROLES, ArraySource, Column, PackedSource, Source
from ganzoo.data.streams import ExampleStream, ImageStream, PatchStream, UnpairedStream
from ganzoo.data.tables import numbered
