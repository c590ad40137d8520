"""Trained models on disk, as ganzoo writes them: folders, runs and .keras archives."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ganzoo import arrays, checkpoints, files
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.models.registry import MODELS, NotImported, build, construct
from ganzoo.runs import run_of
from ganzoo.weights import archives

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
        source: a run directory, or the folder of a model.
        folder: created where it does not exist.
    """
    kept = folder_of(files.expanded(source))
    described, model = _description(kept), read_folder(kept)
    _describe(model, described["model_name"], described["model"], folder)
    for part, network in model.generators().items():
        values = {f"{i:03d}": np.float16(v) for i, v in enumerate(network.get_weights())}
        files.write_atomically(
            folder / f"{part}.npz", lambda path, v=values: np.savez_compressed(path, **v)
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


def part_in(path: Path) -> str | None:
    """The generator that a file of a model's folder holds; None for any other file."""
    part = path.name.removesuffix(".npz").removesuffix(".weights.h5")
    described = part != path.name and path.with_name(_CONFIG).exists()
    return part if described and part in _description(path.parent).get("generators", ()) else None


def read_folder(folder: Path, generators: Sequence[str] | None = None) -> GAN:
    """The model in a folder for inference, with these of its generators; None for all."""
    saved = _description(folder)
    model = construct(saved["model_name"], **saved["model"])
    model.build_for_inference(generators or saved.get("generators"))
    model.class_names = _class_names(folder, saved)
    for part, network in model.generators().items():
        packed = folder / f"{part}.npz"
        if packed.exists():
            values = arrays.read(packed)
            network.set_weights([values[key].astype(np.float32) for key in sorted(values)])
        else:
            checkpoints.load_weights(network, folder / f"{part}.weights.h5")
    return model


def read_run(path: Path) -> GAN | None:
    """The whole model in the latest checkpoint of a run directory; None if it has none."""
    saved = _description(folder_of(path))
    if not checkpoints.saved_steps(path / "checkpoints"):
        return None
    model = build(saved["model_name"], **saved["model"])
    model.class_names = _class_names(path, saved)
    checkpoints.restore_latest(model, path / "checkpoints")
    for part, network in model.default_networks().items():
        setattr(model, part, network)
    return model


def read_archive(path: Path) -> GAN:
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


def _describe(model: GAN, name: str, arguments: dict, folder: Path) -> None:
    files.make_folder(folder)
    facts = {
        "model_name": name,
        "model": arguments | model.arguments,
        "generators": list(model.generators()),
        "class_names": list(model.class_names),
    }
    files.write_text(folder / _CONFIG, json.dumps(facts, indent=2) + "\n")


def _class_names(folder: Path, saved: dict) -> tuple[str, ...]:
    """Those that a model was saved with; of an older one, those that its run has recorded."""
    names, run = saved.get("class_names"), run_of(folder)
    return tuple(names or (run.read_facts() if run else {}).get("class_names", ()))


def _description(folder: Path) -> dict:
    """What `save` wrote about the model in a folder."""
    path = folder / _CONFIG
    with files.explain_damage(path, "Expected what describes a model."):
        return dict(json.loads(path.read_text(encoding="utf-8")))
