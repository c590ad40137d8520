"""brownvc/R3GAN: generators and discriminators of any size, by class or not.

Huang et al. 2024, https://arxiv.org/abs/2501.05441
"""

from collections.abc import Iterator

from ganzoo.engine import GAN
from ganzoo.layers.resample import BINOMIAL
from ganzoo.programs.program import Arrays, Program, numbers
from ganzoo.weights.layouts import Entry, convolution, dense, reordered, same


def generator(network) -> Iterator[Entry]:
    """The generator."""
    yield reordered(network.basis, "MainLayers.0.Layers.0.Basis", (1, 2, 0))
    yield from dense(network.project, "MainLayers.0.Layers.0.LinearLayer")
    yield from _stack(network)
    yield from convolution(network.to_image, "AggregationLayer.Layer")
    if network.num_classes:
        yield from dense(network.embed, "EmbeddingLayer")


def discriminator(network) -> Iterator[Entry]:
    """The discriminator."""
    yield from convolution(network.from_image, "ExtractionLayer.Layer")
    yield from _stack(network)
    stage, last = _place(network.stack[-1])
    name = f"MainLayers.{stage}.Layers.{last + 1}"
    yield Entry(
        network.basis,
        f"{name}.Basis.weight",  # of a convolution of each channel alone
        lambda a: a[:, 0].transpose(1, 2, 0),
        lambda a: a.transpose(2, 0, 1)[:, None],
    )
    yield from dense(network.to_features, f"{name}.LinearLayer")
    if network.num_classes:
        yield from dense(network.embed, "EmbeddingLayer")


def _stack(network) -> Iterator[Entry]:
    """Residual blocks, and the changes of width between resolutions."""
    for layer in network.stack:
        name = "MainLayers.{}.Layers.{}".format(*_place(layer))
        if hasattr(layer, "grouped"):
            for number, part in enumerate((layer.expand, layer.grouped), start=1):
                kernel, _ = convolution(part, f"{name}.LinearLayer{number}.Layer")
                yield kernel
                yield same(part.bias, f"{name}.NonLinearity{number}.Bias")
            yield from convolution(layer.reduce, f"{name}.LinearLayer3.Layer")
        elif layer.linear:
            yield from convolution(layer.linear, f"{name}.LinearLayer.Layer")


def _place(layer) -> tuple[int, int]:
    """The number of the stage, and that of the layer in it, which our name has."""
    stage, index = layer.name.removeprefix("stage").split("_")
    return int(stage), int(index)


def _infer(arrays: Arrays) -> dict:
    """Sizes, widths and groups."""
    stages = numbers(arrays, r"MainLayers\.(\d+)\.Layers\.1\.LinearLayer1\.Layer\.weight")
    blocks = numbers(arrays, r"MainLayers\.0\.Layers\.(\d+)\.LinearLayer1\.Layer\.weight")
    kernels = [arrays[f"MainLayers.{i}.Layers.1.LinearLayer2.Layer.weight"] for i in stages]
    widths = [kernel.shape[0] // 2 for kernel in kernels]
    size = 2 ** (len(stages) + 1)
    inputs = arrays["MainLayers.0.Layers.0.LinearLayer.weight"].shape[1]
    embedding, classes = 0, 0
    if "EmbeddingLayer.weight" in arrays:
        embedding, classes = arrays["EmbeddingLayer.weight"].shape
        if 2 * embedding != inputs:
            raise ValueError(
                f"labels of {embedding} dimensions beside {inputs - embedding} latents"
            )
    return {
        "image_size": size,
        "channels": arrays["AggregationLayer.Layer.weight"].shape[0],
        "num_classes": classes,
        "latent_dim": inputs - embedding,
        "channel_base": widths[-1] * size,
        "channel_max": max(widths),
        "group_width": kernels[0].shape[1],
        "num_blocks": len(blocks),
    }


def _networks(model: GAN) -> dict[str, Iterator[Entry]]:
    """Both generators and the discriminator."""
    return {
        "G_ema.Model.": generator(model.averaged_generator),
        "G.Model.": generator(model.generator),
        "D.Model.": discriminator(model.discriminator),
    }


def _constants(arrays: Arrays) -> Arrays:
    """The filter of each doubling of the resolution."""
    stages = numbers(arrays, r"MainLayers\.(\d+)\.Layers\.1\.LinearLayer1\.Layer\.weight")
    return {f"MainLayers.{i}.Layers.0.Resampler.Kernel": BINOMIAL for i in stages if i}


R3GAN = Program(
    "r3gan",
    "r3gan",
    _infer,
    generator,
    prefixes=("G_ema.Model.", "G.Model.", "Model."),
    ignored=r".*\.Resampler\.Kernel",
    prefix="Model.",
    constants=_constants,
    infer_discriminator=lambda arrays: {},  # as wide as the generator
    networks=_networks,
)
