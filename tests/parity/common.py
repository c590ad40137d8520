"""What the comparisons with reference code share.

Each module beside this one is a command that needs PyTorch, TensorFlow and a checkout of one
reference, and is no part of the tests that pytest collects:

    python tests/parity/cyclegan.py --reference=CHECKOUT

It makes the reference's networks with random weights, saves them with its code, converts the files
with ganzoo, and compares what both make of random inputs; then it writes the file back, which the
reference has to load, name by name, and to give the same outputs. It fails beyond TOLERANCE.
"""

import argparse
import contextlib
import os
import pickle
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch

from ganzoo import convert, models

TOLERANCE = 1e-4


def checkout() -> Path:
    """The folder that --reference names, whose modules can be imported from now on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--reference", type=Path, required=True, help="a checkout of the code")
    folder = parser.parse_args().reference.resolve()
    sys.path.insert(0, str(folder))
    torch.manual_seed(0)
    print(f"{'network':34} {'layers':>6} {'there':>8} {'back':>8}", flush=True)
    return folder


def randomize(network):
    """Random scales, offsets and averages, which are all alike in new networks."""
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, 1.0, 0.2)
            torch.nn.init.normal_(module.bias, 0.0, 0.2)
            if module.running_mean is not None:
                torch.nn.init.normal_(module.running_mean, 0.0, 0.2)
                torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
        elif isinstance(module, torch.nn.PReLU):
            torch.nn.init.uniform_(module.weight, 0.1, 0.4)
    return network.eval()


def compare(name, program, network, save, forward, ours, fresh, key=None, strict=True):
    """One line of the table.

    Args:
        name: of the network, for the table.
        program: a key of `ganzoo.models.PROGRAMS`.
        network: the reference's, with random weights.
        save: writes it to a path, as the reference does.
        forward: its outputs `[N, H, W, C]` in [-1, 1], from a network.
        ours: the outputs of a loaded model.
        fresh: makes another such network.
        key: where the state dict lies in a file that is written back.
        strict: whether the file has every name, and no other.
    """
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        path, out = Path(folder) / "net.pth", Path(folder) / "model"
        save(network, path)
        convert.convert(program, path, out)
        expected = forward(network)
        there = np.abs(np.asarray(ours(models.load(out))) - expected).max()
        convert.export(program, str(out), Path(folder) / "back.pth")
        state = torch.load(Path(folder) / "back.pth", weights_only=True)
        other = fresh().eval()
        other.load_state_dict(state if key is None else state[key], strict=strict)
        back = np.abs(forward(other) - expected).max()
    assert expected.std() > 1e-3, "outputs that say nothing"
    tell(name, network, there, back)


def tell(name, network, *differences):
    """Prints a line, and fails if a difference is too large."""
    layers = sum(any(True for _ in m.parameters(recurse=False)) for m in network.modules())
    largest = [float(np.abs(difference).max()) for difference in differences]
    print(f"{name:34} {layers:6}", *(f"{value:8.1e}" for value in largest), flush=True)
    assert max(largest) <= TOLERANCE


@contextlib.contextmanager
def file_of(networks):
    """A pickle of networks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.pkl"
        path.write_bytes(pickle.dumps(networks))
        yield path


def nhwc(tensor) -> np.ndarray:
    """`[N, C, H, W]` to `[N, H, W, C]`."""
    return tensor.numpy().transpose(0, 2, 3, 1)
