"""Writes a run as one HTML page: python -m ganzoo.report RUN_DIR [--out=report.html]"""

from absl import flags

from ganzoo import cli, files, report
from ganzoo.errors import UserError
from ganzoo.runs import RunDirectory

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this command."""
    flags.DEFINE_string(
        "out", None, "the file to write; report.html in the run directory by default"
    )


def main(argv):
    """The command line."""
    if len(argv) != 2:
        raise UserError("Expected: python -m ganzoo.report RUN_DIR [--out=report.html]")
    run = RunDirectory(argv[1])
    out = files.expanded(FLAGS.out or run.path / "report.html")
    text = report.page(run)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(out, text)
    except OSError as error:
        raise UserError(f"--out={out} cannot be written ({error.strerror})") from error
    print(f"Wrote {out}, {len(text.encode()) / 1e6:.1f} MB")


if __name__ == "__main__":
    cli.run(main, define_flags, commands=None)
