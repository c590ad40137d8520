"""Trained models by name, run directory or file: loaded, and started from."""

import dataclasses
from pathlib import Path

import keras

from ganzoo import config as configs
from ganzoo import files
from ganzoo.engine import GAN
from ganzoo.errors import UserError, unknown
from ganzoo.models import foreign, named, storage
from ganzoo.models.foreign import NoDiscriminators
from ganzoo.programs.program import Preset
from ganzoo.weights import download


def load(name: str | Path, discriminator: bool = False) -> GAN:
    """A trained model for inference: its generators, the usual one as `generator`, and no others.

    Args:
        name: a preset, see `ganzoo.models.presets`; a run directory, or one of the folders `model`
            and `best` inside it; a file of such a folder, for that generator alone; a .keras file;
            or a file of another program, see `ganzoo.models.PROGRAMS`.
        discriminator: load the discriminators, too, which a run directory keeps in its
            checkpoints and a file of StyleGAN2-ADA beside the generators, and the generators as
            they are in training: `generator` and `discriminator`, with CycleGAN those of its first
            direction.

    Of a model whose class is not one of `MODELS`, the module has to be imported before: what is
    read does not decide what is executed.

    Raises:
        UserError: when there is no model of that name, a damaged one, one whose class was not
            imported, or one without discriminators when they are asked for.
    """
    source = Source.find(name)
    model = source.read_networks() if discriminator else source.read()
    source.describe(model)
    return model


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a trained model lies.

    Attributes:
        path: a run directory, the folder of a model, or a file.
        preset: what it is by name, if it has one.
    """

    path: Path
    preset: Preset | None = None

    @classmethod
    def find(cls, name: str | Path) -> "Source":
        """What `load` is given, downloaded where it is published; UserError for any other name."""
        path = files.expanded(name)
        if path.is_dir() or path.is_file():
            return cls(path)
        preset = named.TABLE.get(str(name))
        if preset is None:
            raise _no_such(str(name))
        if preset.folder is not None:
            return cls(preset.folder, preset)
        if not download.place_of(preset.url).exists():
            print(f"{preset.title}, from {preset.url}. License: {preset.license}", flush=True)
        return cls(download.fetch(preset.url, preset.sha256, preset.size), preset)

    def read(self) -> GAN:
        """The model with its generators alone."""
        if self.path.is_dir():
            return storage.read_folder(storage.folder_of(self.path))
        if self.preset is None and (part := storage.part_in(self.path)):
            return storage.read_folder(self.path.parent, [part])
        if self.path.suffix == ".keras":
            return storage.read_archive(self.path)
        return foreign.read_model(self.path, self.preset and self.preset.program)[0]

    def read_networks(self) -> GAN:
        """The model with its discriminators; raises NoDiscriminators where there are none."""
        if self.preset and self.preset.folder:
            raise NoDiscriminators(
                f"{self.preset.name} comes with ganzoo without its discriminators"
            )
        if self.path.is_dir():
            if (model := storage.read_run(self.path)) is None:
                raise NoDiscriminators(
                    f"{self.path} has no checkpoint, which the discriminators would be in"
                )
            return model
        if storage.part_in(self.path) or self.path.suffix == ".keras":
            raise NoDiscriminators(f"{self.path} holds no discriminator")
        return foreign.read_networks(self.path, self.preset and self.preset.program)

    def describe(self, model: GAN) -> None:
        """Gives a model its card; raises UserError if it is not the one of that name."""
        if self.preset is not None:
            self.preset.require(model, self.path)
            card = self.preset.card(self.path)
        else:
            card = f"A model in {self.path}." if self.path.is_dir() else f"Read from {self.path}."
        model.card = model.card or card


def start_from(model: GAN, path: str | Path) -> None:
    """Gives a new model the weights of a trained one: transfer learning.

    All networks are taken from what has discriminators, else the generators. A generator for one
    direction alone starts that one; the others stay new.

    Args:
        model: built.
        path: what `load` takes.

    Raises:
        UserError: when the networks differ, with what differs.
    """
    try:
        donor = load(path, discriminator=True)
    except NoDiscriminators:
        donor = load(path)
    whole, parts = not donor.is_for_inference, donor.generators()
    there = _variables(donor, whole)
    here = {(n, i): v for (n, i), v in _variables(model, whole).items() if whole or n in parts}
    differing = [
        f"{variable.path} is {there[key].shape} there and {variable.shape} here"
        for key, variable in here.items()
        if key in there and there[key].shape != variable.shape
    ]
    differing += [
        f"one of them lacks the array {key[1]} of {key[0]}"
        for key in sorted(here.keys() ^ there.keys())
    ]
    if differing:
        raise _cannot_start(path, model, donor, differing)
    for key, variable in there.items():
        here[key].assign(variable)
    for average in () if whole else model.averages():
        for ours, theirs in zip(average.source.variables, average.target.variables, strict=True):
            ours.assign(theirs)


def _variables(model: GAN, whole: bool) -> dict[tuple[str, int], keras.Variable]:
    """The variables of the generators, and of a whole model those of all that training moves, by
    their network and their place in it."""
    networks = dict(model.generators())
    for player, moved in model.players().items() if whole else ():
        networks |= {f"{player} {index}": network for index, network in enumerate(moved)}
    return {
        (name, index): variable
        for name, network in networks.items()
        for index, variable in enumerate(network.variables)
    }


def _no_such(name: str) -> UserError:
    if name in configs.bundled():
        return UserError(
            f"There are no published weights of {name}. Train them with python -m ganzoo.train"
            f" --config={name}, and load the run directory, runs/{name}."
        )
    error = unknown("preset", name, named.TABLE)
    return UserError(
        f"{error} Nor is {name} a file or a run directory: train one with python -m ganzoo.train"
        " --model=ssgan --dataset=shapes; the first tick writes its model."
    )


def _cannot_start(path, model: GAN, donor: GAN, differing: list[str]) -> UserError:
    """The error for a donor that does not fit: what differs, and the arguments that make it so."""
    other, this = (type(each).__name__ for each in (donor, model))
    if other != this:
        return UserError(
            f"{path} is of another kind of model, {other}: start from one of the same, {this}."
        )
    no_shape = ("_weight", "_gamma", "_images")  # weights of losses, and durations
    values = [
        f"{key} is {donor.arguments[key]!r} there and {value!r} here"
        for key, value in model.arguments.items()
        if not key.endswith(no_shape) and donor.arguments.get(key, value) != value
    ]
    more = f", and {len(differing) - 1:,} more arrays differ" if len(differing) > 1 else ""
    return UserError(
        f"{path} does not fit this model: {'; '.join([*values, differing[0]])}{more}. Start from it"
        " with the same --config.model values."
    )
