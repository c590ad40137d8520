"""Another project whose files of weights are read: what each one's file in this folder says."""

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ganzoo import weights
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.models.programs.preset import Preset
from ganzoo.models.registry import construct, model_class
from ganzoo.weights import layouts

Arrays = Mapping[str, np.ndarray]
MOST_LAYERS, _MOST_DIGITS = 100, 4  # of one kind; of their numbers, or of sides in pixels
_PARALLEL = "module."


class NoDiscriminators(UserError):
    """A model that was kept without its discriminators."""


class Program:
    """A project whose files of weights ganzoo reads and writes.

    Attributes:
        name: for `ganzoo.convert`.
        model_name: key of `ganzoo.models.MODELS`.
        layout: where the arrays of a file belong in a generator.
        prefixes: of the generator's names, the first that there is.
        ignored: a pattern of names, relative to the generator's, that no model needs.
        attributes: of layers, single numbers that arrays do not tell.
        under: the key of the dictionary that holds the state dict; None for none.
        prefix: of the names in files that are written.
    """

    name: str
    model_name: str
    layout: Callable[[keras.Layer], Iterator[layouts.Entry]]
    prefixes: tuple[str, ...] = ()
    ignored: str = r".*\.num_batches_tracked"
    attributes: tuple[str, ...] = ()
    under: str | None = None
    prefix: str = ""

    # What the project's file in this folder implements.

    def presets(self) -> Iterable[Preset]:
        """The trained models that the project has published."""
        return ()

    def infer(self, arrays: Arrays) -> dict:
        """The arguments of the model's constructor, from the generator's arrays.

        Raises:
            LookupError, ValueError, TypeError or ArithmeticError: when they are not of this
                program.
        """
        raise NotImplementedError

    def constants(self, arrays: Arrays) -> Arrays:
        """What files need beside the arrays of a generator."""
        return {}

    def renamed(self, arrays: Arrays) -> Arrays:
        """The generator's arrays, under the names that `layout` gives."""
        return arrays

    # What ganzoo does with it.

    def recognize(self, path: Path, arrays: Arrays) -> tuple[Arrays, dict]:
        """The generator's arrays in a file, and the arguments of the constructor.

        The names are those after the first prefix that there is, and after that of PyTorch's
        DataParallel, which any program may have used.

        Raises:
            UserError: when they are not of this program.
        """
        found = next(filter(None, (under(prefix, arrays) for prefix in self.prefixes)), arrays)
        found = under(_PARALLEL, found) or found
        with explain(path, f"generator of {self.name}", found):
            found = self.renamed(found)
            return found, self.infer(found)

    def read(self, path: Path, arrays: Arrays) -> tuple[GAN, dict]:
        """A model with one generator out of a file, and the arguments of its constructor.

        Raises:
            UserError: for a file that is not of this program.
        """
        arrays, arguments = self.recognize(path, arrays)
        model = built(path, arrays, lambda: self._for_inference(arguments))
        layouts.assign(self.layout(model.generator), arrays, self.ignored)
        return model, arguments

    def read_networks(self, path: Path, arrays: Arrays) -> GAN:
        """A model with its discriminator, and the generator as it is in training.

        Raises:
            UserError: as `read` does; NoDiscriminators where there is none, as in most programs.
        """
        raise NoDiscriminators(f"{path} holds no discriminator")

    def write(self, model: GAN, network: keras.Layer, source: str, path: Path) -> None:
        """Writes a generator of a model, which errors call `source`, as a state dict.

        Raises:
            UserError: when the program has no such network.
        """
        if not isinstance(model, model_class(self.model_name)):
            raise UserError(f"{self.name} has no {type(model).__name__}, which {source} is")
        try:
            arrays = layouts.export(self.layout(network))
        except (AttributeError, ValueError, IndexError) as error:
            raise UserError(f"{self.name} has no such network as {source} ({error})") from error
        arrays = self.constants(arrays) | arrays
        arrays = {f"{self.prefix}{name}": array for name, array in arrays.items()}
        weights.write_pytorch(arrays, path, self.under)

    def _for_inference(self, arguments: dict) -> GAN:
        """A model with one generator and nothing else."""
        model = construct(self.model_name, **arguments)
        model.build_for_inference(list(model.generators())[:1])
        return model


def numbers(arrays: Iterable[str], pattern: str) -> list[int]:
    """The numbers that stand in the matching names, ascending: of layers, or sides of images."""
    matches = (re.fullmatch(pattern, name) for name in arrays)
    found = {match[1] for match in matches if match}
    if len(found) > MOST_LAYERS or any(len(number) > _MOST_DIGITS for number in found):
        raise ValueError(f"more than {MOST_LAYERS} layers, or longer numbers")
    return sorted(map(int, found))


def under(prefix: str, arrays: Arrays) -> Arrays:
    """The arrays whose names begin with a prefix, without it."""
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


@contextlib.contextmanager
def explain(path: str | Path, network: str, arrays: Arrays) -> Iterator[None]:
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


def built(path, arrays: Arrays, make: Callable[[], GAN]) -> GAN:
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
