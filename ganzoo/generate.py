"""Draws images from a trained model: python -m ganzoo.generate --model=RUN_DIR --num=64 --seed=1
--out=grid.png"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import flags

from ganzoo import cli, models
from ganzoo import images as pictures
from ganzoo.errors import UserError

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "a run directory")
flags.DEFINE_integer("num", 64, "how many images", lower_bound=1)
flags.DEFINE_integer("seed", 0, "of the latents", lower_bound=0)
flags.DEFINE_integer("label", None, "the class of all images, for conditional models")
flags.DEFINE_string("out", None, "the file or folder to write")
flags.DEFINE_enum("format", "grid", ["grid", "folder", "npz"], "one PNG, one PNG each, or an array")


def main(argv):
    """The command line."""
    if FLAGS.model is None or FLAGS.out is None:
        raise UserError("Expected: python -m ganzoo.generate --model=RUN_DIR --out=grid.png")
    model = models.load(FLAGS.model)
    out = Path(FLAGS.out)
    if FLAGS.format == "folder" and out.is_file():
        raise UserError(f"--out={out} is a file; --format=folder needs the name of a folder")
    images = pictures.to_uint8(model.generate(FLAGS.num, seed=FLAGS.seed, label=FLAGS.label))
    try:
        WRITERS[FLAGS.format](images, out)
    except OSError as error:
        raise UserError(f"--out={out} cannot be written ({error.strerror})") from error
    print(f"Wrote {len(images)} images to {out}")


def _write_grid(images: np.ndarray, out: Path) -> None:
    pictures.save_png(pictures.grid(images), out)


def _write_folder(images: np.ndarray, out: Path) -> None:
    for index, image in enumerate(images):
        pictures.save_png(image, out / f"{index:06d}.png")


def _write_npz(images: np.ndarray, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:  # a file, since a path without .npz would be changed
        np.savez_compressed(file, images=images)


WRITERS = {"grid": _write_grid, "folder": _write_folder, "npz": _write_npz}


if __name__ == "__main__":
    cli.run(main)
