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
_COUNTERS = r".*\.num_batches_tracked"
# Instance normalization kept averages before PyTorch 0.4, and used them in no program.
_AVERAGES = r".*\.(num_batches_tracked|running_mean|running_var)"


class Format(NamedTuple):
    """Files of one program.

    Attributes:
        model_name: key of `ganzoo.models.MODELS`.
        prefixes: of the generator's names, the first that there is.
        arguments: of the model's constructor, told from the generator's arrays; raises KeyError or
            ValueError when they are not of this program.
        layout: of the generator.
        ignored: a pattern of names, relative to the generator's, that no model needs.
        under: the key of the dictionary that holds the state dict; None for none.
        prefix: of the names in files that are written.
        constants: what such files need, too, told from the arrays.
        whole: the layouts of all networks of a built model, by prefix; None where files hold the
            generator alone.
    """

    model_name: str
    prefixes: tuple[str, ...]
    arguments: Callable[[Arrays], dict]
    layout: Callable
    ignored: str = _COUNTERS
    under: str | None = None
    prefix: str = ""
    constants: Callable[[Arrays], Arrays] = lambda arrays: {}
    whole: Callable[[GAN], dict] | None = None


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
    arrays = _without_dropout(_generator_of(arrays, format.prefixes))
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
    entries = list(format.layout(network))
    _refuse_others(path, arrays, {entry.name for entry in entries}, format.ignored)
    layouts.assign(entries, arrays)
    return model, format.model_name, arguments


def read_networks(path: str | Path, program: str | None = None) -> GAN:
    """A model with its discriminator, and the generator as it is in training.

    Arguments and errors are those of `read_model`; a file may hold the averaged generator alone.
    """
    arrays = weights.read(path)
    format = choose("program", program or _program_of(path, arrays), FORMATS)
    if format.whole is None:
        raise UserError(f"{path} is of a program whose files hold generators alone")
    judge = _under("D.", arrays)
    if not judge:
        raise UserError(f"{path} holds no discriminator")
    arguments = format.arguments(_generator_of(arrays, format.prefixes))
    model = construct(format.model_name, **arguments, **_stylegan2_discriminator(judge))
    model.build()
    for prefix, entries in format.whole(model).items():
        layouts.assign(entries, _under(prefix, arrays) or _generator_of(arrays, format.prefixes))
    return model


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _refuse_others(path, arrays: Arrays, known: set[str], ignored: str) -> None:
    """Nothing that a file says may be left out unnoticed: its network would be another one."""
    others = [n for n in arrays if n not in known and not re.fullmatch(ignored, n)]
    if others:
        raise UserError(
            f"{path} holds {len(others)} arrays that this network does not have, such as"
            f" {', '.join(sorted(others)[:3])}; it is of another kind"
        )


def _program_of(path, arrays: Arrays) -> str:
    """The program whose names the arrays have."""
    if any(name.endswith("4x4/Const/const") for name in arrays):
        raise UserError(
            f"{path} holds networks of TensorFlow. Convert it with NVIDIA's own code first:"
            " python legacy.py --source=OLD.pkl --dest=NEW.pkl in stylegan2-ada-pytorch"
        )
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
        if found := _under(prefix, arrays):
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


def _stylegan2_discriminator(arrays: Arrays) -> dict:
    architecture = "skip" if "b4.fromrgb.weight" in arrays else "orig"
    if any(name.endswith(".skip.weight") for name in arrays):
        architecture = "resnet"
    layers = len(_numbers(arrays, r"mapping\.fc(\d+)\.weight"))
    return {
        "discriminator_architecture": architecture,
        **({"discriminator_mapping_layers": layers} if layers else {}),
    }


def _stylegan2_networks(model: GAN) -> dict:
    return {
        "G_ema.": layouts.stylegan2_generator(model.averaged_generator),
        "G.": layouts.stylegan2_generator(model.generator),
        "D.": layouts.stylegan2_discriminator(model.discriminator),
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
    if "model.model.0.weight" in arrays:
        return _unet(arrays)
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
        "normalization": _normalization(arrays, "model.2"),
    }


def _unet(arrays: Arrays) -> dict:
    depth = 1 + sum(name.endswith(".1.weight") for name in arrays)
    return {
        "image_size": 2**depth,
        "channels": arrays["model.model.0.weight"].shape[1],
        "generator": "unet",
        "generator_width": arrays["model.model.0.weight"].shape[0],
        "normalization": _normalization(arrays, "model.model.1.model.2"),
    }


def _normalization(arrays: Arrays, name: str) -> str:
    if f"{name}.weight" not in arrays:
        return "instance"
    return "batch" if f"{name}.running_mean" in arrays else "image"


def _pix2pix(arrays: Arrays) -> dict:
    arguments = _cyclegan(arrays)
    if arguments["normalization"] == "batch":
        arguments["normalization"] = "image"
    return arguments


def _without_dropout(arrays: Arrays) -> Arrays:
    """Where a block has a dropout, the layers after it have the next numbers: a kernel has 6."""
    block = r"(model\.\d+\.conv_block\.)"
    moved = any(re.fullmatch(rf"{block}6\.weight", n) and a.ndim == 4 for n, a in arrays.items())
    if not moved:
        return arrays
    later = re.compile(rf"{block}([67])(\..*)")
    return {later.sub(lambda m: f"{m[1]}{int(m[2]) - 1}{m[3]}", n): a for n, a in arrays.items()}


def _leftthomas(arrays: Arrays) -> dict:
    blocks = _numbers(arrays, r"block(\d+)\.conv1\.weight")
    first = arrays["block1.0.weight"]
    doublings = _numbers(arrays, rf"block{len(blocks) + 3}\.(\d+)\.conv\.weight")
    return {
        "channels": first.shape[1],
        "scale": 2 ** len(doublings),
        "num_blocks": len(blocks),
        "width": first.shape[0],
        "output": "tanh",
        "normalized_bias": True,
        "trunk_end": "norm" if f"block{len(blocks) + 2}.1.bias" in arrays else "prelu",
        "content_loss": "mse",
    }


def _mmagic(arrays: Arrays) -> dict:
    first = arrays["conv_first.weight"]
    expansions = _numbers(arrays, r"upsample(\d+)\.upsample_conv\.weight")
    return {
        "channels": first.shape[1],
        "scale": 2 ** len(expansions),
        "num_blocks": len(_numbers(arrays, r"trunk_net\.(\d+)\.conv1\.weight")),
        "width": first.shape[0],
        "architecture": "msrresnet",
        "content_loss": "mse",
    }


FORMATS = {
    "cyclegan-pytorch": Format(
        "cyclegan", ("module.",), _cyclegan, layouts.cyclegan_generator, _AVERAGES
    ),
    "pix2pix-pytorch": Format(
        "cyclegan", ("module.",), _pix2pix, layouts.cyclegan_generator, _AVERAGES
    ),
    "stylegan2-ada-pytorch": Format(
        "stylegan2_ada",
        ("G_ema.", "G."),
        _stylegan2,
        layouts.stylegan2_generator,
        r".*\.resample_filter",
        constants=layouts.stylegan2_filters,
        whole=_stylegan2_networks,
    ),
    "dcgan-pytorch": Format("dcgan", (), _dcgan, layouts.dcgan_generator),
    "mimicry": Format(
        "ssgan",
        ("model_state_dict.",),
        _mimicry,
        layouts.mimicry_generator,
        under="model_state_dict",
    ),
    "leftthomas-srgan": Format("srgan", (), _leftthomas, layouts.leftthomas_generator),
    "mmagic": Format(
        "srgan",
        ("state_dict.generator.", "generator.", "state_dict."),
        _mmagic,
        layouts.mmagic_msrresnet,
        under="state_dict",
        prefix="generator.",
    ),
}
