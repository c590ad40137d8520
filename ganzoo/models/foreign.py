"""Models out of files of other programs."""

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from ganzoo import weights
from ganzoo.engine import GAN
from ganzoo.errors import UserError, choose
from ganzoo.models.formats import ATTRIBUTES, FORMATS, Arrays
from ganzoo.models.registry import build, construct
from ganzoo.weights import layouts

_PARALLEL = "module."


class NoDiscriminators(UserError):
    """A model that was kept without its discriminators."""


def read_model(path: str | Path, program: str | None = None) -> tuple[GAN, str, dict]:
    """A model out of a file; nothing in the file is executed.

    Args:
        path: any file that `ganzoo.weights.read` reads.
        program: a key of `FORMATS`; None finds out which.

    Returns:
        the model with one generator, its name in `MODELS`, and the arguments of its constructor.

    Raises:
        UserError: for an unknown program, or a file that is not one of its.
    """
    arrays = weights.read(path, ATTRIBUTES)
    if program is None:
        program = _program_of(path, arrays)
    format = choose("program", program, FORMATS)
    arrays = _without_dropout(_generator_of(arrays, format.prefixes))
    arguments = _told(path, f"generator of {program}", format.arguments, arrays)
    model = _built(path, arrays, lambda: _for_inference(format.model_name, arguments))
    (network,) = model.generators().values()
    entries = list(format.layout(network))
    _refuse_others(path, arrays, {entry.name for entry in entries}, format.ignored)
    layouts.assign(entries, arrays)
    return model, format.model_name, arguments


def read_networks(path: str | Path, program: str | None = None) -> GAN:
    """A model with its discriminator, and the generator as it is in training.

    Arguments and errors are those of `read_model`; a file may hold the averaged generator alone.
    """
    arrays = weights.read(path, ATTRIBUTES)
    program = program or _program_of(path, arrays)
    format = choose("program", program, FORMATS)
    if format.judge is None:
        raise NoDiscriminators(f"{path} is of a program whose files hold generators alone")
    judge = _under("D.", arrays)
    if not judge:
        raise NoDiscriminators(f"{path} holds no discriminator")
    generator = _generator_of(arrays, format.prefixes)
    arguments = _told(path, f"generator of {program}", format.arguments, generator)
    arguments |= _told(path, f"discriminator of {program}", format.judge, judge)
    model = _built(path, arrays, lambda: build(format.model_name, **arguments))
    for prefix, entries in format.whole(model).items():
        layouts.assign(entries, _under(prefix, arrays) or generator)
    return model


def _under(prefix: str, arrays: Arrays) -> Arrays:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _told(path, network: str, tell: Callable[[Arrays], dict], arrays: Arrays) -> dict:
    """What the arrays of a network say of it; empty ones could say anything."""
    try:
        if not all(array.size for array in arrays.values()):
            raise ValueError("an array is empty")
        return tell(arrays)
    except (LookupError, ValueError, TypeError, ArithmeticError) as error:
        raise UserError(
            f"{path} holds no {network}: its arrays have other names or shapes"
            f" ({type(error).__name__}: {error})"
        ) from error


def _for_inference(name: str, arguments: dict) -> GAN:
    """A model with one generator and nothing else."""
    model = construct(name, **arguments)
    model.build_for_inference(list(model.generators())[:1])
    return model


def _built(path, arrays: Arrays, make: Callable[[], GAN]) -> GAN:
    """What `make` builds, if the file has the numbers for it: a small array can tell any width."""
    with tf.Graph().as_default():  # where variables have shapes, and take no memory
        try:
            needed = sum(variable.shape.num_elements() for variable in make().variables)
        except UserError as error:
            raise UserError(f"{path} holds a network that ganzoo does not have: {error}") from error
    held = sum(array.size for array in arrays.values())
    if needed > 2 * held + 1000:  # an averaged generator stands for both, a slope for all channels
        raise UserError(
            f"{path} holds {held:,} numbers, and tells of a network of {needed:,}; it is damaged"
        )
    return make()


def _refuse_others(path, arrays: Arrays, known: set[str], ignored: str) -> None:
    """Nothing that a file says may be left out unnoticed: its network would be another one."""
    others = [n for n in arrays if n not in known and not re.fullmatch(ignored, n)]
    if others:
        raise UserError(
            f"{path} holds {len(others)} arrays that this network does not have, such as"
            f" {', '.join(sorted(others)[:3])}; it is of another kind"
        )


def _program_of(path, arrays: Arrays) -> str:
    """The program whose names the arrays have."""
    if any(name.endswith("4x4/Const/const") for name in arrays):
        raise UserError(
            f"{path} holds networks of TensorFlow. Convert it with NVIDIA's own code first:"
            " python legacy.py --source=OLD.pkl --dest=NEW.pkl in stylegan2-ada-pytorch"
        )
    for name, format in FORMATS.items():
        with contextlib.suppress(UserError):
            _told(path, name, format.arguments, _generator_of(arrays, format.prefixes))
            return name
    raise UserError(
        f"{path} holds no generator of {', '.join(FORMATS)}. The files of a model of ganzoo lie"
        " beside their config.json; give their folder, or a run directory."
    )


def _generator_of(arrays: Arrays, prefixes: tuple[str, ...]) -> Arrays:
    """The arrays under the first prefix that there is, without it, and without that of PyTorch's
    DataParallel, which any program may have used."""
    found = next(filter(None, (_under(prefix, arrays) for prefix in prefixes)), arrays)
    return _under(_PARALLEL, found) or found


def _without_dropout(arrays: Arrays) -> Arrays:
    """Where a block has a dropout, the layers after it have the next numbers: a kernel has 6."""
    block = r"(model\.\d+\.conv_block\.)"
    moved = any(re.fullmatch(rf"{block}6\.weight", n) and a.ndim == 4 for n, a in arrays.items())
    if not moved:
        return arrays
    later = re.compile(rf"{block}([67])(\..*)")
    return {later.sub(lambda m: f"{m[1]}{int(m[2]) - 1}{m[3]}", n): a for n, a in arrays.items()}
