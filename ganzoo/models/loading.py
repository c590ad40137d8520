"""Trained models by name, run directory or file: loaded, and started from."""

import dataclasses
from pathlib import Path

import keras

from ganzoo import config as configs
from ganzoo import files
from ganzoo.engine import GAN
from ganzoo.errors import UserError, unknown
from ganzoo.models import named, programs, storage
from ganzoo.models.programs.preset import Preset
from ganzoo.models.programs.program import NoDiscriminators
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

    Raises:
        UserError: when there is no model of that name, a damaged one, or one without
            discriminators when they are asked for.
    """
    source = Source.find(name)
    model = source.read_networks() if discriminator else source.read()
    model.card = model.card or source.card()
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
        if part := storage.part_in(self.path):
            return storage.read_folder(self.path.parent, [part])
        if self.path.suffix == ".keras":
            return storage.read_archive(self.path)
        model, _, _ = programs.read_model(self.path, self.preset and self.preset.program)
        return self._checked(model)

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
        return self._checked(programs.read_networks(self.path, self.preset and self.preset.program))

    def card(self) -> str:
        """What there is to know about the model, as Markdown."""
        if self.preset is None:
            return f"A model in {self.path}." if self.path.is_dir() else f"Read from {self.path}."
        return self.preset.card(self.path)

    def _checked(self, model: GAN) -> GAN:
        if self.preset:
            self.preset.require(model, self.path)
        return model


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
        players = donor.players()
    except NoDiscriminators:
        donor, players = load(path), {}
    pairs = _pairs(path, model, donor, model.generators(), donor.generators())
    if players:
        for player, networks in model.players().items():
            others = players.get(player, [])
            pairs += _pairs(path, model, donor, dict(enumerate(networks)), dict(enumerate(others)))
    else:
        pairs += [(average.source, average.target) for average in model.averages()]
    for network, other in pairs:
        for variable, value in zip(network.variables, other.variables, strict=True):
            variable.assign(value)


def _no_such(name: str) -> UserError:
    if name in configs.presets():
        return UserError(
            f"There are no published weights of {name}. Train them with python -m ganzoo.train"
            f" --config={name}, and load the run directory, runs/{name}."
        )
    error = unknown("preset", name, named.TABLE)
    return UserError(
        f"{error} Nor is {name} a file or a run directory: train one with python -m ganzoo.train"
        " --model=ssgan --dataset=shapes; the first tick writes its model."
    )


def _pairs(path, model: GAN, donor: GAN, networks: dict, others: dict) -> list[tuple]:
    """Networks of both models by name; raises UserError unless their variables have the same
    shapes."""
    if not others or not others.keys() <= networks.keys():
        raise _cannot_start(path, model, donor, [])
    pairs = [(networks[name], other) for name, other in others.items()]
    differing = [words for pair in pairs for words in _other_shapes(*pair)]
    if differing:
        raise _cannot_start(path, model, donor, differing)
    return pairs


def _other_shapes(network: keras.Layer, other: keras.Layer) -> list[str]:
    """In words, which variables of `other` have another shape than those of `network`."""
    here, there = ([tuple(v.shape) for v in n.variables] for n in (network, other))
    if len(here) != len(there):
        return [f"{network.name} has {len(there)} arrays there and {len(here)} here"]
    triples = zip(network.variables, here, there, strict=True)
    return [f"{v.path} is {old} there and {new} here" for v, new, old in triples if new != old]


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
    if differing:
        more = f", and {len(differing) - 1:,} more arrays differ" if len(differing) > 1 else ""
        values.append(differing[0] + more)
    return UserError(
        f"{path} does not fit this model: {'; '.join(values) or 'it has other networks'}. Start"
        " from it with the same --config.model values."
    )
