"""leftthomas/SRGAN: residual generators."""

from collections.abc import Iterator

from ganzoo.programs.program import Arrays, Program, numbers
from ganzoo.weights.layouts import Entry, convolution, normalization, slope


def generator(network) -> Iterator[Entry]:
    """The generator."""
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


def _infer(arrays: Arrays) -> dict:
    """The number of blocks decides the names of those after them."""
    blocks = numbers(arrays, r"block(\d+)\.conv1\.weight")
    first = arrays["block1.0.weight"]
    doublings = numbers(arrays, rf"block{len(blocks) + 3}\.(\d+)\.conv\.weight")
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


SRGAN = Program("leftthomas-srgan", "srgan", _infer, generator)
