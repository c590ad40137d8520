"""Layouts of published networks that ganzoo has, and whose files it does not load.

As in `ganzoo.programs`, each function takes a network of ours, built, and yields
the entries of the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from ganzoo.weights.layouts import (
    Entry,
    convolution,
    dense,
    dense_of_maps,
    normalization,
)


def dcgan_discriminator(network, prefix: str = "main") -> Iterator[Entry]:
    """The discriminator of pytorch/examples, whose last layer is a convolution."""
    *layers, last = [layer for layer in network.layers if layer.weights]
    numbers = [0, *(n for i in range(len(layers)) for n in (3 * i + 2, 3 * i + 3))]
    for layer, number in zip(layers, numbers, strict=False):
        make = normalization if hasattr(layer, "gamma") else convolution
        yield from make(layer, f"{prefix}.{number}")
    channels = layers[-1].gamma.shape[0]
    side = round((last.kernel.shape[0] // channels) ** 0.5)

    def to_ours(a):  # [1, channels, side, side]
        return a.transpose(2, 3, 1, 0).reshape(-1, 1)

    def to_theirs(a):
        return a.reshape(side, side, channels, 1).transpose(3, 2, 0, 1)

    number = 3 * (len(layers) + 1) // 2 - 1
    yield Entry(last.kernel, f"{prefix}.{number}.weight", to_ours, to_theirs)


def lornatang_srresnet(network) -> Iterator[Entry]:
    """SRResNet of Lornatang/SRGAN-PyTorch but for its PReLUs, which have one slope for all."""
    yield from convolution(network.head[0], "conv1.0")
    for index, block in enumerate(network.blocks):
        conv1, norm1, _, conv2, norm2 = block.branch.layers
        yield from convolution(conv1, f"trunk.{index}.rcb.0")
        yield from normalization(norm1, f"trunk.{index}.rcb.1")
        yield from convolution(conv2, f"trunk.{index}.rcb.3")
        yield from normalization(norm2, f"trunk.{index}.rcb.4")
    yield from convolution(network.tail[0], "conv2.0")
    yield from normalization(network.tail[1], "conv2.1")
    for index, expand in enumerate(network.expansions):
        yield from convolution(expand, f"upsampling.{index}.upsample_block.0")
    yield from convolution(network.to_image, "conv3")


def lornatang_discriminator(network) -> Iterator[Entry]:
    """The discriminator of Lornatang/SRGAN-PyTorch."""
    for index, layer in enumerate(network.layers[:-4]):
        if hasattr(layer, "gamma"):
            yield from normalization(layer, f"features.{index}")
        elif layer.weights:
            yield from convolution(layer, f"features.{index}")
    hidden, _, last = network.layers[-3:]
    channels = network.layers[-6].gamma.shape[0]
    side = round((hidden.kernel.shape[0] // channels) ** 0.5)
    yield from dense_of_maps(hidden, "classifier.0", side)
    yield from dense(last, "classifier.2")


def mimicry_discriminator(network) -> Iterator[Entry]:
    """SSGAN's discriminator of kwotsin/mimicry, but for the vectors of its power iterations."""
    for number, block in enumerate(network.blocks, start=1):
        for layer, part in ((block.conv1, "c1"), (block.conv2, "c2"), (block.shortcut, "c_sc")):
            if layer is not None:
                yield from convolution(layer, f"block{number}.{part}", "weight_orig")
    yield from dense(network.to_logit, f"l{len(network.blocks) + 1}")
    yield from dense(network.to_rotation, "l_y")
