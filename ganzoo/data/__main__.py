"""Check a data set before training: python -m ganzoo.data check --dataset=folder:PATH

Prints every bad or odd file with its reason. Exit code 0 when all can be used, 1 when some are
bad, 2 when the data set cannot be read at all.
"""

import sys

from absl import flags

from ganzoo import cli
from ganzoo.data.classes import numbered
from ganzoo.data.decode import FITS
from ganzoo.data.reports import Report, check
from ganzoo.data.tables import COLUMNS
from ganzoo.errors import UserError

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this command."""
    flags.DEFINE_string(
        "dataset", None, "folder:PATH, zip:PATH, paired:PATH, unpaired:PATH, or a name of TFDS"
    )
    flags.DEFINE_string("data_dir", None, "where TFDS keeps its data sets")
    flags.DEFINE_string("split", "train", "of a TFDS data set")
    flags.DEFINE_boolean("masks", False, "whether each image must have a mask")
    flags.DEFINE_integer("image_size", None, "what to train at, in pixels: small images are bad")
    flags.DEFINE_enum("fit", "crop", list(FITS), "config.data.fit; for super-resolution keep")
    flags.DEFINE_boolean("labels", False, "whether each image must have a class")
    flags.DEFINE_boolean("attributes", False, "whether each image must have attributes")
    flags.DEFINE_boolean("captions", False, "whether each image must have captions")
    flags.DEFINE_boolean("embeddings", False, "whether each image must have embeddings")
    flags.DEFINE_boolean("paired", False, "whether a TFDS data set holds pairs")


def main(argv: list[str]) -> None:
    """Checks what the flags name; the exit code is the result."""
    if argv[1:] != ["check"] or FLAGS.dataset is None:
        raise UserError("Expected: python -m ganzoo.data check --dataset=NAME")
    report = check(
        FLAGS.dataset,
        image_size=FLAGS.image_size,
        data_dir=FLAGS.data_dir,
        split=FLAGS.split,
        columns=[column for column, flag in COLUMNS.items() if FLAGS[flag].value],
        paired=FLAGS.paired,
        fit=FLAGS.fit,
    )
    print(_table(report))
    sys.exit(1 if report.of_kind("bad") or not report.usable else 0)


def _table(report: Report) -> str:
    width = max((len(problem.path) for problem in report.problems), default=0)
    lines = [f"{p.kind:6}  {p.path:{width}}  {p.reason}" for p in report.problems]
    if report.class_names:
        lines.append(f"Classes: {numbered(report.class_names)}")
    bad, notices = len(report.of_kind("bad")), len(report.of_kind("notice"))
    summary = f"{report.name}: {report.count:,} files, {report.usable:,} images that can be used"
    return "\n".join([*lines, f"{summary}, {bad:,} bad, {notices:,} odd."])


if __name__ == "__main__":
    cli.run(main, define_flags, ["check"])
