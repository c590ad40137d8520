"""junyanz/pytorch-CycleGAN-and-pix2pix: generators with all normalizations.

    python tests/parity/cyclegan.py --reference=CHECKOUT

"batch" is compared in the reference's evaluation mode; "image" with the statistics of the image, as
its test script does without --eval, but without dropout.
"""

import functools
import importlib

import common
import torch

from ganzoo.models.pix2pix import Pix2Pix

common.checkout()
networks = importlib.import_module("models.networks")

SIZES = {"resnet_6blocks": 128, "resnet_9blocks": 256, "unet_128": 128, "unet_256": 256}
NORMS = {
    "instance": networks.get_norm_layer("instance"),
    "instance, averages": functools.partial(
        torch.nn.InstanceNorm2d, affine=False, track_running_stats=True
    ),
    "batch": networks.get_norm_layer("batch"),
    "batch, no averages": functools.partial(torch.nn.BatchNorm2d, track_running_stats=False),
    "image": networks.get_norm_layer("batch"),
}


def make(kind, norm, dropout):
    """A generator of the reference."""
    networks.get_norm_layer = lambda norm_type: NORMS[norm]
    # Averages that are not those of the activations keep nothing from growing: smaller weights.
    gain = 0.02 if norm == "batch" else 0.05
    network = networks.define_G(3, 3, 64, kind, "", dropout, init_gain=gain)
    return common.randomize(network)


def forward(norm, image, network):
    """With the statistics of the image where there are no others."""
    for module in network.modules():
        if isinstance(module, torch.nn.InstanceNorm2d) or (
            norm == "image" and isinstance(module, torch.nn.BatchNorm2d)
        ):
            module.train()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    result = common.nhwc(network(image))
    network.load_state_dict(state)  # without what it has averaged meanwhile
    return result


def ours(image, model):
    """Without dropout: a `Pix2Pix` takes the statistics of the image where it is asked to."""
    statistics = {"update_moments": False} if isinstance(model, Pix2Pix) else {}
    return model.generator(common.nhwc(image), **statistics)


for kind, size in SIZES.items():
    for norm in NORMS:
        image = 2.0 * torch.rand(1, 3, size, size) - 1.0
        dropout = norm != "instance"
        fresh = functools.partial(make, kind, norm, dropout)
        common.compare(
            f"{kind}, {norm}{', dropout' if dropout else ''}",
            "pix2pix-pytorch" if norm == "image" else "cyclegan-pytorch",
            fresh(),
            lambda network, path: torch.save(network.cpu().state_dict(), path),
            functools.partial(forward, norm, image),
            functools.partial(ours, image),
            functools.partial(make, kind, norm, False),  # the names are those without dropout
            strict=norm != "instance, averages",
        )
