"""pytorch/examples: its DCGAN, whose first layer is a transposed convolution."""

import itertools
from collections.abc import Iterator

from ganzoo.programs.program import Arrays, Program, numbers
from ganzoo.weights.layouts import Entry, normalization, transposed


def generator(network, prefix: str = "main") -> Iterator[Entry]:
    """The generator."""
    first, *rest = (layer for layer in network.layers if layer.weights)
    features = first.kernel.shape[1]
    channels = rest[0].gamma.shape[0]
    side = round((features // channels) ** 0.5)

    def to_ours(a):  # [latents, channels, side, side]
        return a.transpose(0, 2, 3, 1).reshape(a.shape[0], features)

    def to_theirs(a):
        return a.reshape(a.shape[0], side, side, channels).transpose(0, 3, 1, 2)

    yield Entry(first.kernel, f"{prefix}.0.weight", to_ours, to_theirs, transposed=True)
    # A convolution, its normalization and its ReLU, over and over.
    places = itertools.chain.from_iterable((n + 1, n + 3) for n in itertools.count(0, 3))
    for layer, place in zip(rest, places, strict=False):
        make = normalization if hasattr(layer, "gamma") else transposed
        yield from make(layer, f"{prefix}.{place}")


def _infer(arrays: Arrays) -> dict:
    """The size of images follows from the number of layers."""
    latents, _, side, _ = arrays["main.0.weight"].shape
    places = numbers(arrays, r"main\.(\d+)\.weight")
    last = arrays[f"main.{max(places)}.weight"]
    return {
        "image_size": side * 2 ** (len(places) // 2),  # every other layer is a normalization
        "channels": last.shape[1],
        "latent_dim": latents,
        "width": last.shape[0],
    }


DCGAN = Program("dcgan-pytorch", "dcgan", _infer, generator)
