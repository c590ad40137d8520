"""Makes images with a trained model.

Models that draw: python -m ganzoo.generate --model=RUN_DIR --num=64 --seed=1 --out=grid.png
Models that convert: python -m ganzoo.generate --model=RUN_DIR --input=photo.jpg --out=new.png
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import flags
from tqdm import tqdm

from ganzoo import cli, models
from ganzoo import images as pictures
from ganzoo.errors import UserError
from ganzoo.translation import TILE, ImageGAN

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "a run directory")
flags.DEFINE_string("out", None, "the file or folder to write")
flags.DEFINE_integer("num", 64, "how many images to draw", lower_bound=1)
flags.DEFINE_integer("seed", 0, "of the latents", lower_bound=0)
flags.DEFINE_integer("label", None, "the class of all images, for conditional models")
flags.DEFINE_enum("format", "grid", ["grid", "folder", "npz"], "one PNG, one PNG each, or an array")
flags.DEFINE_string("input", None, "an image, or a folder of images, to convert")
flags.DEFINE_string("direction", None, "which way to convert, such as a2b or b2a")
flags.DEFINE_integer("tile", TILE, "largest side that is converted at once, in pixels")


def main(argv):
    """The command line."""
    if FLAGS.model is None or FLAGS.out is None:
        raise UserError("Expected: python -m ganzoo.generate --model=RUN_DIR --out=grid.png")
    model, out = models.load(FLAGS.model), Path(FLAGS.out)
    converts = isinstance(model, ImageGAN)
    if converts and FLAGS.input is None:
        raise UserError("This model converts images: name one, or a folder, with --input=PATH")
    if not converts and FLAGS.input is not None:
        raise UserError("This model draws images from random numbers: drop --input")
    try:
        _convert(model, Path(FLAGS.input), out) if converts else _draw(model, out)
    except OSError as error:
        raise UserError(f"--out={out} cannot be written ({error.strerror})") from error


def _draw(model, out: Path) -> None:
    if FLAGS.format == "folder" and out.is_file():
        raise UserError(f"--out={out} is a file; --format=folder needs the name of a folder")
    images = pictures.to_uint8(model.generate(FLAGS.num, seed=FLAGS.seed, label=FLAGS.label))
    WRITERS[FLAGS.format](images, out)
    print(f"Wrote {len(images)} images to {out}")


def _write_grid(images: np.ndarray, out: Path) -> None:
    pictures.save(pictures.grid(images), out)


def _write_folder(images: np.ndarray, out: Path) -> None:
    for index, image in enumerate(images):
        pictures.save(image, out / f"{index:06d}.png")


def _write_npz(images: np.ndarray, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:  # a file, since a path without .npz would be changed
        np.savez_compressed(file, images=images)


WRITERS = {"grid": _write_grid, "folder": _write_folder, "npz": _write_npz}


def _convert(model: ImageGAN, source: Path, out: Path) -> None:
    """Converts a file to a file, or every image of a folder to a PNG of the same name."""
    if not source.is_dir():
        _convert_file(model, source, out)
        print(f"Wrote {out}")
        return
    files = sorted(path for path in source.rglob("*") if pictures.is_picture(path))
    if not files:
        raise UserError(f"--input={source} holds no image")
    failed = []
    for path in tqdm(files, unit=" images", disable=not sys.stderr.isatty()):
        try:
            _convert_file(model, path, (out / path.relative_to(source)).with_suffix(".png"))
        except pictures.UnreadableImage as error:
            failed.append(str(error))
    print(f"Wrote {len(files) - len(failed)} images to {out}")
    if failed:
        raise UserError("\n  ".join([f"{len(failed)} files could not be read:", *failed]))


def _convert_file(model: ImageGAN, path: Path, out: Path) -> None:
    pixels, alpha = pictures.read(path, model.channels)
    converted = model.convert(pixels / np.float32(127.5) - 1.0, FLAGS.direction, FLAGS.tile)
    pictures.save(pictures.to_uint8(converted), out, alpha)


if __name__ == "__main__":
    cli.run(main)
