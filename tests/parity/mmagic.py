"""open-mmlab/mmagic: MSRResNet, in a file as its SRGAN leaves it.

    python tests/parity/mmagic.py --reference=CHECKOUT

What the network's modules import of mmagic and mmengine, registries and initial weights, is
replaced, so that neither needs to be installed.
"""

import importlib.util
import sys
import types

import common
import torch

folder = common.checkout() / "mmagic" / "models"


def stand_in(name, **members):
    """A module that has these members only."""
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
    vars(sys.modules[name]).update(members)


def load(name, path):
    """A file of the reference as a module of this name."""
    spec = importlib.util.spec_from_file_location(name, folder / path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Registry:
    """Hands back what is registered."""

    def register_module(self):
        return lambda cls: cls


def make_layer(block, count, **options):
    """So many blocks, one after another."""
    return torch.nn.Sequential(*(block(**options) for _ in range(count)))


for package in ("mmagic", "mmagic.models", "mmagic.models.archs", "mmengine"):
    stand_in(package)
stand_in("mmengine.model", BaseModule=torch.nn.Module)
stand_in("mmagic.registry", MODELS=Registry())
stand_in("mmagic.models.utils", default_init_weights=lambda *_: None, make_layer=make_layer)
backbone = load("mmagic.models.archs.sr_backbone", "archs/sr_backbone.py")
upsample = load("mmagic.models.archs.upsample", "archs/upsample.py")
sys.modules["mmagic.models.archs"].PixelShufflePack = upsample.PixelShufflePack
sys.modules["mmagic.models.archs"].ResidualBlockNoBN = backbone.ResidualBlockNoBN
network = load("mmagic.models.editors.srgan.sr_resnet", "editors/srgan/sr_resnet.py")


def save(generator, path):
    """As its checkpoints are, with `generator.` before each name."""
    state = {f"generator.{name}": value for name, value in generator.state_dict().items()}
    torch.save({"meta": {"epoch": 1}, "state_dict": state}, path)


class Wrapped(torch.nn.Module):
    """A generator as a member of a model."""

    def __init__(self, scale):
        super().__init__()
        self.generator = network.MSRResNet(3, 3, upscale_factor=scale)


small = torch.rand(2, 3, 24, 20)
for scale in (2, 4):
    common.compare(
        f"MSRResNet, x{scale}",
        "mmagic",
        network.MSRResNet(3, 3, upscale_factor=scale),
        save,
        lambda it: 2.0 * common.nhwc(getattr(it, "generator", it)(small)) - 1.0,
        # Without the limits of images, so that none is hidden.
        lambda model: model.generator(2.0 * common.nhwc(small) - 1.0),
        lambda scale=scale: Wrapped(scale),
        key="state_dict",
    )
