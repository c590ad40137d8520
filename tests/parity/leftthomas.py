"""leftthomas/SRGAN: the generator.

python tests/parity/leftthomas.py --reference=CHECKOUT
"""

import importlib

import common
import torch

common.checkout()
Generator = importlib.import_module("model").Generator

small = torch.rand(2, 3, 24, 20)
for scale in (2, 4, 8):
    common.compare(
        f"Generator, x{scale}",
        "leftthomas-srgan",
        common.randomize(Generator(scale)),
        lambda network, path: torch.save(network.state_dict(), path),
        lambda network: 2.0 * common.nhwc(network(small)) - 1.0,
        lambda model: model(2.0 * common.nhwc(small) - 1.0),
        lambda scale=scale: Generator(scale),
    )
