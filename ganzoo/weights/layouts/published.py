"""The published layouts: names and orders of axes in the files of other programs.

Each function takes a network of ours, built, and yields the entries of the file.
"""

import itertools
import re
from collections.abc import Iterator

import numpy as np

from ganzoo.layers.resample import BINOMIAL
from ganzoo.weights.layouts.entries import (
    Entry,
    convolution,
    dense,
    dense_of_maps,
    dense_to_maps,
    normalization,
    reordered,
    same,
    scaled,
    slope,
    transposed,
)


def cyclegan_generator(network) -> Iterator[Entry]:
    """Either kind of generator of junyanz/pytorch-CycleGAN-and-pix2pix."""
    return cyclegan_unet(network) if hasattr(network, "downs") else cyclegan_resnet(network)


def cyclegan_resnet(network, prefix: str = "") -> Iterator[Entry]:
    """Residual generators of junyanz/pytorch-CycleGAN-and-pix2pix."""
    *layers, last, _ = network.layers
    yield from _numbered(layers, f"{prefix}model", 1)  # theirs pad in a layer of its own
    yield from convolution(last, f"{prefix}model.{len(layers) + 2}")


def cyclegan_unet(network, prefix: str = "model.") -> Iterator[Entry]:
    """U-Nets of the same repository: each level holds the next, between its way down and up."""
    yield from convolution(network.downs[0], f"{prefix}model.0")
    yield from transposed(network.ups[-1], f"{prefix}model.3")
    level, norms_down = f"{prefix}model.1.model", [*network.norms_down, None]
    ups = zip(network.ups[-2::-1], network.norms_up[::-1], strict=True)
    for down, norm_down, (up, norm_up) in zip(network.downs[1:], norms_down, ups, strict=True):
        place = 3 if norm_down is None else 5  # the innermost level has no other inside
        yield from convolution(down, f"{level}.1")
        yield from _normalization(norm_down, f"{level}.2")
        yield from transposed(up, f"{level}.{place}")
        yield from _normalization(norm_up, f"{level}.{place + 1}")
        level += ".3.model"


def cyclegan_discriminator(network, prefix: str = "model") -> Iterator[Entry]:
    """Its discriminators of n layers; those of pixels have the prefix "net"."""
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
            yield from _normalization(layer, name)


def _normalization(layer, name: str) -> Iterator[Entry]:
    """Nothing for a layer without weights."""
    if hasattr(layer, "gamma"):
        yield from normalization(layer, name)


def dcgan_generator(network, prefix: str = "main") -> Iterator[Entry]:
    """The generator of pytorch/examples, whose first layer is a transposed convolution."""
    layers = [layer for layer in network.layers if layer.weights]
    first, *rest = layers
    features = first.kernel.shape[1]
    channels = layers[1].gamma.shape[0]
    side = round((features // channels) ** 0.5)

    def to_ours(a):  # [latents, channels, side, side]
        return a.transpose(0, 2, 3, 1).reshape(a.shape[0], features)

    def to_theirs(a):
        return a.reshape(a.shape[0], side, side, channels).transpose(0, 3, 1, 2)

    yield Entry(first.kernel, f"{prefix}.0.weight", to_ours, to_theirs, transposed=True)
    # A convolution, its normalization and its ReLU, over and over.
    numbers = itertools.chain.from_iterable((n + 1, n + 3) for n in itertools.count(0, 3))
    for layer, number in zip(rest, numbers, strict=False):
        make = normalization if hasattr(layer, "gamma") else transposed
        yield from make(layer, f"{prefix}.{number}")


def leftthomas_generator(network) -> Iterator[Entry]:
    """The generator of leftthomas/SRGAN."""
    yield from convolution(network.head[0], "block1.0")
    yield slope(network.head[1], "block1.1")
    for number, block in enumerate(network.blocks, start=2):
        conv1, norm1, activate, conv2, norm2 = block.branch.layers
        yield from convolution(conv1, f"block{number}.conv1")
        yield from normalization(norm1, f"block{number}.bn1")
        yield slope(activate, f"block{number}.prelu")
        yield from convolution(conv2, f"block{number}.conv2")
        yield from normalization(norm2, f"block{number}.bn2")
    number = len(network.blocks) + 2
    yield from convolution(network.tail[0], f"block{number}.0")
    if hasattr(network.tail[1], "gamma"):
        yield from normalization(network.tail[1], f"block{number}.1")
    else:  # as in the files that its author has published
        yield slope(network.tail[1], f"block{number}.1")
    last = f"block{number + 1}"
    for index, expand in enumerate(network.expansions):
        yield from convolution(expand, f"{last}.{index}.conv")
        yield slope(network.activations[index], f"{last}.{index}.prelu")
    yield from convolution(network.to_image, f"{last}.{len(network.expansions)}")


def mmagic_msrresnet(network) -> Iterator[Entry]:
    """MSRResNet of open-mmlab/mmagic, whose images lie in [0, 1] and not in [-1, 1]."""
    yield from convolution(network.first, "conv_first")
    for index, block in enumerate(network.blocks):
        conv1, _, conv2 = block.branch.layers
        yield from convolution(conv1, f"trunk_net.{index}.conv1")
        yield from convolution(conv2, f"trunk_net.{index}.conv2")
    for number, expand in enumerate(network.expansions, start=1):
        yield from convolution(expand, f"upsample{number}.upsample_conv")
    yield from convolution(network.refine, "conv_hr")
    for entry in convolution(network.to_image, "conv_last"):
        yield scaled(entry, 2.0)


def mimicry_generator(network) -> Iterator[Entry]:
    """SNGAN's and SSGAN's generators of kwotsin/mimicry at 32 px."""
    yield from dense_to_maps(network.stem, "l1", network.bottom)
    for number, block in enumerate(network.blocks, start=2):
        yield from convolution(block.conv1, f"block{number}.c1")
        yield from convolution(block.conv2, f"block{number}.c2")
        yield from convolution(block.shortcut, f"block{number}.c_sc")
        yield from normalization(block.norm1, f"block{number}.b1")
        yield from normalization(block.norm2, f"block{number}.b2")
    last = len(network.blocks) + 2
    yield from normalization(network.norm, f"b{last}")
    yield from convolution(network.to_image, f"c{last}")


def stylegan2_generator(network, prefix: str = "") -> Iterator[Entry]:
    """The generator of NVlabs/stylegan2-ada-pytorch."""
    yield from _stylegan2_mapping(network.mapping, f"{prefix}mapping")
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


def stylegan2_filters(arrays) -> dict[str, np.ndarray]:
    """The filter of resampling that the same generator keeps with each convolution and block."""
    found = (re.match(r"synthesis\.b\d+(\.(conv0|conv1|skip)(?=\.weight))?", n) for n in arrays)
    return {f"{match[0]}.resample_filter": BINOMIAL for match in found if match}


def stylegan2_discriminator(network, prefix: str = "") -> Iterator[Entry]:
    """The discriminator of NVlabs/stylegan2-ada-pytorch."""
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
        yield from _stylegan2_mapping(network.mapping, f"{prefix}mapping")


def _stylegan2_mapping(mapping, name: str) -> Iterator[Entry]:
    if mapping.num_classes:
        yield from dense(mapping.embed, f"{name}.embed")
    for index, layer in enumerate(mapping.stack):
        yield from dense(layer, f"{name}.fc{index}")


def _styled(layer, name: str) -> Iterator[Entry]:
    yield from dense(layer.affine, f"{name}.affine")
    yield from convolution(layer.convolve, name)
    yield same(layer.bias, f"{name}.bias")
