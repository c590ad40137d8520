"""The models, by name."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path

from ganzoo import checkpoints, files
from ganzoo.augment import Augmentation
from ganzoo.engine import GAN
from ganzoo.errors import UserError, unknown

# One line per model: its name, which is also that of its file, and its class.
MODELS = {
    "cyclegan": "CycleGAN",
    "dcgan": "DCGAN",
    "srgan": "SRGAN",
    "ssgan": "SSGAN",
    "stylegan2_ada": "StyleGAN2ADA",
}

_CONFIG = "config.json"


def model_class(name: str) -> type[GAN]:
    """The class of a model; raises UserError with the nearest names for an unknown one."""
    if name not in MODELS:
        raise unknown("model", name, MODELS)
    return getattr(importlib.import_module(f"{__name__}.{name}"), MODELS[name])


def build(name: str, augmentation: Augmentation | None = None, **kwargs) -> GAN:
    """A new model with random weights.

    Args:
        name: a key of `MODELS`.
        augmentation: of the images that discriminators are shown in training.
        **kwargs: arguments of the model's constructor, `config.model` of a config.

    Raises:
        UserError: for an unknown name or argument, with the nearest right ones.
    """
    model = construct(name, augmentation, **kwargs)
    model.build()
    return model


def construct(name: str, augmentation: Augmentation | None = None, **kwargs) -> GAN:
    """A model without weights yet; arguments as `build` takes them."""
    cls = model_class(name)
    known = [p for p in inspect.signature(cls).parameters if p != "kwargs"]
    for key in kwargs:
        if key not in known:
            raise unknown(f"argument of {name}", key, known)
    return cls(augmentation=augmentation, **kwargs)


def start_from(model: GAN, path: str | Path) -> None:
    """Gives a new model the weights of a trained one: transfer learning.

    Args:
        model: built.
        path: a run directory, of which all networks are taken where it has a checkpoint; or what
            else `load` takes, of which the generators are.

    Raises:
        UserError: when the networks are not alike.
    """
    whole = bool(checkpoints.saved_steps(Path(path) / "checkpoints"))
    donor = load(path, discriminator=whole)
    pairs = [*_alike(path, model.generators(), donor.generators())]
    if whole:
        for player, networks in model.players().items():
            others = donor.players().get(player, [])
            pairs += _alike(path, dict(enumerate(networks)), dict(enumerate(others)))
    else:
        pairs += [(average.source, average.target) for average in model.averages()]
    for network, other in pairs:
        for variable, value in zip(network.variables, other.variables, strict=True):
            variable.assign(value)


def _alike(path, networks: dict, others: dict) -> list[tuple]:
    """Pairs of networks; raises UserError unless their variables have the same shapes."""
    if networks.keys() != others.keys():
        raise UserError(f"{path} is of another kind of model, and cannot be started from")
    for name, network in networks.items():
        shapes = ([tuple(v.shape) for v in n.variables] for n in (network, others[name]))
        here, there = shapes
        if here != there:
            raise UserError(
                f"{path}: its {network.name} has {len(there)} arrays, this model's {len(here)}, or"
                " they have other shapes; start from it with the same --config.model values"
            )
    return [(network, others[name]) for name, network in networks.items()]


def save(model: GAN, name: str, arguments: dict, folder: Path) -> None:
    """Writes the generators of a model and what `load` needs to build them again.

    Args:
        model: a built model.
        name: its key in `MODELS`.
        arguments: those of its constructor.
        folder: created where it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"model_name": name, "model": arguments}, indent=2) + "\n"
    files.write_text(folder / _CONFIG, text)
    for part, network in model.generators().items():
        files.write_atomically(folder / f"{part}.weights.h5", network.save_weights)


def load(path: str | Path, discriminator: bool = False) -> GAN:
    """A trained model for inference: its generators, without optimizers.

    Args:
        path: a run directory, or one of the folders `model` and `best` inside it.
        discriminator: load the discriminators, too, which a run directory keeps in its
            checkpoints, and the generators as they are in training.

    Raises:
        UserError: when there is no model, or a damaged one.
    """
    path = Path(path)
    folder = path if any(path.glob("*.weights.h5")) else path / "model"
    if not (folder / _CONFIG).exists():
        raise UserError(
            f"{path} is no run directory with a trained model in it. Train one with python -m "
            "ganzoo.train --model=ssgan --dataset=shapes; the first tick writes it."
        )
    saved = json.loads((folder / _CONFIG).read_text())
    model = construct(saved["model_name"], **saved["model"])
    if discriminator:
        model.build()
        if not checkpoints.restore_latest(model, path / "checkpoints"):
            raise UserError(f"{path} has no checkpoint, which the discriminators would be in")
        return model
    model.build_generators()
    model.built = True  # or the first call would build the rest, too
    for part, network in model.generators().items():
        checkpoints.load_weights(network, folder / f"{part}.weights.h5")
    return model
