"""Checkpoints: everything a training needs to go on, one file per saved step.

A checkpoint is Keras' own weights file (HDF5, data only) of the whole `GAN`: networks, averages,
optimizers and the step. All random numbers and the order of the data follow from the step, so
nothing else is needed.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ganzoo import files
from ganzoo.engine import GAN
from ganzoo.errors import UserError

_NAME = re.compile(r"step-(\d{9})\.weights\.h5")


def saved_steps(folder: Path) -> list[int]:
    """The steps that `folder` has checkpoints of, ascending."""
    names = (_NAME.fullmatch(path.name) for path in folder.glob("step-*"))
    return sorted(int(match[1]) for match in names if match)


def path_of(folder: Path, step: int) -> Path:
    """The file of one step's checkpoint."""
    return folder / f"step-{step:09d}.weights.h5"


def save(model: GAN, folder: Path, keep: int) -> Path:
    """Writes a checkpoint, whole or not at all, then removes all but the newest `keep`.

    Raises:
        UserError: when the disk is full; earlier checkpoints stay as they are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = path_of(folder, int(model.step.numpy()))
    files.write_atomically(target, model.save_weights)
    for step in saved_steps(folder)[:-keep]:
        path_of(folder, step).unlink()
    return target


def require_finite(model: GAN, folder: Path) -> None:
    """Raises UserError if a weight is no number any more, before it is saved over good ones."""
    broken = [v.path for v in model.trainable_variables if not np.isfinite(v.numpy()).all()]
    if not broken:
        return
    steps, start = saved_steps(folder), ""
    if steps:
        start = f", from the weights of step {steps[-1]:,} with --init_from={folder.parent}"
    raise UserError(
        f"{len(broken)} weights, such as {broken[0]}, are not finite at step"
        f" {int(model.step.numpy()):,}: the training has diverged, and what came of it was not"
        f" saved. Begin another run with a lower learning rate or --precision=float32{start}."
    )


def restore_latest(model: GAN, folder: Path) -> int:
    """Loads the newest checkpoint, if there is one, and returns the step to go on from.

    Raises:
        UserError: when the file is damaged or of another model.
    """
    steps = saved_steps(folder)
    if steps:
        load_weights(model, path_of(folder, steps[-1]))
    return steps[-1] if steps else 0


def load_weights(model, path: Path) -> None:
    """Loads a weights file into a Keras model or layer; raises UserError when it does not fit."""
    try:
        model.load_weights(path)
    except (OSError, KeyError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(
            f"{path} cannot be loaded: it is damaged or of another model ({reason}). Remove it to"
            " go on from the checkpoint before it, or give --restart to begin anew."
        ) from error
