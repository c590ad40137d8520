"""Measures a model that converts images against known results.

    python -m ganzoo.evaluate --model=RUN_DIR --dataset=folder:Set5 --metrics=psnr_y,ssim_y

A super-resolution model gets the images of the data set reduced by bicubic interpolation; a
translator gets domain a of `solid2striped` or of `paired:PATH`. Each metric is printed beside that
of the trivial answer (bicubic enlargement, or the input itself), and is appended with its protocol
to RUN_DIR/metrics.jsonl.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import flags

from ganzoo import bicubic, cli, models
from ganzoo import images as pictures
from ganzoo.data import references
from ganzoo.errors import UserError, unknown
from ganzoo.metrics import RECONSTRUCTION
from ganzoo.translation import TILE, ImageGAN

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "a run directory")
flags.DEFINE_string("dataset", None, "what to measure on: folder:PATH, paired:PATH, or a name")
flags.DEFINE_string("data_dir", None, "where tensorflow_datasets finds or prepares its data")
flags.DEFINE_string("split", None, "of the data set; train for super-resolution, else test")
flags.DEFINE_list("metrics", ["psnr_y", "ssim_y"], f"of {', '.join(RECONSTRUCTION)}")
flags.DEFINE_string("direction", None, "which way to convert, such as a2b or b2a")
flags.DEFINE_integer("border", None, "pixels cut off on each side first; None: the scale")
flags.DEFINE_integer("num", None, "how many images at most; None for all", lower_bound=1)
flags.DEFINE_integer("tile", TILE, "largest side that is converted at once, in pixels")


def main(argv):
    """The command line."""
    if FLAGS.model is None or FLAGS.dataset is None:
        raise UserError("Expected: python -m ganzoo.evaluate --model=RUN_DIR --dataset=NAME")
    for name in FLAGS.metrics:
        if name not in RECONSTRUCTION:
            raise unknown("metric", name, RECONSTRUCTION)
    model = models.load(FLAGS.model)
    if not isinstance(model, ImageGAN):
        raise UserError("This model draws images, which have no known results to compare with.")
    border = FLAGS.border if FLAGS.border is not None else (model.scale if model.scale > 1 else 0)
    split = FLAGS.split or ("train" if model.DATA == "super_resolution" else "test")
    pairs = itertools.islice(_pairs(model, split), FLAGS.num)
    rows = [_measure(model, *pair, border) for pair in pairs]
    if not rows:
        raise UserError(f"{FLAGS.dataset} holds no image")
    protocol = {
        "dataset": FLAGS.dataset,
        "split": split,
        "direction": FLAGS.direction or model.DIRECTIONS[0],
        "images": len(rows),
        "border": border,
    }
    for name, (own, trivial) in zip(FLAGS.metrics, np.mean(rows, axis=0), strict=True):
        print(f"{name}: {own:.4f} (the trivial answer: {trivial:.4f}), {protocol}")
        line = {"metric": name, "value": own, "trivial": trivial, **protocol}
        with (_run_of(FLAGS.model) / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


def _pairs(model: ImageGAN, split: str):
    """Inputs and their known results, uint8."""
    if model.DATA == "super_resolution":
        return references.open_reductions(
            FLAGS.dataset,
            scale=model.scale,
            channels=model.channels,
            data_dir=FLAGS.data_dir,
            split=split,
        )
    pairs = references.open_translations(
        FLAGS.dataset,
        image_size=model.image_size,
        channels=model.channels,
        split=split,
    )
    backwards = FLAGS.direction == model.DIRECTIONS[1]
    return ((b, a) if backwards else (a, b) for a, b in pairs)


def _measure(model: ImageGAN, small, reference, border: int) -> list[tuple[float, float]]:
    """Each metric of the model's answer and of the trivial one."""
    converted = model.convert(small / np.float32(127.5) - 1.0, FLAGS.direction, FLAGS.tile)
    answers = pictures.to_uint8(converted), bicubic.enlarge(small, model.scale)
    metrics = [RECONSTRUCTION[name] for name in FLAGS.metrics]
    return [tuple(metric(answer, reference, border) for answer in answers) for metric in metrics]


def _run_of(model: str) -> Path:
    """The run directory, also when its `model` folder was named."""
    path = Path(model)
    return path.parent if path.name == "model" else path


if __name__ == "__main__":
    cli.run(main)
