"""NVlabs/stylegan2-ada-pytorch: generators, averaged or not, and discriminators.

python tests/parity/stylegan2_ada.py --reference=CHECKOUT
"""

import functools
import importlib
import pickle

import common
import numpy as np
import torch

common.checkout()
networks = importlib.import_module("training.networks")

LATENTS = torch.randn(3, 512)
LABELS = torch.eye(3)
# Numbers of a small network by their names there.
CHANNELS = {"channel_base": 2048, "channel_max": 64}


def make(kind, size, classes, **options):
    """A network of the reference, whose weights that begin at zero are random."""
    mapping = {} if kind == networks.Discriminator else {"z_dim": 512, "w_dim": 512}
    network = kind(
        c_dim=classes,
        img_resolution=size,
        img_channels=3,
        **mapping,
        **({"synthesis_kwargs": options} if mapping else options),
    )
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        if name.endswith(("noise_strength", "bias", "w_avg")):
            value.data += 0.2 * torch.randn_like(value)
    return network.eval()


def save(network, path):
    """As its training script does, with other networks beside."""
    other = make(networks.Discriminator, network.img_resolution, network.c_dim, **CHANNELS)
    kept = {"G": network, "D": other, "G_ema": network, "augment_pipe": None}
    path.write_bytes(pickle.dumps(kept | {"training_set_kwargs": {}}))


def forward(classes, network):
    """With the noise that the file holds, and truncated."""
    labels = LABELS if classes else torch.zeros(3, 0)
    return common.nhwc(network(LATENTS, labels, truncation_psi=0.7, noise_mode="const"))


def judged(size, classes):
    """What both make of images that a discriminator is shown."""
    limited = CHANNELS | {"conv_clamp": 0.5}
    judge = make(networks.Discriminator, size, classes, **limited)
    judge.b4.mbstd.group_size = 2  # with the default of 4, a batch is one group
    network = make(networks.Generator, size, classes, **limited)
    images, labels = torch.randn(4, 3, size, size), LABELS[[0, 1, 2, 0], :classes]
    with common.file_of({"G": network, "D": judge, "G_ema": network}) as path:
        model = common.models.load(path, discriminator=True)
    with torch.no_grad():
        expected = judge(images, labels).numpy()
    numbers = labels.argmax(1).numpy().astype(np.int32) if classes else None
    found = np.asarray(model.discriminator(common.nhwc(images), numbers))
    common.tell(f"discriminator, {size} px, {classes} classes", judge, found - expected)


for name, size, classes, options in (
    ("skip", 32, 0, CHANNELS),
    ("skip", 32, 3, CHANNELS),
    ("resnet", 64, 0, CHANNELS | {"architecture": "resnet"}),
    ("limited", 64, 0, CHANNELS | {"conv_clamp": 0.5}),
    ("skip", 256, 0, {"channel_base": 16384, "channel_max": 512}),
):
    fresh = functools.partial(make, networks.Generator, size, classes, **options)
    common.compare(
        f"{size} px, {classes} classes, {name}",
        "stylegan2-ada-pytorch",
        fresh(),
        save,
        functools.partial(forward, classes),
        # Without the limits of images, so that none is hidden.
        lambda model, classes=classes: model.averaged_generator(
            LATENTS.numpy(), np.arange(3, dtype=np.int32) if classes else None, truncation=0.7
        ),
        fresh,
    )
judged(32, 0)
judged(32, 3)
