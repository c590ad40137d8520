"""kwotsin/mimicry: SSGAN and SNGAN at 32 px.

Lee and Town 2020, https://arxiv.org/abs/2005.02494
"""

from collections.abc import Iterator

from ganzoo.programs.program import Arrays, Preset, Program, numbers
from ganzoo.weights.layouts import Entry, convolution, dense_to_maps, normalization

_SSGAN = Preset(
    "ssgan_cifar10_mimicry",
    "SSGAN: CIFAR-10, 32 px",
    "MIT",
    "https://drive.google.com/uc?export=download&id=1sceT1tUPw2wRVqLcpg1EkWpz8Qa5j_fE",
    "mimicry",
    arguments={"image_size": 32, "channels": 3, "latent_dim": 128, "generator_width": 256},
    data="CIFAR-10",
    metrics="FID 14.65, Inception score 8.17; 50,000 images against the training images",
)


def generator(network) -> Iterator[Entry]:
    """SNGAN's and SSGAN's generators at 32 px."""
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


def _infer(arrays: Arrays) -> dict:
    """What the arrays of a generator at 32 px say of it."""
    if len(numbers(arrays, r"block(\d+)\.c1\.weight")) != 3:
        raise ValueError("a network of three blocks, for 32 px,")
    return {
        "image_size": 32,
        "channels": arrays["c5.weight"].shape[0],
        "architecture": "mimicry",
        "latent_dim": arrays["l1.weight"].shape[1],
        "generator_width": arrays["block2.c1.weight"].shape[0],
    }


MIMICRY = Program(
    "mimicry",
    "ssgan",
    _infer,
    generator,
    presets=(_SSGAN,),
    prefixes=("model_state_dict.",),
    under="model_state_dict",
)
