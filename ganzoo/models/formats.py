"""The programs whose files can be read: what their networks are is told from the arrays."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from ganzoo.engine import GAN
from ganzoo.weights import layouts

Arrays = Mapping[str, np.ndarray]
_LEVEL = "model.model.1.model"  # of a U-Net, the second
_MOST_LAYERS, _MOST_DIGITS = 100, 4  # of one kind; of their numbers, or of sides in pixels
ATTRIBUTES = ("conv_clamp", "group_size")  # of layers, which arrays do not tell
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
        judge: arguments told from the discriminator's arrays, under "D."; None where files hold
            the generator alone.
        whole: the layouts of all networks of a built model, by prefix.
    """

    model_name: str
    prefixes: tuple[str, ...]
    arguments: Callable[[Arrays], dict]
    layout: Callable
    ignored: str = _COUNTERS
    under: str | None = None
    prefix: str = ""
    constants: Callable[[Arrays], Arrays] = lambda arrays: {}
    judge: Callable[[Arrays], dict] | None = None
    whole: Callable[[GAN], dict] | None = None


def _numbers(arrays: Arrays, pattern: str) -> list[int]:
    """The numbers that stand in the matching names, ascending: of layers, or sides of images."""
    matches = (re.fullmatch(pattern, name) for name in arrays)
    found = {match[1] for match in matches if match}
    if len(found) > _MOST_LAYERS or any(len(number) > _MOST_DIGITS for number in found):
        raise ValueError(f"more than {_MOST_LAYERS} layers, or longer numbers")
    return sorted(map(int, found))


def _stylegan2(arrays: Arrays) -> dict:
    sizes = _numbers(arrays, r"synthesis\.b(\d+)\.conv1\.weight")
    widths = {size: arrays[f"synthesis.b{size}.conv1.weight"].shape[0] for size in sizes}
    largest, most = max(sizes), max(widths.values())
    has_labels = "mapping.embed.weight" in arrays
    style_dim = arrays["mapping.w_avg"].shape[0]
    latent_dim = arrays["mapping.fc0.weight"].shape[1] - (style_dim if has_labels else 0)
    if latent_dim < 1:
        raise ValueError("no latents beside the labels")
    architecture = "skip" if "synthesis.b4.torgb.weight" in arrays else "orig"
    if f"synthesis.b{largest}.skip.weight" in arrays:
        architecture = "resnet"
    clamp = arrays.get(f"synthesis.b{largest}.torgb.conv_clamp")
    return {
        "image_size": largest,
        "channels": arrays[f"synthesis.b{largest}.torgb.weight"].shape[0],
        "num_classes": arrays["mapping.embed.weight"].shape[1] if has_labels else 0,
        "latent_dim": latent_dim,
        "style_dim": style_dim,
        "mapping_layers": len(_numbers(arrays, r"mapping\.fc(\d+)\.weight")),
        "channel_base": widths[largest] * largest,
        "channel_max": most,
        "generator_architecture": architecture,
        **({} if clamp is None else {"clamp": float(clamp)}),
    }


def _stylegan2_discriminator(arrays: Arrays) -> dict:
    architecture = "skip" if "b4.fromrgb.weight" in arrays else "orig"
    if any(name.endswith(".skip.weight") for name in arrays):
        architecture = "resnet"
    layers = len(_numbers(arrays, r"mapping\.fc(\d+)\.weight"))
    group = arrays.get("b4.mbstd.group_size")
    return {
        "discriminator_architecture": architecture,
        **({"discriminator_mapping_layers": layers} if layers else {}),
        **({} if group is None else {"minibatch_stddev_group": int(group)}),
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
        "image_size": side * 2 ** (len(layers) // 2),  # of which every other is a normalization
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
        "normalization": _normalization(arrays, "model.1", "model.2"),
    }


def _unet(arrays: Arrays) -> dict:
    depth = 1 + sum(name.endswith(".1.weight") for name in arrays)
    if depth > _MOST_LAYERS:
        raise ValueError(f"more than {_MOST_LAYERS} levels")
    return {
        "image_size": 2**depth,
        "channels": arrays["model.model.0.weight"].shape[1],
        "generator": "unet",
        "generator_width": arrays["model.model.0.weight"].shape[0],
        "normalization": _normalization(arrays, f"{_LEVEL}.1", f"{_LEVEL}.2"),
    }


def _normalization(arrays: Arrays, convolution: str, norm: str) -> str:
    """What follows a convolution, which has a bias where that does not take the mean's place."""
    if f"{norm}.weight" not in arrays:
        return "instance" if f"{convolution}.bias" in arrays else "none"
    return "batch" if f"{norm}.running_mean" in arrays else "image"


def _pix2pix(arrays: Arrays) -> dict:
    arguments = _cyclegan(arrays)
    if arguments["normalization"] == "batch":
        arguments["normalization"] = "image"
    return arguments


def _averages(arrays: Arrays) -> Arrays:
    """What batch normalization is written with, and does not use but in evaluation mode."""
    scales = {n.removesuffix(".weight"): a for n, a in arrays.items() if a.ndim == 1}
    scales = {name: a for name, a in scales.items() if f"{name}.weight" in arrays}
    means = {f"{name}.running_mean": np.zeros_like(a) for name, a in scales.items()}
    variances = {f"{name}.running_var": np.ones_like(a) for name, a in scales.items()}
    return means | variances | arrays


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
    # Before CycleGAN's, whose files look the same: without --eval the authors' test.py takes the
    # statistics of each image, of either.
    "pix2pix-pytorch": Format(
        "cyclegan", (), _pix2pix, layouts.cyclegan_generator, _AVERAGES, constants=_averages
    ),
    "cyclegan-pytorch": Format("cyclegan", (), _cyclegan, layouts.cyclegan_generator, _AVERAGES),
    "stylegan2-ada-pytorch": Format(
        "stylegan2_ada",
        ("G_ema.", "G."),
        _stylegan2,
        layouts.stylegan2_generator,
        r".*\.(resample_filter|conv_clamp)",
        constants=layouts.stylegan2_filters,
        judge=_stylegan2_discriminator,
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
