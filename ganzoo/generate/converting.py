"""Images from images: a file, or every image of a folder."""

import functools
import sys
from collections.abc import Mapping
from pathlib import Path

from absl import flags
from tqdm import tqdm

from ganzoo import config as configs
from ganzoo import files, outputs, photos
from ganzoo import images as pictures
from ganzoo.data.decode import BACKGROUNDS
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
