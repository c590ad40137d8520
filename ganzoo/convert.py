"""Makes a model of ganzoo out of a file of another program.

    python -m ganzoo.convert --from=stylegan2-ada-pytorch --input=network.pkl --out=FOLDER

The networks are told from the arrays. FOLDER can be given to `ganzoo.models.load` and to
`python -m ganzoo.generate --model=FOLDER`. Nothing in the file is executed.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from absl import flags

from ganzoo import cli, models
from ganzoo.errors import UserError

FLAGS = flags.FLAGS
flags.DEFINE_string("from", None, "the program that wrote the file; told from its names by default")
flags.DEFINE_string("input", None, "the file")
flags.DEFINE_string("out", None, "the folder to write")


def main(argv):
    """The command line."""
    if FLAGS.input is None or FLAGS.out is None:
        raise UserError(
            "Expected: python -m ganzoo.convert --from=PROGRAM --input=FILE --out=FOLDER, with one"
            f" of {', '.join(models.FORMATS)}"
        )
    model = convert(FLAGS["from"].value, FLAGS.input, FLAGS.out)
    print(f"Wrote a {type(model).__name__} of {model.image_size} px to {FLAGS.out}")


def convert(program: str | None, source: str | Path, out: str | Path):
    """Reads a file, writes a model for `ganzoo.models.load`, and returns it.

    Args:
        program: a key of `ganzoo.models.FORMATS`; None finds out which.
        source: the file.
        out: a folder; what it holds of an earlier model is replaced.

    Raises:
        UserError: for an unknown program, or a file that is not one of its.
    """
    model, name, arguments = models.read_model(source, program)
    models.save(model, name, arguments, Path(out) / "model")
    return model


if __name__ == "__main__":
    cli.run(main)
