"""Models out of files of other programs; the networks are told from the arrays."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ganzoo import weights
from ganzoo.engine import GAN
from ganzoo.errors import UserError, choose
from ganzoo.models.registry import construct
from ganzoo.weights import layouts

Arrays = Mapping[str, np.ndarray]


class Format(NamedTuple):
    """Files of one program.

    Attributes:
        model_name: key of `ganzoo.models.MODELS`.
        prefixes: of the generator's names, the first that there is.
        arguments: of the model's constructor, told from the generator's arrays; raises KeyError or
            ValueError when they are not of this program.
        layout: of the generator.
        wrapped: whether the state dict lies in a dictionary, under the first prefix.
    """

    model_name: str
    prefixes: tuple[str, ...]
    arguments: Callable[[Arrays], dict]
    layout: Callable
    wrapped: bool = False


def read_model(path: str | Path, program: str | None = None) -> tuple[GAN, str, dict]:
    """A model out of a file; nothing in the file is executed.

    Args:
        path: any file that `ganzoo.weights.read` reads.
        program: a key of `FORMATS`; None finds out which.

    Returns:
        the model with one generator, its name in `MODELS`, and the arguments of its constructor.

    Raises:
        UserError: for an unknown program, or a file that is not one of its.
    """
    arrays = weights.read(path)
    if program is None:
        program = _program_of(path, arrays)
    format = choose("program", program, FORMATS)
    arrays = _generator_of(arrays, format.prefixes)
    try:
        arguments = format.arguments(arrays)
    except (KeyError, ValueError) as error:
        raise UserError(f"{path} holds no generator of {program}: {error} is missing") from error
    model = construct(format.model_name, **arguments)
    if len(model.generators()) > 1:
        model.keep_directions(model.DIRECTIONS[:1])
    model.build_generators()
    model.built = True
    (network,) = model.generators().values()
    layouts.assign(format.layout(network), arrays)
    return model, format.model_name, arguments


def _program_of(path, arrays: Arrays) -> str:
    """The program whose names the arrays have."""
    for name, format in FORMATS.items():
        try:
            format.arguments(_generator_of(arrays, format.prefixes))
        except (KeyError, ValueError, IndexError):
            continue
        return name
    raise UserError(
        f"{path} holds no generator of {', '.join(FORMATS)}. A model of ganzoo is a folder: a run"
        " directory, or what python -m ganzoo.convert writes."
    )


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


def _cyclegan(arrays: Arrays) -> dict:
    first = arrays["model.1.weight"]
    blocks = _numbers(arrays, r"model\.(\d+)\.conv_block\.1\.weight")
    if not blocks:
        raise KeyError("model.10.conv_block.1.weight")
    return {
        "image_size": 256 if len(blocks) > 6 else 128,
        "channels": first.shape[1],
        "generator": "resnet",
        "num_blocks": len(blocks),
        "generator_width": first.shape[0],
    }


FORMATS = {
    "cyclegan-pytorch": Format("cyclegan", ("module.",), _cyclegan, layouts.cyclegan_resnet),
    "stylegan2-ada-pytorch": Format(
        "stylegan2_ada", ("G_ema.", "G."), _stylegan2, layouts.stylegan2_generator
    ),
    "dcgan-pytorch": Format("dcgan", (), _dcgan, layouts.dcgan_generator),
    "mimicry": Format(
        "ssgan", ("model_state_dict.",), _mimicry, layouts.mimicry_generator, wrapped=True
    ),
}
