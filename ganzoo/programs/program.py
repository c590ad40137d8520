"""What is known of another program: the models that it published, and the layout of its files."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.files import hash_of
from ganzoo.weights.layouts import Entry

Arrays = Mapping[str, np.ndarray]
NO_LICENSE = "none stated for the weights; the authors' code is under BSD 2-Clause"
MOST_LAYERS, _MOST_DIGITS = 100, 4  # of one kind; of their numbers, or of sides in pixels


@dataclasses.dataclass(frozen=True)
class Preset:
    """A trained model that has a name.

    Attributes:
        name: for `ganzoo.models.load`.
        title: what it makes.
        license: of the weights.
        url: where the authors publish it; None for what comes with ganzoo.
        program: that wrote the file, a key of `ganzoo.models.PROGRAMS`.
        sha256: of the file, where it is known, or its first digits.
        size: of the file in bytes, where it is known.
        arguments: of the model's constructor, which the arrays of a file have to amount to; for
            one without a known hash.
        data: what it was trained on.
        metrics: what was published of it, with the protocol.
        folder: of one that comes with ganzoo.
    """

    name: str
    title: str
    license: str
    url: str | None = None
    program: str | None = None
    sha256: str | None = None
    size: int | None = None
    arguments: Mapping[str, object] = dataclasses.field(default_factory=dict)
    data: str | None = None
    metrics: str | None = None
    folder: Path | None = None

    def card(self, file: Path | None = None) -> str:
        """What there is to know about it, as Markdown.

        Args:
            file: where it was downloaded to; None if it was not.
        """
        if self.folder is not None:
            files = sorted(self.folder.glob("*.npz"))
            hashes = [f"- SHA-256 of {path.name}: {hash_of(path)}" for path in files]
            return (self.folder / "card.md").read_text("utf-8") + "\n".join([*hashes, ""])
        known = self.sha256 or "not published; that of the first download is pinned"
        return (
            f"# {self.name}\n\n{self.title}. Weights of the original authors, converted when loaded"
            f" ({self.program}).\n\n- Source: {self.url}\n- License: {self.license}\n"
            f"- Data: {self.data}\n- Metrics: {self.metrics or 'none published'}\n"
            f"- SHA-256: {hash_of(file) if file else known}\n"
        )

    def require(self, model: GAN, file: Path) -> None:
        """Raises UserError unless the model in a file whose hash is unknown has its arguments."""
        wrong = [
            f"{key} = {model.arguments.get(key)!r}, expected {value!r}"
            for key, value in self.arguments.items()
            if model.arguments.get(key) != value
        ]
        if wrong:
            raise UserError(
                f"{file} is not {self.name}: its network has {'; '.join(wrong)}. Remove the file"
                " and what pins.json beside it says of it, and fetch it again."
            )


@dataclasses.dataclass(frozen=True)
class Program:
    """A project whose files of weights ganzoo reads and writes.

    Attributes:
        name: for `ganzoo.convert`.
        model_name: key of `ganzoo.models.MODELS`.
        infer: from the generator's arrays, the arguments of the model's constructor; raises
            LookupError, ValueError, TypeError or ArithmeticError when they are not of this program.
        layout: where the arrays of a file belong in a generator.
        presets: the trained models that the project has published.
        prefixes: of the generator's names, the first that there is.
        ignored: a pattern of names, relative to the generator's, that no model needs.
        attributes: of layers, single numbers that arrays do not show.
        under: the key of the dictionary that holds the state dict; None for none.
        prefix: of the names in files that are written.
        constants: from a generator's arrays, what files need beside them.
        renamed: the generator's arrays, under the names that `layout` gives.
        infer_discriminator: from the arrays under "D.", the arguments that they decide; None where
            files hold generators alone.
        networks: the layouts of all networks of a built model, by prefix.
        fallback: what reads and writes networks that `model_name` does not have; None for nothing.
    """

    name: str
    model_name: str
    infer: Callable[[Arrays], dict]
    layout: Callable[[keras.Layer], Iterator[Entry]]
    presets: Sequence[Preset] = ()
    prefixes: Sequence[str] = ()
    ignored: str = r".*\.num_batches_tracked"
    attributes: Sequence[str] = ()
    under: str | None = None
    prefix: str = ""
    constants: Callable[[Arrays], Arrays] = lambda arrays: {}
    renamed: Callable[[Arrays], Arrays] = lambda arrays: arrays
    infer_discriminator: Callable[[Arrays], dict] | None = None
    networks: Callable[[GAN], dict[str, Iterator[Entry]]] | None = None
    fallback: "Program | None" = None

    @property
    def variants(self) -> list["Program"]:
        """The program itself, and its fallback."""
        return [each for each in (self, self.fallback) if each]


def numbers(arrays: Iterable[str], pattern: str) -> list[int]:
    """The numbers that stand in the matching names, ascending: of layers, or sides of images."""
    matches = (re.fullmatch(pattern, name) for name in arrays)
    found = {match[1] for match in matches if match}
    if len(found) > MOST_LAYERS or any(len(number) > _MOST_DIGITS for number in found):
        raise ValueError(f"more than {MOST_LAYERS} layers, or longer numbers")
    return sorted(map(int, found))
