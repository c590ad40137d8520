"""junyanz/pytorch-CycleGAN-and-pix2pix: ResNets and U-Nets with any of its normalizations.

Zhu et al. 2017, https://arxiv.org/abs/1703.10593
Isola et al. 2017, https://arxiv.org/abs/1611.07004
"""

import dataclasses
import re
from collections.abc import Iterator

import numpy as np

from ganzoo.programs.program import MOST_LAYERS, NO_LICENSE, Arrays, Preset, Program, numbers
from ganzoo.weights.layouts import Entry, convolution, normalization, transposed

_CYCLEGAN_URL = "https://efrosgans.eecs.berkeley.edu/cyclegan/pretrained_models"
_PIX2PIX_URL = "https://efrosgans.eecs.berkeley.edu/pix2pix/models-pytorch"
_CYCLEGAN_DATA = {
    "ImageNet": "apple2orange orange2apple horse2zebra zebra2horse",
    "photos of Yosemite from Flickr": "summer2winter_yosemite winter2summer_yosemite",
    "photos of Flickr, and paintings of WikiArt": "monet2photo style_monet style_cezanne"
    " style_ukiyoe style_vangogh",
    "Google Maps": "sat2map map2sat",
    "Cityscapes": "cityscapes_photo2label cityscapes_label2photo",
    "CMP Facades": "facades_photo2label facades_label2photo",
    "photos of flowers from Flickr": "iphone2dslr_flower",
}
_PIX2PIX_DATA = {
    "UT Zappos50K": "edges2shoes",
    "Google Maps": "sat2map map2sat",
    "CMP Facades": "facades_label2photo",
    "Transient Attributes": "day2night",
}
_SIZES = {"image_size": 256, "channels": 3, "generator_width": 64}
_RESNET = {**_SIZES, "generator": "resnet", "num_blocks": 9, "normalization": "instance"}
_UNET = {**_SIZES, "out_channels": 3, "dropout": "pytorch"}
_FIGURES = {
    "cyclegan_horse2zebra": "FID 62.11",
    "cyclegan_zebra2horse": "FID 138.65",
    "cyclegan_summer2winter_yosemite": "FID 77.34",
    "cyclegan_winter2summer_yosemite": "FID 72.63",
}
# Instance normalization kept averages before PyTorch 0.4, and used them in no program.
_IGNORED = r".*\.(num_batches_tracked|running_mean|running_var)"
_LEVEL = "model.model.1.model"  # of a U-Net, the second


def generator(network) -> Iterator[Entry]:
    """Either kind of generator."""
    return unet(network) if hasattr(network, "downs") else resnet(network)


def resnet(network, prefix: str = "") -> Iterator[Entry]:
    """Residual generators."""
    *layers, last, _ = network.layers
    yield from _numbered(layers, f"{prefix}model", 1)  # theirs pad in a layer of its own
    yield from convolution(last, f"{prefix}model.{len(layers) + 2}")


def unet(network, prefix: str = "model.") -> Iterator[Entry]:
    """U-Nets, of which each level holds the next, between its way down and up."""
    yield from convolution(network.downs[0], f"{prefix}model.0")
    yield from transposed(network.ups[-1], f"{prefix}model.3")
    level, norms_down = f"{prefix}model.1.model", [*network.norms_down, None]
    ups = zip(network.ups[-2::-1], network.norms_up[::-1], strict=True)
    for down, norm_down, (up, norm_up) in zip(network.downs[1:], norms_down, ups, strict=True):
        place = 3 if norm_down is None else 5  # the innermost level has no other inside
        yield from convolution(down, f"{level}.1")
        yield from normalization(norm_down, f"{level}.2")
        yield from transposed(up, f"{level}.{place}")
        yield from normalization(norm_up, f"{level}.{place + 1}")
        level += ".3.model"


def discriminator(network, prefix: str = "model") -> Iterator[Entry]:
    """Discriminators of n layers; those of pixels have the prefix "net"."""
    yield from _numbered(network.layers, prefix, 0)


def _numbered(layers, prefix: str, start: int) -> Iterator[Entry]:
    """Layers that are called by their places in a sequence."""
    for number, layer in enumerate(layers, start):
        name = f"{prefix}.{number}"
        if hasattr(layer, "branch"):
            yield from _numbered(layer.branch.layers[:3], f"{name}.conv_block", 1)
            yield from _numbered(layer.branch.layers[3:], f"{name}.conv_block", 5)
        elif hasattr(layer, "kernel"):
            make = transposed if hasattr(layer, "crop") else convolution
            yield from make(layer, name)
        else:
            yield from normalization(layer, name)


def _infer(arrays: Arrays) -> dict:
    """What the arrays of either kind of generator say of it."""
    if "model.model.0.weight" in arrays:
        return _infer_unet(arrays)
    first, norm = arrays["model.1.weight"], _infer_norm(arrays, "model.1", "model.2")
    blocks = numbers(arrays, r"model\.(\d+)\.conv_block\.1\.weight")
    if not blocks:
        raise KeyError("model.10.conv_block.1.weight")
    return {
        "image_size": 256 if len(blocks) > 6 else 128,
        "channels": first.shape[1],
        "generator": "resnet",
        "num_blocks": len(blocks),
        "generator_width": first.shape[0],
        "normalization": norm,
    }


def _infer_unet(arrays: Arrays) -> dict:
    depth = 1 + sum(name.endswith(".1.weight") for name in arrays)
    if depth > MOST_LAYERS:
        raise ValueError(f"more than {MOST_LAYERS} levels")
    return {
        "image_size": 2**depth,
        "channels": arrays["model.model.0.weight"].shape[1],
        "generator": "unet",
        "generator_width": arrays["model.model.0.weight"].shape[0],
        "normalization": _infer_norm(arrays, f"{_LEVEL}.1", f"{_LEVEL}.2"),
    }


def _infer_norm(arrays: Arrays, convolution: str, norm: str) -> str:
    """What follows a convolution, which has a bias where that does not take the mean's place."""
    if f"{norm}.weight" not in arrays:
        return "instance" if f"{convolution}.bias" in arrays else "none"
    return "batch" if f"{norm}.running_mean" in arrays else "image"


def _infer_pix2pix(arrays: Arrays) -> dict:
    """What the arrays of a U-Net with batch normalization say; raises KeyError for other networks.

    Dropout leaves no trace in a file: it is where that code has it.
    """
    unet, _ = _infer_unet(arrays), arrays[f"{_LEVEL}.2.weight"]
    return {
        "image_size": unet["image_size"],
        "channels": unet["channels"],
        "out_channels": arrays["model.model.3.weight"].shape[1],
        "generator_width": unet["generator_width"],
        "dropout": "pytorch",
    }


def _infer_by_image(arrays: Arrays) -> dict:
    """The same but for the averages: the authors' test.py takes the statistics of each image, if it
    is called without --eval."""
    arguments = _infer(arrays)
    if arguments["normalization"] == "batch":
        arguments["normalization"] = "image"
    return arguments


def _averages(arrays: Arrays) -> Arrays:
    """What their layers expect in a file, and test.py does not use: averages of nothing."""
    scales = {n.removesuffix(".weight"): a for n, a in arrays.items() if a.ndim == 1}
    scales = {name: a for name, a in scales.items() if f"{name}.weight" in arrays}
    means = {f"{name}.running_mean": np.zeros_like(a) for name, a in scales.items()}
    variances = {f"{name}.running_var": np.ones_like(a) for name, a in scales.items()}
    return means | variances


def _without_dropout(arrays: Arrays) -> Arrays:
    """Those of blocks with a dropout, after which each layer has the next number."""
    block = r"(model\.\d+\.conv_block\.)"
    kernels = (n for n, a in arrays.items() if a.ndim == 4)
    if not any(re.fullmatch(rf"{block}6\.weight", name) for name in kernels):
        return arrays
    later = re.compile(rf"{block}([67])(\..*)")
    return {later.sub(lambda m: f"{m[1]}{int(m[2]) - 1}{m[3]}", n): a for n, a in arrays.items()}


def _published(paper: str, url: str, data, arguments) -> Iterator[Preset]:
    """The generators at an address, by the data that they were trained on."""
    note = "measured by MMGeneration, which does not say against which images"
    for trained_on, names in data.items():
        for name in names.split():
            preset = f"{paper.lower()}_{name}"
            yield Preset(
                preset,
                f"{paper}: {_in_words(name)}, 256 px",
                NO_LICENSE,
                f"{url}/{name}.pth",
                f"{paper.lower()}-pytorch",
                arguments=arguments,
                data=trained_on,
                metrics=f"{_FIGURES[preset]}, {note}" if preset in _FIGURES else None,
            )


def _in_words(name: str) -> str:
    """ "style_monet" -> "photo to painting in the style of monet"."""
    if name.startswith("style_"):
        return f"photo to painting in the style of {name.removeprefix('style_')}"
    return name.replace("_", " ").replace("2", " to ")


CYCLEGAN = Program(
    "cyclegan-pytorch",
    "cyclegan",
    _infer,
    generator,
    presets=list(_published("CycleGAN", _CYCLEGAN_URL, _CYCLEGAN_DATA, _RESNET)),
    ignored=_IGNORED,
    renamed=_without_dropout,
)
PIX2PIX = dataclasses.replace(
    CYCLEGAN,
    name="pix2pix-pytorch",
    model_name="pix2pix",
    infer=_infer_pix2pix,
    layout=unet,
    presets=list(_published("pix2pix", _PIX2PIX_URL, _PIX2PIX_DATA, _UNET)),
    renamed=lambda arrays: {**_averages(arrays), **arrays},
    fallback=dataclasses.replace(
        CYCLEGAN,
        name="pix2pix-pytorch",
        infer=_infer_by_image,
        presets=(),
        constants=_averages,
    ),
)
