"""Data sets: open one as a `ExampleStream` of examples, then draw endless `batches` from it."""

from ganzoo.data.classes import numbered
from ganzoo.data.formats import FORMATS, DataFormat, open_sets, open_source, source_options
from ganzoo.data.pipeline import batches, require_divisible
from ganzoo.data.reports import Info, Problem, Report, check, inspect
from ganzoo.data.semi_supervised import SemiSupervisedStream, choose_labeled
from ganzoo.data.sources import ROLES, ArraySource, Column, PackedSource, Source
from ganzoo.data.streams import ExampleStream, ImageStream, PatchStream, UnpairedStream
