"""The side of PyTorch in `speed.py`, which runs this file with an interpreter that has PyTorch:

    python tests/parity/speed_torch.py MODEL float32|bfloat16 [CHECKOUT]

It writes its version, then the seconds of one training step for every line that it reads. A step
is forward and backward passes and optimizers, on a batch that is there, in eager mode. bfloat16 is
`torch.autocast` with `channels_last`, which is the fastest that PyTorch has on CPUs.
"""

import contextlib
import functools
import importlib
import os
import sys
import time
import types

import torch
from torch import nn
from torch.nn import functional

MODEL, PRECISION, *CHECKOUT = sys.argv[1:]
FORMAT = torch.channels_last if PRECISION == "bfloat16" else torch.contiguous_format
BCE = functional.binary_cross_entropy_with_logits


def computing():
    """The precision of forward passes."""
    if PRECISION == "bfloat16":
        return torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext()


def images(count, size):
    """`[count, 3, size, size]` in [-1, 1]."""
    return (2.0 * torch.rand(count, 3, size, size) - 1.0).to(memory_format=FORMAT)


def adam(networks, rate=2e-4, betas=(0.5, 0.999)):
    """One optimizer of some networks."""
    return torch.optim.Adam([p for net in networks for p in net.parameters()], rate, betas)


def stack(*layers):
    """A network of layers, and of lists of them."""
    flat = [one for layer in layers for one in (layer if isinstance(layer, list) else [layer])]
    return nn.Sequential(*flat).to(memory_format=FORMAT)


def target(logits, value):
    """What all logits are to be, of the same shape."""
    return torch.full_like(logits, value, dtype=torch.float32)


# DCGAN, 64 px, width 64, batch 128, as in PyTorch's examples: real and generated images separately.


def dcgan():
    """One step of the discriminator, then one of the generator."""

    def up(i, o, stride, pad):
        layer = nn.ConvTranspose2d(i, o, 4, stride, pad, bias=False)
        return [layer, nn.BatchNorm2d(o), nn.ReLU(inplace=True)]

    def down(i, o):
        norm, activation = nn.BatchNorm2d(o), nn.LeakyReLU(0.2, inplace=True)
        return [nn.Conv2d(i, o, 4, 2, 1, bias=False), norm, activation]

    first = [nn.Conv2d(3, 64, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    last = [nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False), nn.Tanh()]
    generator = stack(
        up(100, 512, 1, 0), up(512, 256, 2, 1), up(256, 128, 2, 1), up(128, 64, 2, 1), last
    )
    discriminator = stack(
        first, down(64, 128), down(128, 256), down(256, 512), nn.Conv2d(512, 1, 4, bias=False)
    )
    of_discriminator, of_generator = adam([discriminator]), adam([generator])
    real = images(128, 64)

    def loss(shown, value):
        with computing():
            logits = discriminator(shown).float()
        return BCE(logits, target(logits, value))

    def step():
        of_discriminator.zero_grad()
        loss(real, 1.0).backward()
        with computing():
            fake = generator(torch.randn(128, 100, 1, 1))
        loss(fake.detach(), 0.0).backward()
        of_discriminator.step()
        of_generator.zero_grad()
        loss(fake, 1.0).backward()
        of_generator.step()

    return step


# SRResNet x4, 16 blocks, crops of 96 px, batch 16.


class Residual(nn.Module):
    """x + F(x)."""

    def __init__(self, *layers):
        super().__init__()
        self.branch = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.branch(x)


def srresnet():
    """One step on squared errors."""

    def norm():
        return [nn.Conv2d(64, 64, 3, 1, 1), nn.BatchNorm2d(64)]

    def double():
        return [nn.Conv2d(64, 256, 3, 1, 1), nn.PixelShuffle(2), nn.PReLU()]

    blocks = [Residual(*norm(), nn.PReLU(), *norm()) for _ in range(16)]
    trunk, head = Residual(*blocks, *norm()), [nn.Conv2d(3, 64, 9, 1, 4), nn.PReLU()]
    network = stack(head, trunk, double(), double(), nn.Conv2d(64, 3, 9, 1, 4))
    optimizer = adam([network], 1e-4, (0.9, 0.999))
    small, large = images(16, 24), images(16, 96)

    def step():
        optimizer.zero_grad()
        with computing():
            result = network(small)
        functional.mse_loss(result.float(), large).backward()
        optimizer.step()

    return step


# CycleGAN, 6 blocks, 128 px, batch 1, identity loss: the networks of its authors' code.


def translator():
    """A residual generator of width 64."""

    def norm(layer):
        return [layer, nn.InstanceNorm2d(layer.out_channels), nn.ReLU(inplace=True)]

    def block():
        first = norm(nn.Conv2d(256, 256, 3))
        last = norm(nn.Conv2d(256, 256, 3))[:2]
        return Residual(nn.ReflectionPad2d(1), *first, nn.ReflectionPad2d(1), *last)

    return stack(
        [nn.ReflectionPad2d(3), *norm(nn.Conv2d(3, 64, 7))],
        norm(nn.Conv2d(64, 128, 3, 2, 1)),
        norm(nn.Conv2d(128, 256, 3, 2, 1)),
        [block() for _ in range(6)],
        norm(nn.ConvTranspose2d(256, 128, 3, 2, 1, output_padding=1)),
        norm(nn.ConvTranspose2d(128, 64, 3, 2, 1, output_padding=1)),
        [nn.ReflectionPad2d(3), nn.Conv2d(64, 3, 7), nn.Tanh()],
    )


def patches():
    """A discriminator of 70 x 70 pixels, width 64."""

    def down(i, o, stride):
        norm = [] if i == 3 else [nn.InstanceNorm2d(o)]
        return [nn.Conv2d(i, o, 4, stride, 1), *norm, nn.LeakyReLU(0.2, inplace=True)]

    last = nn.Conv2d(512, 1, 4, 1, 1)
    return stack(down(3, 64, 2), down(64, 128, 2), down(128, 256, 2), down(256, 512, 1), last)


def cyclegan():
    """One step of both generators, then one of both discriminators."""
    to_b, to_a, judge_a, judge_b = translator(), translator(), patches(), patches()
    of_generators, of_judges = adam([to_b, to_a]), adam([judge_a, judge_b])
    a, b = images(1, 128), images(1, 128)

    def judged(judge, shown, value):
        logits = judge(shown).float()
        return functional.mse_loss(logits, target(logits, value))

    def distance(x, y):
        return (x.float() - y).abs().mean()

    def step():
        for judge in (judge_a, judge_b):
            judge.requires_grad_(False)
        of_generators.zero_grad()
        with computing():
            fake_b, fake_a = to_b(a), to_a(b)
            loss = judged(judge_b, fake_b, 1.0) + judged(judge_a, fake_a, 1.0)
            loss += 10.0 * (distance(to_a(fake_b), a) + distance(to_b(fake_a), b))
            loss += 5.0 * (distance(to_b(b), b) + distance(to_a(a), a))
        loss.backward()
        of_generators.step()
        of_judges.zero_grad()
        for judge, real, fake in ((judge_a, a, fake_a), (judge_b, b, fake_b)):
            judge.requires_grad_(True)
            with computing():
                loss = 0.5 * (judged(judge, real, 1.0) + judged(judge, fake.detach(), 0.0))
            loss.backward()
        of_judges.step()

    return step


# SSGAN, 32 px, batch 64: kwotsin/mimicry.


def ssgan():
    """Five steps of the discriminator, then one of the generator, as its trainer makes them."""
    package = types.ModuleType("torch_mimicry")  # its own __init__ needs more than its networks do
    package.__path__ = [os.path.join(CHECKOUT[0], "torch_mimicry")]
    sys.modules["torch_mimicry"] = package
    nets = importlib.import_module("torch_mimicry.nets.ssgan")
    generator, discriminator = (
        net().to(memory_format=FORMAT) for net in (nets.SSGANGenerator32, nets.SSGANDiscriminator32)
    )
    of_generator, of_discriminator = (
        adam([net], betas=(0.0, 0.9)) for net in (generator, discriminator)
    )
    batch = images(64, 32), torch.zeros(64)
    log = types.SimpleNamespace(add_metric=lambda *_, **__: None)
    common = {"log_data": log, "device": torch.device("cpu"), "global_step": 0}

    def step():
        with computing():
            for _ in range(5):
                discriminator.train_step(batch, netG=generator, optD=of_discriminator, **common)
            generator.train_step(batch, netD=discriminator, optG=of_generator, **common)

    return step


# StyleGAN2-ADA, 64 px, batch 16: the official code.

LAZY = {"Gmain": 1, "Greg": 4, "Dmain": 1, "Dreg": 16}  # steps from one to the next


def stylegan2_ada():
    """Each phase once; the seconds of a step are those of the mean schedule."""
    sys.path.insert(0, CHECKOUT[0])
    augment, losses, networks = (
        importlib.import_module(f"training.{name}") for name in ("augment", "loss", "networks")
    )
    size = {"img_resolution": 64, "img_channels": 3, "c_dim": 0}
    width = {"channel_base": 8192, "channel_max": 128, "num_fp16_res": 0}
    generator = networks.Generator(
        z_dim=512, w_dim=512, mapping_kwargs={"num_layers": 2}, synthesis_kwargs=width, **size
    )
    discriminator = networks.Discriminator(epilogue_kwargs={"mbstd_group_size": 4}, **size, **width)
    blit, geometry = ("xflip", "rotate90", "xint"), ("scale", "rotate", "aniso", "xfrac")
    color = ("brightness", "contrast", "lumaflip", "hue", "saturation")
    pipe = augment.AugmentPipe(**dict.fromkeys((*blit, *geometry, *color), 1))
    pipe.p.fill_(0.3)
    loss = losses.StyleGAN2Loss(
        torch.device("cpu"), generator.mapping, generator.synthesis, discriminator, pipe, r1_gamma=1
    )
    players = {"G": generator.train(), "D": discriminator.train()}
    optimizers = {name: adam([net], 2e-3, (0.0, 0.99)) for name, net in players.items()}
    real, labels = images(16, 64), torch.zeros(16, 0)

    def phase(name):
        for player, net in players.items():
            net.requires_grad_(player == name[0])
        optimizers[name[0]].zero_grad()
        latents = torch.randn(16, 512)
        loss.accumulate_gradients(name, real, labels, latents, labels, sync=True, gain=LAZY[name])
        optimizers[name[0]].step()

    def seconds():
        times = {name: timed(functools.partial(phase, name)) for name in LAZY}
        return sum(times[name] / every for name, every in LAZY.items())

    return seconds


def timed(function):
    """The seconds that it takes, or that it returns."""
    start = time.perf_counter()
    told = function()
    return time.perf_counter() - start if told is None else told


def main():
    """Answers each line with the seconds of a step, until there are no more."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    step = globals()[MODEL]()
    timed(step)
    print(torch.__version__, flush=True)
    for _ in sys.stdin:
        print(timed(step), flush=True)


if __name__ == "__main__":
    main()
