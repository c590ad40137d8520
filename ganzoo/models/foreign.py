"""Models out of files of other programs."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf

from ganzoo import weights
from ganzoo.engine import GAN
from ganzoo.errors import UserError, choose
from ganzoo.models.registry import build, construct
from ganzoo.programs import PROGRAMS
from ganzoo.programs.program import Arrays, Program
from ganzoo.weights import layouts

_ATTRIBUTES = tuple(name for program in PROGRAMS.values() for name in program.attributes)
_PARALLEL = "module."


class NoDiscriminators(UserError):
    """A model that was kept without its discriminators."""


def read_model(path: str | Path, program: str | None = None) -> tuple[GAN, str, dict]:
    """A model out of a file; nothing in the file is executed.

    Args:
        path: any file that `ganzoo.weights.read` reads.
        program: a key of `PROGRAMS`; None finds out which.

    Returns:
        the model with one generator, its name in `MODELS`, and the arguments of its constructor.

    Raises:
        UserError: for an unknown program, or a file that is not one of its.
    """
    chosen, arrays = _open(path, program)
    arrays, arguments = _recognize(path, chosen, arrays)

    def make():
        model = construct(chosen.model_name, **arguments)
        model.build_for_inference(list(model.generators())[:1])
        return model

    model = _built(path, arrays, make)
    layouts.assign(chosen.layout(model.generator), arrays, chosen.ignored)
    return model, chosen.model_name, arguments


def read_networks(path: str | Path, program: str | None = None) -> GAN:
    """A model with its discriminator, and the generator as it is in training.

    Arguments and errors are those of `read_model`; a file may hold the averaged generator alone.
    """
    chosen, arrays = _open(path, program)
    discriminator = _under("D.", arrays)
    if not discriminator or chosen.infer_discriminator is None:
        raise NoDiscriminators(f"{path} holds no discriminator")
    generator, arguments = _recognize(path, chosen, arrays)
    with _explain(path, f"discriminator of {chosen.name}", discriminator):
        arguments |= chosen.infer_discriminator(discriminator)
    model = _built(path, arrays, lambda: build(chosen.model_name, **arguments))
    for prefix, entries in chosen.networks(model).items():
        layouts.assign(entries, _under(prefix, arrays) or generator)
    return model


def _open(path: str | Path, name: str | None) -> tuple[Program, Arrays]:
    """The program of this name, or else the one whose names the arrays have, and the arrays."""
    arrays = weights.read(path, _ATTRIBUTES)
    programs = PROGRAMS.values() if name is None else [choose("program", name, PROGRAMS)]
    if name is None and any(name.endswith("4x4/Const/const") for name in arrays):
        raise UserError(
            f"{path} holds networks of TensorFlow. Convert it with NVIDIA's own code first:"
            " python legacy.py --source=OLD.pkl --dest=NEW.pkl in stylegan2-ada-pytorch"
        )
    for variant in itertools.chain.from_iterable(program.variants for program in programs):
        with contextlib.suppress(UserError):
            _recognize(path, variant, arrays)
            return variant, arrays
    if name is not None:
        return PROGRAMS[name], arrays  # which says what is missing
    raise UserError(
        f"{path} holds no generator of {', '.join(PROGRAMS)}. The files of a model of ganzoo lie"
        " beside their config.json; give their folder, or a run directory."
    )


def _recognize(path: str | Path, program: Program, arrays: Arrays) -> tuple[Arrays, dict]:
    """The generator's arrays in a file, and the arguments of the constructor.

    The names are those after the first prefix that there is, and after that of PyTorch's
    DataParallel, which any program may have used.
    """
    found = next(filter(None, (_under(prefix, arrays) for prefix in program.prefixes)), arrays)
    found = _under(_PARALLEL, found) or found
    with _explain(path, f"generator of {program.name}", found):
        found = program.renamed(found)
        return found, program.infer(found)


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


@contextlib.contextmanager
def _explain(path: str | Path, network: str, arrays: Arrays) -> Iterator[None]:
    """Turns what goes wrong with the arrays of a network into a UserError; empty ones are refused,
    since they could stand for anything."""
    try:
        if not all(array.size for array in arrays.values()):
            raise ValueError("an array is empty")
        yield
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        raise UserError(
            f"{path} holds no {network}: its arrays have other names or shapes"
            f" ({type(error).__name__}: {error})"
        ) from error


def _built(path, arrays: Arrays, make: Callable[[], GAN]) -> GAN:
    """What `make` builds, if the file has the numbers for it: a small array can imply any width."""
    with tf.Graph().as_default():  # where variables have shapes, and take no memory
        try:
            needed = sum(variable.shape.num_elements() for variable in make().variables)
        except UserError as error:
            raise UserError(f"{path} holds a network that ganzoo does not have: {error}") from error
    held = sum(array.size for array in arrays.values())
    if needed > 2 * held + 1000:  # an averaged generator stands for both, a slope for all channels
        raise UserError(
            f"{path} holds {held:,} numbers, but its shapes are those of a network of {needed:,};"
            " it is damaged"
        )
    return make()
