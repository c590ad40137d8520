"""open-mmlab/mmagic: MSRResNet, with and without SRGAN's training.

Wang et al. 2018, https://arxiv.org/abs/1809.00219
"""

from collections.abc import Iterator

from ganzoo.programs.program import Arrays, Preset, Program, numbers
from ganzoo.weights.layouts import Entry, convolution, scaled

_URL = "https://download.openmmlab.com/mmediting/restorers/srresnet_srgan"
_PUBLISHED = (  # name, title, file with the first digits of its hash, figures
    (
        "srresnet_x4_mmagic",
        "MSRResNet: 4 times as large",
        "msrresnet_x4c64b16_1x16_300k_div2k_20200521-61556be5.pth",
        "Set5 30.23 dB, SSIM 0.849; Set14 26.78 dB, 0.737",
    ),
    (
        "srgan_x4_mmagic",
        "SRGAN with MSRResNet: 4 times as large",
        "srgan_x4c64b16_1x16_1000k_div2k_20200606-a1f0810e.pth",
        "Set5 27.95 dB, SSIM 0.785; Set14 24.74 dB, 0.649",
    ),
)


def msrresnet(network) -> Iterator[Entry]:
    """MSRResNet, whose images lie in [0, 1] and not in [-1, 1]."""
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


def _infer(arrays: Arrays) -> dict:
    """What the arrays of MSRResNet say of it."""
    first = arrays["conv_first.weight"]
    expansions = numbers(arrays, r"upsample(\d+)\.upsample_conv\.weight")
    return {
        "channels": first.shape[1],
        "scale": 2 ** len(expansions),
        "num_blocks": len(numbers(arrays, r"trunk_net\.(\d+)\.conv1\.weight")),
        "width": first.shape[0],
        "architecture": "msrresnet",
        "content_loss": "mse",
    }


MMAGIC = Program(
    "mmagic",
    "srgan",
    _infer,
    msrresnet,
    presets=[
        Preset(
            name,
            title,
            "Apache-2.0",
            f"{_URL}/{file}",
            "mmagic",
            file[-12:-4],
            data="DIV2K",
            metrics=f"{figures}; in RGB with a border of 4 pixels",
        )
        for name, title, file, figures in _PUBLISHED
    ],
    prefixes=("state_dict.generator.", "generator.", "state_dict."),
    under="state_dict",
    prefix="generator.",
)
