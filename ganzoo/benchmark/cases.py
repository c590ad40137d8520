"""What `--model=all` times: networks in their published sizes, which `tests/parity/speed.py` times
with PyTorch, too."""

from collections.abc import Sequence
from types import MappingProxyType

from absl import flags

CASES = MappingProxyType(
    {
        # 64 px.
        "dcgan": "--model=dcgan --dataset=shapes --config.batch_size=128"
        " --config.model.image_size=64 --config.model.width=64",
        # x4, 16 blocks, crops of 96 px: the first stage of SRGAN alone.
        "srresnet": "--config=srgan_shapes --config.batch_size=16 --config.total_images=48000"
        " --config.model.pretrain_images=48000 --config.model.image_size=96"
        " --config.model.num_blocks=16 --config.model.width=64",
        # mimicry's networks, 32 px: every fifth step moves the generator, too.
        "ssgan": "--config=ssgan_cifar10 --config.data.dataset=shapes --config.batch_size=64"
        " --config.model.architecture=mimicry --config.model.rotation_batch=split"
        " --config.model.discriminator_steps=5",
        # 6 blocks, 128 px.
        "cyclegan": "--model=cyclegan --dataset=solid2striped --config.batch_size=1"
        " --config.model.image_size=128 --config.data.load_size=143 --config.model.num_blocks=6"
        " --config.model.generator_width=64 --config.model.discriminator_width=64"
        " --config.model.discriminator_layers=3",
        # 64 px, bgc; path lengths at every fourth step, R1 at every sixteenth.
        "stylegan2_ada": "--config=stylegan2_ada_emoji64 --dataset=shapes --config.batch_size=16"
        " --config.model.channel_base=8192 --config.model.channel_max=128"
        " --config.model.latent_dim=512 --config.model.style_dim=512 --config.augment.strength=0.3",
    }
)


def chosen(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """The cases that a command line names by `--model`, and its words without it.

    Beside --dataset or --config there are none.
    """
    given = flags.FlagValues()
    given.set_gnu_getopt()
    for name in ("model", "dataset", "config"):
        flags.DEFINE_string(name, None, "", flag_values=given)
    rest = given(argv, known_only=True)
    if given.dataset or given.config or given.model not in ("all", *CASES):
        return [], list(argv)
    return list(CASES) if given.model == "all" else [given.model], rest


def spelled_out(argv: Sequence[str]) -> list[str]:
    """The words with the flags of the first case that they name."""
    names, (program, *rest) = chosen(argv)
    return [program, *(CASES[names[0]].split() if names else []), *rest]
