"""What is made of images, a file or every image of a folder: other images, or their classes."""

import csv
import functools
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import flags
from tqdm import tqdm

from ganzoo import config as configs
from ganzoo import files, outputs, photos
from ganzoo import images as pictures
from ganzoo.backends import inference
from ganzoo.data.decode import BACKGROUNDS, Preparation, prepare
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.inputs import Mode
from ganzoo.translation import ImageGAN

FLAGS = flags.FLAGS


def convert(model: ImageGAN, mode: Mode, out: Path, given: Mapping[str, str]) -> None:
    """Converts a file, or every image of a folder."""
    source = Path(FLAGS.input)
    if FLAGS.skip_existing and (FLAGS.overwrite or not source.is_dir()):
        raise UserError("--skip_existing goes with a folder as --input, and without --overwrite")
    options = mode.read_options(given)
    others = {name: value for name, value in given.items() if name not in options}
    mode.read_others(others)  # or says what is missing, before work that would be lost
    given = others | options
    conversions = outputs.plan(source, FLAGS.out, FLAGS.overwrite, FLAGS.skip_existing)
    for folder in {conversion.result.parent for conversion in conversions}:
        folder.mkdir(parents=True, exist_ok=True)
    if not source.is_dir():
        _convert_file(model, *conversions[0], given)
        print(f"Wrote {conversions[0].result}")
        return
    failed, written = [], []
    for conversion in tqdm(conversions, unit=" images", disable=not sys.stderr.isatty()):
        try:
            _convert_file(model, *conversion, given)
            written.append(conversion.result)
        except pictures.UnreadableImage as error:
            failed.append(str(error))
    print(f"Wrote {len(written)} images to {out}{outputs.others_in(out, written)}")
    if failed:
        raise UserError("\n  ".join([f"{len(failed)} files could not be read:", *failed]))


def _convert_file(model: ImageGAN, source: Path, out: Path, given: Mapping[str, str]) -> None:
    image = pictures.opened(source, tell=tqdm.write)
    size = (model.scale * image.width, model.scale * image.height)
    color = "L" if model.channels == 1 else "RGB"
    color_mode = f"{color}A" if image.has_transparency_data else color
    written = pictures.written_mode(out, color_mode, size)
    background = configs.data_of(FLAGS.model).get("background", "white")
    if not written.endswith("A") and photos.is_transparent(image):
        tqdm.write(f"{source}: {background} where it is transparent, as {out.suffix} cannot be")
    converted = model.convert_picture(
        image, FLAGS.mode, FLAGS.tile, FLAGS.batch, FLAGS.seed, **given
    )
    save = functools.partial(pictures.save, converted, background=BACKGROUNDS[background])
    files.write_atomically(out, save)


def classify(model: GAN, mode: Mode, out: Path, given: Mapping[str, str]) -> None:
    """Writes a table of images with the probabilities of their classes, as CSV."""
    if out.suffix.lower() != ".csv":
        raise UserError(f"--out={out}: probabilities are written as a table; name a .csv file")
    outputs.require_free([out], FLAGS.overwrite)
    source = Path(FLAGS.input)
    paths = outputs.images_in(source) if source.is_dir() else [source]
    known = configs.data_of(FLAGS.model)
    looks = {name: known[name] for name in ("resize", "background", "fit") if name in known}
    preparation = Preparation(model.image_size, model.channels, **looks)
    run, rows = inference(mode.run), []
    for path in tqdm(paths, unit=" images", disable=not sys.stderr.isatty()):
        pixels = prepare(pictures.opened(path, tell=tqdm.write), preparation)
        image = tf.constant(pixels[None] / np.float32(127.5) - 1.0)
        rows.append([str(path), *run(image)[0].numpy().tolist()])
    classes = mode.outputs[0].classes
    titles = [classes.row_title(label) or str(label) for label in range(classes.num)]
    files.write_atomically(out, lambda target: _write(target, titles, rows))
    for path, *row in rows[:10]:
        best = int(np.argmax(row))
        print(f"{path}: {titles[best]} ({row[best]:.1%})")
    print(f"Wrote the probabilities of {len(rows)} images to {out}")


def _write(target: Path, titles: list[str], rows: list[list]) -> None:
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["file", *titles], *rows])
