"""Images from random numbers: grids, sheets of mixed styles, walks, and the search for a style."""

import collections
import itertools
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import flags
from tqdm import tqdm

from ganzoo import config as configs
from ganzoo import images as pictures
from ganzoo import outputs, styles
from ganzoo.backends import tensor
from ganzoo.data.decode import Preparation, prepare
from ganzoo.errors import UserError
from ganzoo.inputs import MOST_NAMES, Mode, numbers
from ganzoo.latents import LatentGAN, random_of
from ganzoo.losses import VGGLoss

MOST_COLUMNS = 16  # of a grid of several classes

FLAGS = flags.FLAGS
Given = Mapping[str, str]  # the flags that the mode declares, by name


def draw(model: LatentGAN, mode: Mode, out: Path, given: Given) -> None:
    """Images in a grid, in which each class that was named has its own rows."""
    latents, drawn = _inputs(model)
    labels = _labels(model, given)
    groups = [drawn] if labels is None else [tf.fill(drawn.shape, label) for label in labels]
    others = _require_room(out, len(latents) * len(groups)) + _class_summary(
        model, np.concatenate(groups)
    )
    options = mode.read_options(given)
    parts = (model.decode_batches(latents, group, FLAGS.seed, **options) for group in groups)
    titles = ["" if labels is None else model.condition.row_title(label) for label in labels or [0]]
    pixels = _pixels(itertools.chain.from_iterable(parts))
    WRITERS[FLAGS.format](pixels, out, titles)
    print(f"Wrote {len(latents) * len(groups)} images to {out}{others}")


def _require_room(out: Path, count: int) -> str:
    """Raises UserError when --out cannot take the images; says what else is there."""
    if FLAGS.format == "grid":
        pictures.require_writable(FLAGS.out)
    if FLAGS.format != "folder":
        return ""
    if out.is_file():
        raise UserError(f"--out={out} is a file; --format=folder needs the name of a folder")
    results = [out / _numbered(index) for index in range(count)]
    outputs.require_free(results, FLAGS.overwrite)
    return outputs.others_in(out, [path for path in results if path.exists()])


def _class_summary(model: LatentGAN, labels: Sequence[int]) -> str:
    """Which classes images are of, and how many of each; nothing of a model without classes."""
    if not model.num_classes:
        return ""
    counts = sorted(collections.Counter(np.asarray(labels).tolist()).items())
    shown = counts[:MOST_NAMES]
    listed = ", ".join(f"{model.condition.title(label)} ({count})" for label, count in shown)
    more = f", and {len(counts) - MOST_NAMES} more" if counts[MOST_NAMES:] else ""
    return f"; of the classes {listed}{more}"


def _numbered(index: int) -> str:
    return f"{index:06d}.png"


def _inputs(model: LatentGAN) -> tuple[tf.Tensor, tf.Tensor]:
    """The latents to draw, and the classes that are drawn with them."""
    if FLAGS.seeds is not None:
        seeds = numbers("seeds", FLAGS.seeds)
        return model.latents_of(seeds), model.labels_of(seeds)
    random = random_of(FLAGS.seed)
    return model.draw_latents(random, FLAGS.num), model.draw_labels(random, FLAGS.num)


def _pixels(batches: Iterable[tf.Tensor]) -> Iterator[np.ndarray]:
    """The images of batches, one by one, `[H, W, C]`, uint8."""
    return itertools.chain.from_iterable(map(pictures.to_uint8, batches))


def _write_grid(images: Iterable[np.ndarray], out: Path, titles: Sequence[str]) -> None:
    """One picture, in which each title has its own rows."""
    parts, columns = np.split(np.stack([*images]), len(titles)), None
    if len(titles) > 1:
        count = len(parts[0])
        columns = math.ceil(count / math.ceil(count / MOST_COLUMNS))
    grids = [pictures.grid(part, columns=columns) for part in parts]
    pictures.save(pictures.titled_rows(grids, titles), out)


def _write_folder(images: Iterable[np.ndarray], out: Path, titles: Sequence[str]) -> None:
    for index, image in enumerate(images):
        pictures.save(image, out / _numbered(index))


def _write_npz(images: Iterable[np.ndarray], out: Path, titles: Sequence[str]) -> None:
    images = np.stack([*images])
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:  # a file, since a path without .npz would be changed
        np.savez_compressed(file, images=images)


WRITERS = {"grid": _write_grid, "folder": _write_folder, "npz": _write_npz}


def mix(model: styles.StyleGAN, mode: Mode, out: Path, given: Given) -> None:
    """A sheet: sources above and to the left, and all of their mixtures."""
    pictures.require_writable(FLAGS.out)
    if FLAGS.mix_rows is None or FLAGS.mix_cols is None:
        raise UserError("A sheet of mixed styles needs both --mix_rows=1-4 and --mix_cols=5-9")
    seeds = numbers("mix_rows", FLAGS.mix_rows), numbers("mix_cols", FLAGS.mix_cols)
    summary = _class_summary(model, _classes(model, [*seeds[0], *seeds[1]], given))
    rows, columns = (_styles(model, mode, each, given) for each in seeds)
    layers = numbers("mix_layers", FLAGS.mix_layers)
    if max(layers) >= rows.shape[1]:
        raise UserError(f"--mix_layers={FLAGS.mix_layers}: the layers are 0 to {rows.shape[1] - 1}")
    every = tf.concat([columns, rows, styles.mixed(rows, columns, layers)], axis=0)
    images = np.stack([*_pixels(_synthesized(model, mode, every, given))])
    above, left, inner = np.split(images, [len(columns), len(columns) + len(rows)])
    lines = np.split(inner, len(rows))
    sheet = [np.full_like(above[:1], 255), above]
    sheet += [part for first, line in zip(left, lines, strict=True) for part in (first[None], line)]
    pictures.save(pictures.grid(np.concatenate(sheet), columns=len(columns) + 1), out)
    print(f"Wrote {out}{summary}")


def interpolate(model: LatentGAN, mode: Mode, out: Path, given: Given) -> None:
    """An endless walk from seed to seed."""
    if FLAGS.seeds is None:
        raise UserError("A walk needs places to go: name them with --seeds=1-4")
    pictures.require_animation(out)
    seeds = numbers("seeds", FLAGS.seeds)
    classes = _classes(model, seeds, given)
    if FLAGS.interpolate == "z":
        way = styles.walk(model.latents_of(seeds), FLAGS.frames, spherical=True)
        classes = tf.fill([len(way)], classes[0])
        batches = model.decode_batches(way, classes, FLAGS.seed, **mode.read_options(given))
    else:
        way = styles.walk(_styles(model, mode, seeds, given), FLAGS.frames, spherical=False)
        batches = _synthesized(model, mode, way, given)
    summary = _class_summary(model, classes)
    pictures.save_animation(_pixels(batches), out)
    print(f"Wrote {len(way)} frames to {out}{summary}")


def project(model: styles.StyleGAN, mode: Mode, out: Path, given: Given) -> None:
    """The image, and what the model makes of the style that comes closest to it."""
    if out.suffix.lower() == ".npz":
        raise UserError(
            f"--out={out}: the picture cannot have the name of the styles, which are written beside"
            f" it. Give --out={out.with_suffix('.png')}, and find the styles in {out}"
        )
    label = _label(model, given) or 0
    pictures.require_writable(FLAGS.out)
    outputs.require_free([out], overwrite=True, originals=[Path(FLAGS.project)])
    known = configs.data_of(FLAGS.model)
    looks = {name: known[name] for name in ("resize", "background") if name in known}
    preparation = Preparation(model.image_size, model.channels, **looks)
    pixels = prepare(pictures.opened(Path(FLAGS.project), tell=print), preparation)
    target = tf.constant(pixels[None] / np.float32(127.5) - 1.0)
    distance = VGGLoss("vgg22", FLAGS.vgg_weights)
    bar = tqdm(total=FLAGS.project_steps, disable=not sys.stderr.isatty())

    def report(done, value):
        bar.update()
        bar.set_postfix_str(f"distance {value:.3f}")
        if bar.disable and (done == 1 or done % 100 == 0):
            print(f"{done:,} of {FLAGS.project_steps:,} steps, distance {value:.3f}", flush=True)

    with bar:
        steps = FLAGS.project_steps
        found = styles.project(model, target, distance, steps, FLAGS.seed, report, label)
    images = np.stack([pixels, *_pixels(styles.batches_of(model, found))])
    pictures.save(pictures.grid(images, columns=2), out)
    with out.with_suffix(".npz").open("wb") as file:
        np.savez(file, styles=found.numpy())
    print(f"Wrote {out}, and the styles to {out.with_suffix('.npz')}")


def _labels(model: LatentGAN, given: Given) -> list[int] | None:
    """The classes that were asked for."""
    named = given.get(model.condition.flags[0])
    return None if named is None else model.condition.read(named)


def _label(model: LatentGAN, given: Given) -> int | None:
    """The one class that was asked for, where several make no sense."""
    labels = _labels(model, given) or [None]
    if len(labels) > 1:
        raise UserError(f"--classes={given['classes']}: all images are of one class here; name one")
    return labels[0]


def _classes(model: LatentGAN, seeds: list[int], given: Given) -> tf.Tensor:
    """Of each seed the class: that of --classes, else the one that it draws."""
    label = _label(model, given)
    return model.labels_of(seeds) if label is None else tf.fill([len(seeds)], label)


def _styles(model: styles.StyleGAN, mode: Mode, seeds: list[int], given: Given) -> tf.Tensor:
    options = {name: value for name, value in mode.read_options(given).items() if name != "noise"}
    found = model.styles(model.latents_of(seeds), _classes(model, seeds, given), **options)
    return tensor(found)


def _synthesized(model: styles.StyleGAN, mode: Mode, every, given: Given) -> Iterator[tf.Tensor]:
    noise = mode.read_options(given).get("noise", "const")
    return styles.batches_of(model, every, noise, FLAGS.seed)
