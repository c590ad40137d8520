"""Makes a model of ganzoo out of a file of another program.

    python -m ganzoo.convert --from=stylegan2-ada-pytorch --input=network.pkl --out=FOLDER

The networks are told from the arrays. FOLDER can be given to `ganzoo.models.load` and to
`python -m ganzoo.generate --model=FOLDER`. Nothing in the file is executed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import flags

from ganzoo import cli, models, weights
from ganzoo.errors import UserError, choose
from ganzoo.weights import layouts

Arrays = Mapping[str, np.ndarray]

FLAGS = flags.FLAGS
flags.DEFINE_string("from", None, "the program that wrote the file")
flags.DEFINE_string("input", None, "the file")
flags.DEFINE_string("out", None, "the folder to write")


class Format(NamedTuple):
    """Files of one program.

    Attributes:
        model_name: key of `ganzoo.models.MODELS`.
        prefixes: of the generator's names, the first that there is.
        arguments: of the model's constructor, told from the generator's arrays.
        layout: of the generator.
    """

    model_name: str
    prefixes: tuple[str, ...]
    arguments: Callable[[Arrays], dict]
    layout: Callable


def main(argv):
    """The command line."""
    values = {name: FLAGS[name].value for name in ("from", "input", "out")}
    if None in values.values():
        raise UserError(
            "Expected: python -m ganzoo.convert --from=PROGRAM --input=FILE --out=FOLDER, with one"
            f" of {', '.join(FORMATS)}"
        )
    model = convert(values["from"], values["input"], values["out"])
    print(f"Wrote a {type(model).__name__} of {model.image_size} px to {values['out']}")


def convert(program: str, source: str | Path, out: str | Path):
    """Reads a file, writes a model for `ganzoo.models.load`, and returns it.

    Args:
        program: a key of `FORMATS`.
        source: the file.
        out: a folder; what it holds of an earlier model is replaced.

    Raises:
        UserError: for an unknown program, or a file that is not one of its.
    """
    format = choose("program", program, FORMATS)
    arrays = _generator_of(weights.read(source), format.prefixes)
    try:
        arguments = format.arguments(arrays)
    except (KeyError, ValueError) as error:
        raise UserError(f"{source} holds no generator of {program}: {error} is missing") from error
    model = models.construct(format.model_name, **arguments)
    model.build_generators()
    (network,) = model.generators().values()
    layouts.assign(format.layout(network), arrays)
    models.save(model, format.model_name, arguments, Path(out) / "model")
    return model


def _generator_of(arrays: Arrays, prefixes: tuple[str, ...]) -> Arrays:
    """The arrays under the first prefix that there is, without it."""
    for prefix in prefixes:
        found = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        if found:
            return found
    return arrays


def _numbers(arrays: Arrays, pattern: str) -> list[int]:
    """The numbers that stand in the matching names, ascending."""
    matches = (re.fullmatch(pattern, name) for name in arrays)
    return sorted({int(match[1]) for match in matches if match})


def _stylegan2(arrays: Arrays) -> dict:
    sizes = _numbers(arrays, r"synthesis\.b(\d+)\.conv1\.weight")
    widths = {size: arrays[f"synthesis.b{size}.conv1.weight"].shape[0] for size in sizes}
    largest, most = max(sizes), max(widths.values())
    has_labels = "mapping.embed.weight" in arrays
    style_dim = arrays["mapping.w_avg"].shape[0]
    inputs = arrays["mapping.fc0.weight"].shape[1]
    architecture = "skip" if "synthesis.b4.torgb.weight" in arrays else "orig"
    if f"synthesis.b{largest}.skip.weight" in arrays:
        architecture = "resnet"
    return {
        "image_size": largest,
        "channels": arrays[f"synthesis.b{largest}.torgb.weight"].shape[0],
        "num_classes": arrays["mapping.embed.weight"].shape[1] if has_labels else 0,
        "latent_dim": inputs - (style_dim if has_labels else 0),
        "style_dim": style_dim,
        "mapping_layers": len(_numbers(arrays, r"mapping\.fc(\d+)\.weight")),
        "channel_base": widths[largest] * largest,
        "channel_max": most,
        "generator_architecture": architecture,
    }


def _dcgan(arrays: Arrays) -> dict:
    latents, _, side, _ = arrays["main.0.weight"].shape
    layers = _numbers(arrays, r"main\.(\d+)\.weight")
    last = arrays[f"main.{max(layers)}.weight"]
    return {
        "image_size": side * 2 ** (max(layers) // 3),
        "channels": last.shape[1],
        "latent_dim": latents,
        "width": last.shape[0],
    }


def _mimicry(arrays: Arrays) -> dict:
    if len(_numbers(arrays, r"block(\d+)\.c1\.weight")) != 3:
        raise ValueError("a network of three blocks, for 32 px,")
    return {
        "image_size": 32,
        "channels": arrays["c5.weight"].shape[0],
        "architecture": "mimicry",
        "latent_dim": arrays["l1.weight"].shape[1],
        "generator_width": arrays["block2.c1.weight"].shape[0],
    }


FORMATS = {
    "stylegan2-ada-pytorch": Format(
        "stylegan2_ada", ("G_ema.", "G."), _stylegan2, layouts.stylegan2_generator
    ),
    "dcgan-pytorch": Format("dcgan", (), _dcgan, layouts.dcgan_generator),
    "mimicry": Format("ssgan", ("model_state_dict.",), _mimicry, layouts.mimicry_generator),
}


if __name__ == "__main__":
    cli.run(main)
