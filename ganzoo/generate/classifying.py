"""Classes of images: of a file, or of every image of a folder."""

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import flags
from tqdm import tqdm

from ganzoo import config as configs
from ganzoo import files, outputs
from ganzoo import images as pictures
from ganzoo.backends import inference
from ganzoo.data.decode import Preparation, prepare
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.inputs import Mode

FLAGS = flags.FLAGS


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
