"""kwotsin/mimicry: the generators of SSGAN and SNGAN at 32 px.

python tests/parity/mimicry.py --reference=CHECKOUT
"""

import importlib
import sys
import types

import common
import torch

package = types.ModuleType("torch_mimicry")  # its own __init__ needs more than its networks do
package.__path__ = [str(common.checkout() / "torch_mimicry")]
sys.modules["torch_mimicry"] = package
nets = importlib.import_module("torch_mimicry.nets")

latents = torch.randn(4, 128)
for make in (nets.ssgan.SSGANGenerator32, nets.sngan.SNGANGenerator32):
    common.compare(
        make.__name__,
        "mimicry",
        common.randomize(make()),
        lambda network, path: network.save_checkpoint(path.parent, 1, name=path.name),
        lambda network: common.nhwc(network(latents)),
        lambda model: model(latents.numpy()),
        make,
        key="model_state_dict",
    )
