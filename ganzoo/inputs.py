"""What a model is given and what it returns, declared as data, which every command reads.

An input knows its tensor, how it is drawn or read, the flag that gives it, and an example for tests
and exports. A model of another kind of input brings a class of its own with the same members.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ganzoo import images as pictures
from ganzoo.errors import UserError, choose, unknown
from ganzoo.seeds import Random

MOST_NUMBERS = 100_000  # in a flag such as --seeds
MOST_NAMES = 20  # of classes that a line lists
EXAMPLES, SIDE = 2, 32  # of an example, where a size is open


@dataclasses.dataclass(frozen=True)
class Latents:
    """Random vectors `[N, dim]`, float32.

    Attributes:
        dim: numbers of a vector.
        distribution: "normal", the standard one, or "uniform" from -1 to 1.
    """

    dim: int
    distribution: str = "normal"
    name: str = "latents"

    flags = ("num", "seed", "seeds")

    @property
    def spec(self) -> tf.TensorSpec:
        """Of its tensor."""
        return tf.TensorSpec([None, self.dim], tf.float32, name=self.name)

    def draw(self, random: Random, count: int) -> tf.Tensor:
        """`count` of them."""
        if self.distribution == "uniform":
            return random.uniform(self.name, [count, self.dim], -1.0, 1.0)
        return random.normal(self.name, [count, self.dim])

    def example(self) -> np.ndarray:
        """A few, as a test may give them."""
        drawn = np.random.default_rng(0).standard_normal([EXAMPLES, self.dim])
        return np.clip(drawn, -1.0, 1.0).astype(np.float32)

    def __str__(self) -> str:
        return f"latents [N, {self.dim}], {self.distribution}: --num and --seed, or --seeds=1-9"


@dataclasses.dataclass(frozen=True)
class Classes:
    """Numbers of classes `[N]`, int32.

    Attributes:
        num: how many classes there are; 0 for none, which makes every number 0.
        names: of the classes, where they are known.
    """

    num: int
    names: tuple[str, ...] = ()
    name: str = "labels"

    flags = ("classes",)

    @property
    def choices(self) -> list[tuple[str, int]]:
        """What a page offers: titles and values."""
        return [(self.title(label), label) for label in range(self.num)]

    @property
    def spec(self) -> tf.TensorSpec:
        """Of its tensor."""
        return tf.TensorSpec([None], tf.int32, name=self.name)

    def draw(self, random: Random, count: int) -> tf.Tensor:
        """`count` of them, each class as likely as any other."""
        return random.integers(self.name, [count], max(self.num, 1))

    def read(self, value: str | int | Sequence) -> list[int]:
        """The numbers of classes that a person named.

        Args:
            value: a number, a name, several of them, or a text such as "star,0-3".

        Raises:
            UserError: for what is neither a class's number nor its name, or where there are none.
        """
        if not self.num:
            raise UserError(
                f"class {value}: the model has no classes; leave it out, and choose images by their"
                " seeds"
            )
        if isinstance(value, str):
            value = [value] if value in self.names else value.split(",")
        elif not isinstance(value, (Sequence, np.ndarray)):
            value = [value]
        found = [number for part in value for number in self._numbers(part)]
        self.require(found)
        return found

    def _numbers(self, part: str | int) -> list[int]:
        """A number always means the class of that number, whatever the classes are called."""
        if not isinstance(part, str):
            return [int(part)]
        if re.fullmatch(r"[\d\s-]+", part):
            return numbers("classes", part)
        if part.strip() not in self.names:
            raise unknown("class", part.strip(), self.names or map(str, range(self.num)))
        return [self.names.index(part.strip())]

    def require(self, labels) -> None:
        """Raises UserError for a number that is no class's."""
        for label in sorted(set(np.asarray(labels).tolist())):
            if not 0 <= label < max(self.num, 1):
                known = f"classes 0 to {self.num - 1}" if self.num else "no classes"
                raise UserError(f"label {label}: the model has {known}")

    def title(self, label: int) -> str:
        """A class's number and name: "3 = star"."""
        return f"{label} = {self.names[label]}" if label < len(self.names) else str(label)

    def row_title(self, label: int) -> str:
        """A class's name, for the rows of a grid; nothing where it is unknown."""
        return self.names[label] if label < len(self.names) else ""

    def example(self) -> np.ndarray:
        """A few, as a test may give them."""
        return np.zeros([EXAMPLES], np.int32)

    def __str__(self) -> str:
        listed = ", ".join(map(self.title, range(min(self.num, MOST_NAMES))))
        more = f", and {self.num - MOST_NAMES} more" if self.num > MOST_NAMES else ""
        return f"classes [N]: --classes={listed}{more}"


@dataclasses.dataclass(frozen=True)
class Image:
    """Images `[N, H, W, channels]`, float32 in [-1, 1].

    Attributes:
        channels: 1 (grey) or 3 (RGB) for pictures; other numbers are for arrays alone.
        name: of the flag that gives it; "image" is the one to be converted, --input.
        size: height and width, in pixels; None for any.
        scale: of an output, its sides over those of the first input.
        multiple: what the sides of an input must be multiples of, in pixels.
        least: what they must at least be; a multiple of `multiple`.
        aligned: whether it lies pixel by pixel over the image to be converted, as a mask does.
    """

    channels: int
    name: str = "image"
    size: int | None = None
    scale: int = 1
    multiple: int = 1
    least: int = 1
    aligned: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        """Those that give it."""
        if self.name == "image":
            return ("input", "tile", "batch", "overwrite", "skip_existing")
        return (self.name,)

    @property
    def spec(self) -> tf.TensorSpec:
        """Of its tensor."""
        shape = [None, self.size, self.size, self.channels]
        return tf.TensorSpec(
            shape, tf.float32, name="images" if self.name == "image" else self.name
        )

    def read(self, value: Any) -> np.ndarray:
        """`[1, H, W, channels]` in [-1, 1] of a path, a PIL image or an array.

        Raises:
            UserError: for an unreadable file, or an array of another shape or range.
        """
        return pictures.floats_of(value, self.channels)[None]

    def example(self) -> np.ndarray:
        """A few, as a test may give them."""
        side = self.size or max(SIDE, self.multiple, self.least)
        drawn = np.random.default_rng(0).standard_normal([EXAMPLES, side, side, self.channels])
        return np.clip(drawn, -1.0, 1.0).astype(np.float32)

    def __str__(self) -> str:
        colors = {1: "grey", 3: "RGB"}.get(self.channels, f"{self.channels} channels")
        size = f"{self.size} px" if self.size else "any size"
        if self.scale > 1:
            size = f"{self.scale} times as large"
        return f"{self.name}, {colors}, {size}"


@dataclasses.dataclass(frozen=True)
class Probabilities:
    """What a classifier returns: `[N, num]`, float32, which sum to 1.

    Attributes:
        classes: whose they are.
    """

    classes: Classes

    def __str__(self) -> str:
        return f"probabilities of {self.classes.num} classes"


@dataclasses.dataclass(frozen=True)
class Option:
    """What else decides about an image, with a usual value.

    Attributes:
        default: the usual value; its type is that of the others.
        help: what it is, in words.
        low, high: the range of a slider.
        choices: all values that a text may have.
    """

    default: Any
    help: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()

    def read(self, name: str, text: str) -> Any:
        """The value that a flag's text stands for; raises UserError for none."""
        if self.choices:
            choose(name, text, dict.fromkeys(self.choices))
            return text
        if isinstance(self.default, bool):
            return choose(name, text.lower(), {"true": True, "false": False})
        kind = float if isinstance(self.default, float) else int
        try:
            return kind(text)
        except ValueError:
            raise UserError(f"--{name}={text}: expected {kind.__name__}") from None


class Mode(NamedTuple):
    """One thing that a trained model can do.

    Attributes:
        inputs: what it is given.
        outputs: what it returns.
        run: from the tensors of the inputs to the tensor of the output, or a tuple of them.
        weights: the key in `GAN.generators()` of the network that does it.
        options: by the names of `run`'s further arguments.
        is_random: whether `run` takes `random`, the random numbers of a call.
        columns: of the data, those that it turns into each other: ("a", "b").
    """

    inputs: tuple
    outputs: tuple
    run: Callable
    weights: str
    options: Mapping[str, Option] = {}
    is_random: bool = False
    columns: tuple[str, ...] = ()

    @property
    def draws(self) -> bool:
        """Whether all that it is given can be drawn at random."""
        return all(hasattr(each, "draw") for each in self.inputs)

    def find(self, kind: type) -> Any:
        """Its input of a kind; None without one."""
        return next((each for each in self.inputs if isinstance(each, kind)), None)

    def read_options(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The values of the options that are among the flags given, by their names."""
        return {n: o.read(n, values[n]) for n, o in self.options.items() if n in values}

    def read_others(self, values: Mapping[str, Any]) -> dict[Any, np.ndarray]:
        """What is given beside the first input, by the inputs.

        Raises:
            UserError: for a name that it does not have, one that is missing, or a bad value.
        """
        others = {each.name: each for each in self.inputs[1:]}
        for name in values:
            choose("input", name, others)
        missing = [name for name in others if values.get(name) is None]
        if missing:
            raise UserError(
                f"{', '.join(missing)} missing: expected {', '.join(map(str, others.values()))}"
            )
        return {each: each.read(values[name]) for name, each in others.items()}

    def flags(self) -> tuple[str, ...]:
        """Those that give the inputs and the options."""
        return (*(flag for each in self.inputs for flag in each.flags), *self.options)

    def words(self) -> list[str]:
        """What it is given and what it returns, in lines."""
        lines = [f"given {each}" for each in self.inputs]
        lines += [f"--{name}={o.default}: {o.help}" for name, o in self.options.items()]
        return [*lines, f"gives {', '.join(map(str, self.outputs))}"]


def numbers(flag: str, text: str) -> list[int]:
    """The numbers that a flag such as --seeds=1-3,7 names; raises UserError where it does not."""
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+))?", part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise UserError(f"--{flag}={text}: expected numbers and ranges, as in 1-3,7")
        if len(found) + last - first >= MOST_NUMBERS:
            raise UserError(f"--{flag}={text}: more than {MOST_NUMBERS:,} numbers; take fewer")
        found += range(first, last + 1)
    return found
