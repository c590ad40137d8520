"""NVlabs/stylegan2-ada-pytorch: generators and discriminators of any size, by class or not.

Karras et al. 2020, https://arxiv.org/abs/2006.06676
"""

import re
from collections.abc import Iterator

from ganzoo.engine import GAN
from ganzoo.layers.resample import BINOMIAL
from ganzoo.programs.program import (
    Arrays,
    Preset,
    Program,
    numbers,
)
from ganzoo.weights.layouts import (
    Entry,
    convolution,
    dense,
    dense_of_maps,
    reordered,
    same,
)

_URL = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained"
_PUBLISHED = {  # title, pixels, file, data
    "ffhq1024": ("Faces", 1024, "ffhq", "FFHQ"),
    "cifar10": ("CIFAR-10, by class", 32, "cifar10", "CIFAR-10"),
    "metfaces": ("Faces of works of art", 1024, "metfaces", "MetFaces"),
    "afhqcat": ("Cats", 512, "afhqcat", "AFHQ"),
    "afhqdog": ("Dogs", 512, "afhqdog", "AFHQ"),
    "afhqwild": ("Wild animals", 512, "afhqwild", "AFHQ"),
    "brecahad": ("Breast cancer histology", 512, "brecahad", "BreCaHAD"),
    "ffhq256": ("Faces", 256, "ffhq-res256-mirror-paper256-noaug", "FFHQ"),
    "ffhq512": ("Faces", 512, "ffhq-res512-mirror-stylegan2-noaug", "FFHQ"),
    "celebahq256": (
        "Faces of celebrities",
        256,
        "celebahq-res256-mirror-paper256-kimg100000-ada-target0.5",
        "CelebA-HQ",
    ),
    "lsundog256": ("Dogs", 256, "lsundog-res256-paper256-kimg100000-noaug", "LSUN"),
}
_HASHES = {  # and the size, if it is known
    "ffhq1024": ("a205a346e86a9ddaae702e118097d014b7b8bd719491396a162cca438f2f524c", 381_624_121),
    "cifar10": ("f8952c74e23da2186d147ad871c48780bd59500ee37c301201081ee8e0cb32f1",),
}
_FIGURES = {
    "ffhq1024": "FID 2.76, as the README of clean-fid has it",
    "cifar10": "FID 2.42 and Inception score 10.14 in the paper, for the best of its trainings",
    "metfaces": "FID 18.22 and KID 0.00241 in the paper",
    "afhqdog": "FID 7.40 and KID 0.00116 in the paper",
    "afhqwild": "FID 3.05 and KID 0.00045 in the paper",
    "brecahad": "FID 15.71 and KID 0.00288 in the paper",
    "ffhq256": "FID 3.66 in the paper",
}


def generator(network, prefix: str = "") -> Iterator[Entry]:
    """The mapping and the synthesis network."""
    yield from _mapping(network.mapping, f"{prefix}mapping")
    yield same(network.mean_style, f"{prefix}mapping.w_avg")
    yield reordered(network.synthesis.constant, f"{prefix}synthesis.b4.const", (1, 2, 0))
    for block in network.synthesis.blocks:
        name = f"{prefix}synthesis.b{block.name.removeprefix('block')}"
        for index, layer in enumerate(block.convolutions, start=2 - len(block.convolutions)):
            yield from _styled(layer, f"{name}.conv{index}")
            yield same(layer.noise, f"{name}.conv{index}.noise_const")
            yield same(layer.noise_strength, f"{name}.conv{index}.noise_strength")
        if block.to_image:
            yield from _styled(block.to_image, f"{name}.torgb")
        if block.shortcut:
            yield from convolution(block.shortcut, f"{name}.skip")


def discriminator(network, prefix: str = "") -> Iterator[Entry]:
    """The discriminator, with its mapping of classes where it has any."""
    for block in network.blocks:
        name = f"{prefix}b{block.name.removeprefix('block')}"
        parts = {"fromrgb": block.from_image, "conv0": block.conv0, "conv1": block.conv1}
        for part, layer in (parts | {"skip": block.shortcut}).items():
            if layer:
                yield from convolution(layer, f"{name}.{part}")
    if network.from_image:
        yield from convolution(network.from_image, f"{prefix}b4.fromrgb")
    yield from convolution(network.conv, f"{prefix}b4.conv")
    yield from dense_of_maps(network.dense, f"{prefix}b4.fc", side=4)
    yield from dense(network.to_logit, f"{prefix}b4.out")
    if network.num_classes:
        yield from _mapping(network.mapping, f"{prefix}mapping")


def _mapping(mapping, name: str) -> Iterator[Entry]:
    if mapping.num_classes:
        yield from dense(mapping.embed, f"{name}.embed")
    for index, layer in enumerate(mapping.stack):
        yield from dense(layer, f"{name}.fc{index}")


def _styled(layer, name: str) -> Iterator[Entry]:
    yield from dense(layer.affine, f"{name}.affine")
    yield from convolution(layer.convolve, name)
    yield same(layer.bias, f"{name}.bias")


def _presets() -> Iterator[Preset]:
    """The networks of the paper, and those that it starts trainings of others from."""
    for name, (title, side, file, data) in _PUBLISHED.items():
        folder = f"{_URL}/transfer-learning-source-nets" if "-res" in file else _URL
        protocol = "; 50,000 images against all training images"
        yield Preset(
            f"stylegan2_ada_{name}",
            f"StyleGAN2: {title}, {side} px",
            "NVIDIA Source Code License, non-commercial research and evaluation",
            f"{folder}/{file}.pkl",
            "stylegan2-ada-pytorch",
            *_HASHES.get(name, ()),
            arguments={} if name in _HASHES else _sizes(side),
            data=data,
            metrics=f"{_FIGURES[name]}{protocol}" if name in _FIGURES else None,
        )


def _sizes(side: int) -> dict:
    """The published networks, which are half as wide up to 256 pixels."""
    return {
        "image_size": side,
        "channels": 3,
        "num_classes": 0,
        "latent_dim": 512,
        "style_dim": 512,
        "mapping_layers": 8,
        "channel_base": 16384 if side <= 256 else 32768,
        "channel_max": 512,
        "generator_architecture": "skip",
    }


def _infer(arrays: Arrays) -> dict:
    """Sizes, widths and architecture, and the limit of values where a file has it."""
    sizes = numbers(arrays, r"synthesis\.b(\d+)\.conv1\.weight")
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
        "mapping_layers": len(numbers(arrays, r"mapping\.fc(\d+)\.weight")),
        "channel_base": widths[largest] * largest,
        "channel_max": most,
        "generator_architecture": architecture,
        **({} if clamp is None else {"clamp": float(clamp)}),
    }


def _infer_discriminator(arrays: Arrays) -> dict:
    """Its architecture, and the group in which it compares images where a file has it."""
    architecture = "skip" if "b4.fromrgb.weight" in arrays else "orig"
    if any(name.endswith(".skip.weight") for name in arrays):
        architecture = "resnet"
    layers = len(numbers(arrays, r"mapping\.fc(\d+)\.weight"))
    group = arrays.get("b4.mbstd.group_size")
    return {
        "discriminator_architecture": architecture,
        **({"discriminator_mapping_layers": layers} if layers else {}),
        **({} if group is None else {"minibatch_stddev_group": int(group)}),
    }


def _networks(model: GAN) -> dict[str, Iterator[Entry]]:
    """Both generators and the discriminator."""
    return {
        "G_ema.": generator(model.averaged_generator),
        "G.": generator(model.generator),
        "D.": discriminator(model.discriminator),
    }


def _constants(arrays: Arrays) -> Arrays:
    """The filter of resampling, which each convolution and block keeps."""
    pattern = r"synthesis\.b\d+(\.(conv0|conv1|skip)(?=\.weight))?"
    found = (re.match(pattern, name) for name in arrays)
    return {f"{match[0]}.resample_filter": BINOMIAL for match in found if match}


STYLEGAN2_ADA = Program(
    "stylegan2-ada-pytorch",
    "stylegan2_ada",
    _infer,
    generator,
    presets=list(_presets()),
    prefixes=("G_ema.", "G."),
    ignored=r".*\.(resample_filter|conv_clamp)",
    attributes=("conv_clamp", "group_size"),
    constants=_constants,
    infer_discriminator=_infer_discriminator,
    networks=_networks,
)
