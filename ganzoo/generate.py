"""Makes images with a trained model.

Models that draw: python -m ganzoo.generate --model=RUN_DIR --num=64 --seed=1 --out=grid.png
    of chosen seeds, classes and options: --seeds=1-9 --labels=0,3 --truncation=0.7 --noise=random
    on the way from seed to seed: --interpolate=z --seeds=1-5 --out=way.gif (or .mp4)
Models with styles, besides: --mix_rows=1-4 --mix_cols=5-9, --interpolate=w, --project=photo.png
Models that convert: python -m ganzoo.generate --model=RUN_DIR --input=photo.jpg --out=new.png
"""

import collections
import functools
import itertools
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import flags
from tqdm import tqdm

from ganzoo import cli, devices, files, models, outputs, photos, styles
from ganzoo import config as configs
from ganzoo import images as pictures
from ganzoo.backends import tensor
from ganzoo.data.decode import BACKGROUNDS, Preparation, prepare
from ganzoo.errors import UserError
from ganzoo.latents import LatentGAN, random_of
from ganzoo.losses import VGGLoss
from ganzoo.runs import run_of
from ganzoo.translation import TILE, ImageGAN

MOST_CLASSES = 20  # that are listed
MOST_COLUMNS = 16  # of a grid of several labels
MOST_NUMBERS = 100_000  # in a flag such as --seeds

FLAGS = flags.FLAGS


def define_flags() -> None:
    """The flags of this command."""
    flags.DEFINE_string("model", None, "a run directory")
    flags.DEFINE_string("out", None, "the file or folder to write")
    flags.DEFINE_enum(
        "format", "grid", ["grid", "folder", "npz"], "one PNG, one PNG each, or an array"
    )
    precisions = ["auto", "float32", "mixed_bfloat16", "mixed_float16"]
    flags.DEFINE_enum("precision", "auto", precisions, "auto: bfloat16 where the hardware has it")

    flags.DEFINE_integer("num", 64, "how many images to draw", lower_bound=1)
    flags.DEFINE_integer("seed", 0, "of the latents, and of all else that is random", lower_bound=0)
    flags.DEFINE_string("seeds", None, "instead: the first image of each seed, as in 1-9,20")
    flags.DEFINE_string(
        "labels", None, "classes, as in 0-3,7: all images of each in rows of its own"
    )
    flags.DEFINE_float("truncation", None, "how much of a style's distance from the mean is kept")
    flags.DEFINE_integer("cutoff", None, "how many layers are truncated", lower_bound=0)
    flags.DEFINE_string("noise", None, "random, const or none")
    flags.DEFINE_string("mix_rows", None, "seeds whose styles make the rows of a sheet")
    flags.DEFINE_string("mix_cols", None, "seeds whose styles replace theirs, column by column")
    flags.DEFINE_string("mix_layers", "0-3", "the layers in which they do; 0 is the coarsest")
    flags.DEFINE_enum("interpolate", None, ["z", "w"], "walk through latents, or through styles")
    flags.DEFINE_integer("frames", 60, "of a walk, from each seed to the next", lower_bound=1)
    flags.DEFINE_string("project", None, "an image to find the style of")
    flags.DEFINE_integer("project_steps", 1000, "of the search", lower_bound=1)
    flags.DEFINE_string(
        "vgg_weights", None, "a file with VGG19's weights; else they are downloaded"
    )

    flags.DEFINE_string("input", None, "an image, or a folder of images, to convert")
    flags.DEFINE_string("direction", None, "which way to convert, such as a2b or b2a")
    flags.DEFINE_integer("tile", TILE, "largest side that is converted at once, in pixels")
    flags.DEFINE_integer("batch", 1, "tiles side by side that are converted at once", lower_bound=1)
    flags.DEFINE_boolean("overwrite", False, "replace files that exist, but for the originals")
    flags.DEFINE_boolean("skip_existing", False, "of a folder, convert what has no result yet")


def main(argv):
    """The command line."""
    if FLAGS.model is None or FLAGS.out is None:
        raise UserError("Expected: python -m ganzoo.generate --model=RUN_DIR --out=grid.png")
    keras.mixed_precision.set_global_policy(devices.resolve_precision(FLAGS.precision))
    tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 is float32
    model, out = models.load(FLAGS.model), files.expanded(FLAGS.out)
    converts = isinstance(model, ImageGAN)
    if converts and FLAGS.input is None:
        raise UserError("This model converts images: name one, or a folder, with --input=PATH")
    if not converts and FLAGS.input is not None:
        raise UserError("This model draws images from random numbers: drop --input")
    make = _convert if converts else _chosen_drawing(model)
    _refuse_idle_flags(make)
    try:
        make(model, out)
    except OSError as error:
        raise UserError(f"--out={out} cannot be written ({error.strerror})") from error


def _chosen_drawing(model):
    """The function that makes what the flags ask for."""
    mixing = FLAGS.mix_rows is not None or FLAGS.mix_cols is not None
    wanted = {
        "--mix_rows": (mixing, _mix),
        "--interpolate": (FLAGS.interpolate is not None, _interpolate),
        "--project": (FLAGS.project is not None, _project),
    }
    chosen = [name for name, (asked, _) in wanted.items() if asked]
    if len(chosen) > 1:
        raise UserError(f"{' and '.join(chosen)} exclude each other: choose one")
    of_styles = mixing or FLAGS.project is not None or FLAGS.interpolate == "w"
    if of_styles and not isinstance(model, styles.StyleGAN):
        raise UserError(f"{type(model).__name__} has no styles, which {chosen[0]} works on")
    return wanted[chosen[0]][1] if chosen else _draw


def _refuse_idle_flags(make: Callable) -> None:
    """Raises UserError for flags that were given and would change nothing."""
    heeded = [*_HEEDED[make]]
    for name, useless in (("num", FLAGS.seeds is not None), ("cutoff", FLAGS.truncation is None)):
        if useless and name in heeded:
            heeded.remove(name)
    others = set().union(*_HEEDED.values()).difference(heeded)
    idle = [f"--{name}" for name in sorted(others) if not FLAGS[name].using_default_value]
    if idle:
        raise UserError(
            f"Drop {', '.join(idle)}, which would change nothing here; what does:"
            f" {', '.join(f'--{name}' for name in heeded)}"
        )


def _draw(model: LatentGAN, out: Path) -> None:
    """Images in a grid, of which each label has its own rows."""
    latents, classes = _inputs(model)
    labels = _labels(model)
    groups = [classes] if labels is None else [tf.fill(classes.shape, label) for label in labels]
    others = _require_room(out, len(latents) * len(groups)) + _class_summary(
        model, np.concatenate(groups)
    )
    parts = (model.decode_batches(latents, group, FLAGS.seed, **_options()) for group in groups)
    WRITERS[FLAGS.format](_pixels(itertools.chain.from_iterable(parts)), out, len(groups))
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
    run = run_of(FLAGS.model)
    names = run.read_facts().get("class_names", []) if run else []
    titles = {label: f"{label} = {name}" for label, name in enumerate(names)}
    counts = sorted(collections.Counter(np.asarray(labels).tolist()).items())
    listed = ", ".join(f"{titles.get(c, c)} ({count})" for c, count in counts[:MOST_CLASSES])
    more = f", and {len(counts) - MOST_CLASSES} more" if counts[MOST_CLASSES:] else ""
    return f"; of the classes {listed}{more}"


def _numbered(index: int) -> str:
    return f"{index:06d}.png"


def _inputs(model: LatentGAN) -> tuple[tf.Tensor, tf.Tensor]:
    """The latents to draw, and the classes that are drawn with them."""
    if FLAGS.seeds is not None:
        seeds = numbers("seeds")
        return model.latents_of(seeds), model.labels_of(seeds)
    random = random_of(FLAGS.seed)
    return model.draw_latents(random, FLAGS.num), model.draw_labels(random, FLAGS.num)


def _pixels(batches: Iterable[tf.Tensor]) -> Iterator[np.ndarray]:
    """The images of batches, one by one, `[H, W, C]`, uint8."""
    return itertools.chain.from_iterable(map(pictures.to_uint8, batches))


def _write_grid(images: Iterable[np.ndarray], out: Path, groups: int) -> None:
    """One picture, in which each of several groups has its own rows."""
    parts, columns = np.split(np.stack([*images]), groups), None
    if groups > 1:
        count = len(parts[0])
        columns = math.ceil(count / math.ceil(count / MOST_COLUMNS))
    grids = [pictures.grid(part, columns=columns) for part in parts]
    pictures.save(np.concatenate(grids), out)


def _write_folder(images: Iterable[np.ndarray], out: Path, groups: int) -> None:
    for index, image in enumerate(images):
        pictures.save(image, out / _numbered(index))


def _write_npz(images: Iterable[np.ndarray], out: Path, groups: int) -> None:
    images = np.stack([*images])
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:  # a file, since a path without .npz would be changed
        np.savez_compressed(file, images=images)


WRITERS = {"grid": _write_grid, "folder": _write_folder, "npz": _write_npz}


def _mix(model: styles.StyleGAN, out: Path) -> None:
    """A sheet: sources above and to the left, and all of their mixtures."""
    pictures.require_writable(FLAGS.out)
    if FLAGS.mix_rows is None or FLAGS.mix_cols is None:
        raise UserError("A sheet of mixed styles needs both --mix_rows=1-4 and --mix_cols=5-9")
    seeds = numbers("mix_rows"), numbers("mix_cols")
    summary = _class_summary(model, _classes(model, [*seeds[0], *seeds[1]]))
    rows, columns = (_styles(model, each) for each in seeds)
    layers = numbers("mix_layers")
    if max(layers) >= rows.shape[1]:
        raise UserError(f"--mix_layers={FLAGS.mix_layers}: the layers are 0 to {rows.shape[1] - 1}")
    every = tf.concat([columns, rows, styles.mixed(rows, columns, layers)], axis=0)
    images = np.stack([*_pixels(_synthesized(model, every))])
    above, left, inner = np.split(images, [len(columns), len(columns) + len(rows)])
    lines = np.split(inner, len(rows))
    sheet = [np.full_like(above[:1], 255), above]
    sheet += [part for first, line in zip(left, lines, strict=True) for part in (first[None], line)]
    pictures.save(pictures.grid(np.concatenate(sheet), columns=len(columns) + 1), out)
    print(f"Wrote {out}{summary}")


def _interpolate(model: LatentGAN, out: Path) -> None:
    """An endless walk from seed to seed."""
    if FLAGS.seeds is None:
        raise UserError("A walk needs places to go: name them with --seeds=1-4")
    pictures.require_animation(out)
    seeds = numbers("seeds")
    classes = _classes(model, seeds)
    if FLAGS.interpolate == "z":
        way = styles.walk(model.latents_of(seeds), FLAGS.frames, spherical=True)
        classes = tf.fill([len(way)], classes[0])
        batches = model.decode_batches(way, classes, FLAGS.seed, **_options())
    else:
        way = styles.walk(_styles(model, seeds), FLAGS.frames, spherical=False)
        batches = _synthesized(model, way)
    summary = _class_summary(model, classes)
    pictures.save_animation(_pixels(batches), out)
    print(f"Wrote {len(way)} frames to {out}{summary}")


def _project(model: styles.StyleGAN, out: Path) -> None:
    """The image, and what the model makes of the style that comes closest to it."""
    if out.suffix.lower() == ".npz":
        raise UserError(
            f"--out={out}: the picture cannot have the name of the styles, which are written beside"
            f" it. Give --out={out.with_suffix('.png')}, and find the styles in {out}"
        )
    label = _label(model) or 0
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


def _options() -> dict:
    """The options of the model that were given."""
    options = {name: FLAGS[name].value for name in ("truncation", "cutoff", "noise")}
    return {name: value for name, value in options.items() if value is not None}


def _labels(model: LatentGAN) -> list[int] | None:
    """The classes that were asked for."""
    if FLAGS.labels is None:
        return None
    labels = numbers("labels")
    model.require_known(labels)
    return labels


def _label(model: LatentGAN) -> int | None:
    """The one class that was asked for, where several make no sense."""
    labels = _labels(model) or [None]
    if len(labels) > 1:
        raise UserError(f"--labels={FLAGS.labels}: all images are of one class here; name one")
    return labels[0]


def _classes(model: LatentGAN, seeds: list[int]) -> tf.Tensor:
    """Of each seed the class: that of --labels, else the one that it draws."""
    label = _label(model)
    return model.labels_of(seeds) if label is None else tf.fill([len(seeds)], label)


def _styles(model: styles.StyleGAN, seeds: list[int]) -> tf.Tensor:
    options = {name: value for name, value in _options().items() if name != "noise"}
    found = model.styles(model.latents_of(seeds), _classes(model, seeds), **options)
    return tensor(found)


def _synthesized(model: styles.StyleGAN, every: tf.Tensor) -> Iterator[tf.Tensor]:
    return styles.batches_of(model, every, FLAGS.noise or "const", FLAGS.seed)


def numbers(flag: str) -> list[int]:
    """The numbers that a flag such as --seeds=1-3,7 names; raises UserError where it does not."""
    found = []
    for part in FLAGS[flag].value.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            value = FLAGS[flag].value
            raise UserError(f"--{flag}={value}: expected numbers and ranges, as in 1-3,7")
        if len(found) + last - first >= MOST_NUMBERS:
            raise UserError(
                f"--{flag}={FLAGS[flag].value}: more than {MOST_NUMBERS:,} numbers; take fewer"
            )
        found += range(first, last + 1)
    return found


def _convert(model: ImageGAN, out: Path) -> None:
    """Converts a file, or every image of a folder."""
    source = Path(FLAGS.input)
    if FLAGS.skip_existing and (FLAGS.overwrite or not source.is_dir()):
        raise UserError("--skip_existing goes with a folder as --input, and without --overwrite")
    conversions = outputs.plan(source, FLAGS.out, FLAGS.overwrite, FLAGS.skip_existing)
    for folder in {conversion.result.parent for conversion in conversions}:
        folder.mkdir(parents=True, exist_ok=True)  # before work that would be lost
    if not source.is_dir():
        _convert_file(model, *conversions[0])
        print(f"Wrote {conversions[0].result}")
        return
    failed, written = [], []
    for conversion in tqdm(conversions, unit=" images", disable=not sys.stderr.isatty()):
        try:
            _convert_file(model, *conversion)
            written.append(conversion.result)
        except pictures.UnreadableImage as error:
            failed.append(str(error))
    print(f"Wrote {len(written)} images to {out}{outputs.others_in(out, written)}")
    if failed:
        raise UserError("\n  ".join([f"{len(failed)} files could not be read:", *failed]))


def _convert_file(model: ImageGAN, source: Path, out: Path) -> None:
    image = pictures.opened(source, tell=tqdm.write)
    size = (model.scale * image.width, model.scale * image.height)
    color = "L" if model.channels == 1 else "RGB"
    mode = pictures.written_mode(out, f"{color}A" if image.has_transparency_data else color, size)
    background = configs.data_of(FLAGS.model).get("background", "white")
    if not mode.endswith("A") and photos.is_transparent(image):
        tqdm.write(f"{source}: {background} where it is transparent, as {out.suffix} cannot be")
    converted = model.convert_picture(image, FLAGS.direction, FLAGS.tile, FLAGS.batch)
    save = functools.partial(pictures.save, converted, background=BACKGROUNDS[background])
    files.write_atomically(out, save)


_SEEDED = ("seed", "labels", "truncation", "cutoff", "noise")
# The flags that decide what is made, besides --model and --out.
_HEEDED = {
    _draw: ("num", "seeds", "format", "overwrite", *_SEEDED),
    _mix: ("mix_rows", "mix_cols", "mix_layers", *_SEEDED),
    _interpolate: ("interpolate", "seeds", "frames", *_SEEDED),
    _project: ("project", "project_steps", "vgg_weights", "seed", "labels"),
    _convert: ("input", "direction", "tile", "batch", "overwrite", "skip_existing"),
}


if __name__ == "__main__":
    cli.run(main, define_flags)
