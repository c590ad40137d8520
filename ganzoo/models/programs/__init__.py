"""Other projects whose files of weights ganzoo reads and writes, one file for each."""

import contextlib
from pathlib import Path

from ganzoo import weights
from ganzoo.engine import GAN
from ganzoo.errors import UserError, choose
from ganzoo.models.programs.cyclegan_pytorch import CycleGAN, Pix2Pix
from ganzoo.models.programs.dcgan_pytorch import DCGAN
from ganzoo.models.programs.leftthomas_srgan import SRGAN
from ganzoo.models.programs.mimicry import Mimicry
from ganzoo.models.programs.mmagic import MMagic
from ganzoo.models.programs.program import Arrays, Program
from ganzoo.models.programs.stylegan2_ada_pytorch import StyleGAN2ADA

# Files of pix2pix and CycleGAN look the same; unless one is named, they are read as the authors'
# test.py does.
_ALL = (Pix2Pix(), CycleGAN(), StyleGAN2ADA(), DCGAN(), Mimicry(), SRGAN(), MMagic())
PROGRAMS = {program.name: program for program in _ALL}
_ATTRIBUTES = tuple(name for program in _ALL for name in program.attributes)


def read_model(path: str | Path, program: str | None = None) -> tuple[GAN, str, dict]:
    """A model out of a file of another program; nothing in the file is executed.

    Args:
        path: any file that `ganzoo.weights.read` reads.
        program: a key of `PROGRAMS`; None finds out which.

    Returns:
        the model with one generator, its name in `MODELS`, and the arguments of its constructor.

    Raises:
        UserError: for an unknown program, or a file that is not one of its.
    """
    arrays = weights.read(path, _ATTRIBUTES)
    chosen = _program_of(path, arrays, program)
    model, arguments = chosen.read(path, arrays)
    return model, chosen.model_name, arguments


def read_networks(path: str | Path, program: str | None = None) -> GAN:
    """A model with its discriminator, and the generator as it is in training.

    Arguments and errors are those of `read_model`; a file may hold the averaged generator alone.
    """
    arrays = weights.read(path, _ATTRIBUTES)
    return _program_of(path, arrays, program).read_networks(path, arrays)


def _program_of(path: str | Path, arrays: Arrays, name: str | None) -> Program:
    """The program of this name, or whose names the arrays have."""
    if name is not None:
        return choose("program", name, PROGRAMS)
    if any(name.endswith("4x4/Const/const") for name in arrays):
        raise UserError(
            f"{path} holds networks of TensorFlow. Convert it with NVIDIA's own code first:"
            " python legacy.py --source=OLD.pkl --dest=NEW.pkl in stylegan2-ada-pytorch"
        )
    for program in _ALL:
        with contextlib.suppress(UserError):
            program.recognize(path, arrays)
            return program
    raise UserError(
        f"{path} holds no generator of {', '.join(PROGRAMS)}. The files of a model of ganzoo lie"
        " beside their config.json; give their folder, or a run directory."
    )
