"""Trained models on disk: saved, loaded by path or by name, started from."""

import json
import zipfile
from pathlib import Path

import numpy as np

from ganzoo import arrays, checkpoints, files
from ganzoo import config as configs
from ganzoo.engine import GAN
from ganzoo.errors import UserError, unknown
from ganzoo.models import named
from ganzoo.models.foreign import NoDiscriminators, read_model, read_networks
from ganzoo.models.registry import MODELS, NotImported, build, construct
from ganzoo.weights import archives, download

_CONFIG = "config.json"


def save(model: GAN, name: str, arguments: dict, folder: str | Path) -> None:
    """Writes the generators of a model and what `load` needs to build them again.

    Args:
        model: a built model.
        name: its key in `MODELS`, or the place of its class, "module:Class".
        arguments: those of its constructor.
        folder: created where it does not exist.
    """
    folder = Path(folder)
    _describe(model, name, arguments, folder)
    for part, network in model.generators().items():
        checkpoints.save_weights(network, folder / f"{part}.weights.h5")


def pack(source: str | Path, folder: Path) -> None:
    """Writes a trained model in half precision, as those that come with ganzoo are kept.

    Args:
        source: what `load` takes; its `model/config.json` is copied.
        folder: created where it does not exist.
    """
    described = _description(folder_of(Path(source)))
    model = load(source)
    _describe(model, described["model_name"], described["model"], folder)
    for part, network in model.generators().items():
        values = {f"{i:03d}": np.float16(v) for i, v in enumerate(network.get_weights())}
        files.write_atomically(
            folder / f"{part}.npz", lambda path, v=values: np.savez_compressed(path, **v)
        )


def _describe(model: GAN, name: str, arguments: dict, folder: Path) -> None:
    files.make_folder(folder)
    arguments = arguments | model.arguments
    facts = {"model_name": name, "model": arguments, "generators": list(model.generators())}
    files.write_text(folder / _CONFIG, json.dumps(facts, indent=2) + "\n")


def load(name: str | Path, discriminator: bool = False) -> GAN:
    """A trained model for inference: its generators, the usual one as `generator`, and no others.

    Args:
        name: a preset, see `ganzoo.models.presets`; a run directory, or one of the folders `model`
            and `best` inside it; a file of such a folder, for that generator alone; a .keras file;
            or a file of another program, see `ganzoo.models.FORMATS`.
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
    path = files.expanded(name)
    if path.is_dir():
        model = _load_checkpoint(path) if discriminator else _load_folder(folder_of(path))
        card = f"A model in {path}."
    elif path.is_file():
        model, card = _load_file(path, discriminator), f"Read from {path}."
    else:
        model, card = _load_preset(str(name), discriminator)
    model.card = model.card or card
    return model


def _load_file(path: Path, discriminator: bool) -> GAN:
    """A file of ganzoo's own or of another program."""
    part = _part_in(path)
    if part is None and path.suffix != ".keras":
        return _load_foreign(path, discriminator)
    if discriminator:
        raise NoDiscriminators(f"{path} holds no discriminator")
    return _load_archive(path) if part is None else _load_folder(path.parent, [part])


def _load_foreign(path: Path, discriminator: bool, program: str | None = None) -> GAN:
    return read_networks(path, program) if discriminator else read_model(path, program)[0]


def _load_preset(name: str, discriminator: bool) -> tuple[GAN, str]:
    preset = named.TABLE.get(name)
    if preset is None:
        raise _no_such(name)
    file = None
    if preset.url is not None:
        if not download.place_of(preset.url).exists():
            print(f"{preset.title}, from {preset.url}. License: {preset.license}", flush=True)
        file = download.fetch(preset.url, preset.sha256, preset.size)
        model = _load_foreign(file, discriminator, preset.program)
        _refuse_another(model, preset, file)
    elif discriminator:
        raise NoDiscriminators(f"{name} comes with ganzoo without its discriminators")
    else:
        model = _load_folder(named.FOLDER / name)
    return model, preset.card(file)


def _refuse_another(model: GAN, preset: named.Preset, file: Path) -> None:
    """Where no hash is known, names and shapes of the file's arrays have to be the right ones."""
    wrong = [
        f"{key} = {model.arguments.get(key)!r}, expected {value!r}"
        for key, value in preset.arguments.items()
        if model.arguments.get(key) != value
    ]
    if wrong:
        raise UserError(
            f"{file} is not {preset.name}: its network has {'; '.join(wrong)}. Remove the file and"
            " what pins.json beside it says of it, and fetch it again."
        )


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


def folder_of(path: Path) -> Path:
    """The folder with a model in it: this one, or `model` inside."""
    inside = path / "model"
    folder = inside if (inside / _CONFIG).exists() else path
    if not weights_in(folder) or not (folder / _CONFIG).exists():
        raise UserError(
            f"{path} is no run directory with a trained model in it. Train one with python -m "
            "ganzoo.train --model=ssgan --dataset=shapes; the first tick writes it."
        )
    return folder


def weights_in(folder: Path) -> list[Path]:
    """The files of a model's generators."""
    return sorted([*folder.glob("*.weights.h5"), *folder.glob("*.npz")])


def _part_in(path: Path) -> str | None:
    """The generator that a file of a model's folder holds; None for any other file."""
    part = path.name.removesuffix(".npz").removesuffix(".weights.h5")
    described = part != path.name and path.with_name(_CONFIG).exists()
    return part if described and part in _description(path.parent).get("generators", ()) else None


def _description(folder: Path) -> dict:
    """What `save` wrote about the model in a folder."""
    path = folder / _CONFIG
    with files.explain_damage(path, "Expected what describes a model."):
        return dict(json.loads(path.read_text(encoding="utf-8")))


def _load_archive(path: Path) -> GAN:
    """A model that Keras saved. Of what the file names, nothing is made but a class of `MODELS`, or
    one that was imported."""
    try:
        with archives.opened(path) as archive:
            saved = json.loads(archive.read(_CONFIG))
        place = f"{saved['module']}:{saved['class_name']}"
        names = {known: name for name, known in MODELS.items()}
        model = construct(names.get(place, place), **saved["config"])
        model.build_from_config(saved["build_config"])
    except NotImported:
        raise
    except (zipfile.BadZipFile, LookupError, TypeError, AttributeError, ValueError) as error:
        raise UserError(
            f"{path} holds no model that ganzoo saved: {', '.join(MODELS)}, or one of your own"
            f" ({type(error).__name__}: {error})"
        ) from error
    checkpoints.load_weights(model, path)
    return model


def _load_folder(folder: Path, generators: list[str] | None = None) -> GAN:
    saved = _description(folder)
    model = construct(saved["model_name"], **saved["model"])
    model.build_for_inference(generators or saved.get("generators"))
    for part, network in model.generators().items():
        packed = folder / f"{part}.npz"
        if packed.exists():
            values = arrays.read(packed)
            network.set_weights([values[key].astype(np.float32) for key in sorted(values)])
        else:
            checkpoints.load_weights(network, folder / f"{part}.weights.h5")
    return model


def _load_checkpoint(path: Path) -> GAN:
    saved = _description(folder_of(path))
    if not checkpoints.saved_steps(path / "checkpoints"):
        raise NoDiscriminators(f"{path} has no checkpoint, which the discriminators would be in")
    model = build(saved["model_name"], **saved["model"])
    checkpoints.restore_latest(model, path / "checkpoints")
    for part, network in model.default_networks().items():
        setattr(model, part, network)
    return model


def start_from(model: GAN, path: str | Path) -> None:
    """Gives a new model the weights of a trained one: transfer learning.

    All networks are taken from what has discriminators, else the generators. A generator for one
    direction alone starts that one; the others stay new.

    Args:
        model: built.
        path: what `load` takes.

    Raises:
        UserError: when the networks are not alike, with what differs.
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


def _pairs(path, model: GAN, donor: GAN, networks: dict, others: dict) -> list[tuple]:
    """Networks of both models by name; raises UserError unless their variables are alike."""
    if not others or not others.keys() <= networks.keys():
        raise _cannot_start(path, model, donor, [])
    pairs = [(networks[name], other) for name, other in others.items()]
    differing = [words for pair in pairs for words in _other_shapes(*pair)]
    if differing:
        raise _cannot_start(path, model, donor, differing)
    return pairs


def _other_shapes(network, other) -> list[str]:
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
