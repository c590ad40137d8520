"""Makes images with a trained model.

What a model can do, and what it is given: python -m ganzoo.generate --model=RUN_DIR --help

Models that draw: python -m ganzoo.generate --model=RUN_DIR --num=64 --seed=1 --out=grid.png
    of chosen seeds, classes and options: --seeds=1-9 --classes=star,heart --truncation=0.7
    on the way from seed to seed: --interpolate=z --seeds=1-5 --out=way.gif (or .mp4)
Models with styles, besides: --mix_rows=1-4 --mix_cols=5-9, --interpolate=w, --project=photo.png
Models that convert: python -m ganzoo.generate --model=RUN_DIR --input=photo.jpg --out=new.png
"""

from collections.abc import Callable

import keras
import tensorflow as tf
from absl import flags

from ganzoo import cli, devices, files, models
from ganzoo.engine import GAN
from ganzoo.errors import UserError, unknown
from ganzoo.generate import converting, drawing
from ganzoo.inputs import Image, Mode, Probabilities
from ganzoo.styles import StyleGAN
from ganzoo.translation import TILE

FLAGS = flags.FLAGS
OLD_NAMES = {"labels": "classes", "direction": "mode"}


def define_flags() -> None:
    """The flags of this command, beside those that a model declares."""
    flags.DEFINE_string("model", None, "a run directory, or the name of a trained model")
    flags.DEFINE_string("mode", None, "one of what the model can do; the first by default")
    flags.DEFINE_string("out", None, "the file or folder to write")
    flags.DEFINE_enum(
        "format", "grid", ["grid", "folder", "npz"], "one PNG, one PNG each, or an array"
    )
    precisions = ["auto", "float32", "mixed_bfloat16", "mixed_float16"]
    flags.DEFINE_enum("precision", "auto", precisions, "auto: bfloat16 where the hardware has it")

    flags.DEFINE_integer("num", 64, "how many images to draw", lower_bound=1)
    flags.DEFINE_integer("seed", 0, "of the latents, and of all else that is random", lower_bound=0)
    flags.DEFINE_string("seeds", None, "instead: the first image of each seed, as in 1-9,20")
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
    flags.DEFINE_integer("tile", TILE, "largest side that is converted at once, in pixels")
    flags.DEFINE_integer("batch", 1, "tiles side by side that are converted at once", lower_bound=1)
    flags.DEFINE_boolean("overwrite", False, "replace files that exist, but for the originals")
    flags.DEFINE_boolean("skip_existing", False, "of a folder, convert what has no result yet")


def main(argv):
    """The command line; the words of `argv` are flags that the model declares, or wrong."""
    given = cli.flags_in(argv[1:], OLD_NAMES)
    if FLAGS.model is None and given:
        raise unknown("flag", f"--{next(iter(given))}", [f"--{name}" for name in _OWN_FLAGS])
    if FLAGS.model is None or FLAGS.out is None:
        raise UserError("Expected: python -m ganzoo.generate --model=RUN_DIR --out=grid.png")
    keras.mixed_precision.set_global_policy(devices.resolve_precision(FLAGS.precision))
    tf.config.experimental.enable_tensor_float_32_execution(False)  # float32 is float32
    model, out = models.load(FLAGS.model), files.expanded(FLAGS.out)
    FLAGS.mode = given.pop("mode", FLAGS.mode)
    mode = model.mode(FLAGS.mode)
    make = _chosen(model, mode)
    _refuse_unused(model, [*_USED_FLAGS[make], *(mode.flags() if make in _BY_MODE else ())], given)
    try:
        make(model, mode, out, given)
    except OSError as error:
        raise UserError(f"--out={out} cannot be written ({error.strerror})") from error


def describe() -> str:
    """What the model of --model can do, for --help."""
    return models.load(FLAGS.model).describe()


def _chosen(model: GAN, mode: Mode) -> Callable:
    """The function that makes what the mode and the flags ask for."""
    if mode.find(Image):
        if FLAGS.input is None:
            raise UserError("This model converts images: name one, or a folder, with --input=PATH")
        classifies = isinstance(mode.outputs[0], Probabilities)
        return converting.classify if classifies else converting.convert
    if FLAGS.input is not None:
        raise UserError("This model draws images from random numbers: drop --input")
    mixing = FLAGS.mix_rows is not None or FLAGS.mix_cols is not None
    wanted = {
        "--mix_rows": (mixing, drawing.mix),
        "--interpolate": (FLAGS.interpolate is not None, drawing.interpolate),
        "--project": (FLAGS.project is not None, drawing.project),
    }
    chosen = [name for name, (asked, _) in wanted.items() if asked]
    if len(chosen) > 1:
        raise UserError(f"{' and '.join(chosen)} exclude each other: choose one")
    of_styles = mixing or FLAGS.project is not None or FLAGS.interpolate == "w"
    if of_styles and not isinstance(model, StyleGAN):
        raise UserError(f"{type(model).__name__} has no styles, which {chosen[0]} works on")
    return wanted[chosen[0]][1] if chosen else drawing.draw


def _refuse_unused(model: GAN, used: list[str], given: dict[str, str]) -> None:
    """Raises UserError for flags that do not exist, or were given and have no effect."""
    declared = {*used, *_OWN_FLAGS, *(f for mode in model.modes().values() for f in mode.flags())}
    for name in given:
        if name not in declared:
            raise unknown(
                f"flag of {type(model).__name__}", f"--{name}", [f"--{n}" for n in declared]
            )
    for name, useless in (("num", FLAGS.seeds is not None), ("cutoff", "truncation" not in given)):
        if useless and name in used:
            used.remove(name)
    always = {"model", "mode", "out", "precision"}
    chosen = [n for n in _OWN_FLAGS if not FLAGS[n].using_default_value] + [*given]
    unused = [f"--{name}" for name in sorted(chosen) if name not in {*used, *always}]
    if unused:
        raise UserError(
            f"Drop {', '.join(unused)}, which has no effect here; what has:"
            f" {', '.join(f'--{name}' for name in dict.fromkeys(used))}"
        )


# The flags that decide what is made, besides those of the mode.
_USED_FLAGS = {
    drawing.draw: ("format", "overwrite", "classes"),
    drawing.mix: ("mix_rows", "mix_cols", "mix_layers", "seed", "classes", *StyleGAN.OPTIONS),
    drawing.interpolate: ("interpolate", "frames", "classes"),
    drawing.project: ("project", "project_steps", "vgg_weights", "seed", "classes"),
    converting.convert: ("seed",),
    converting.classify: (),
}
_BY_MODE = (drawing.draw, drawing.interpolate, converting.convert, converting.classify)
_OWN_FLAGS = (
    *("format", "num", "seed", "seeds", "mix_rows", "mix_cols", "mix_layers", "interpolate"),
    *("frames", "project", "project_steps", "vgg_weights", "input", "tile", "batch", "overwrite"),
    "skip_existing",
)


if __name__ == "__main__":
    cli.run(main, define_flags, commands=None, describe=describe)
