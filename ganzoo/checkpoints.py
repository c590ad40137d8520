"""Checkpoints: everything a training needs to go on, one file per saved step.

A checkpoint is Keras' own weights file (HDF5, data only) of the whole `GAN`: networks, averages,
optimizers and the step. All random numbers and the order of the data follow from the step, so
nothing else is needed. An attribute of the file has the SHA-256 of its arrays.
"""

import errno
import hashlib
import math
import os
import re
import shutil
import sys
from pathlib import Path

import h5py
import keras
import numpy as np

from ganzoo import files
from ganzoo.engine import GAN
from ganzoo.errors import UserError, first_line

_NAME = re.compile(r"step-(\d{9})\.weights\.h5")
_CHECKSUM = "ganzoo_sha256"
_OVERHEAD = 1 << 12  # bytes that HDF5 adds for an array, at most


class DamagedWeights(UserError):
    """A weights file that is cut, no HDF5 file, or has other content than its checksum says."""


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
        UserError: when the disk is full or read-only; earlier checkpoints stay as they are.
    """
    target = path_of(folder, int(model.step.numpy()))
    save_weights(model, target)
    for step in saved_steps(folder)[:-keep]:
        path_of(folder, step).unlink()
    return target


def require_finite(model: GAN, folder: Path) -> None:
    """Raises UserError if a number of the model or of its optimizers is not finite any more, before
    it is saved over good ones."""
    broken = [v.path for v in _variables(model) if not np.isfinite(v.numpy()).all()]
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


def restore_latest(model: GAN, folder: Path, set_aside: bool = False) -> int:
    """Loads the newest checkpoint that is not damaged, if there is any, and returns its step.

    With `set_aside`, damaged ones are renamed to `damaged-step-...`: training comes there again.

    Raises:
        UserError: when all are damaged, or one is of another model.
    """
    damaged = {}
    for step in reversed(saved_steps(folder)):
        path = path_of(folder, step)
        try:
            load_weights(model, path)
        except DamagedWeights as error:
            damaged[path] = str(error)
            continue
        if damaged:
            reasons = "\n".join(damaged.values())
            print(f"{reasons}\nUsing the checkpoint of step {step:,} instead.", file=sys.stderr)
        with files.explain_write_errors(folder):
            for other in damaged if set_aside else ():
                other.rename(other.with_name(f"damaged-{other.name}"))
        return step
    if damaged:
        raise UserError(
            "\n".join(damaged.values())
            + f"\nNo checkpoint in {folder} is left to go on from. Copy one from a backup, begin"
            f" another run with --init_from={folder.parent / 'model'}, or give --restart."
        )
    return 0


def save_weights(model, path: Path) -> None:
    """Writes `NAME.weights.h5` of a Keras model or layer with its checksum, whole or not at all.

    Raises:
        UserError: when the disk is full or the folder read-only; what was there before stays.
    """

    def write(temporary: Path) -> None:
        _require_space(model, temporary)
        model.save_weights(temporary)
        with h5py.File(temporary, "r+") as file:
            file.attrs[_CHECKSUM] = _checksum(file)

    files.make_folder(path.parent)
    files.write_atomically(path, write)


def _require_space(model, path: Path) -> None:
    """Raises OSError unless a file at `path` can hold the weights: HDF5 crashes where it cannot."""
    variables = _variables(model)
    size = sum(4 * math.prod(v.shape) + _OVERHEAD for v in variables) + _OVERHEAD
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        elif shutil.disk_usage(path.parent).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _variables(model) -> list[keras.Variable]:
    """All that a weights file holds."""
    optimizers = [o for o in vars(model).values() if isinstance(o, keras.optimizers.Optimizer)]
    found = {id(v): v for owner in (model, *optimizers) for v in owner.variables}
    return list(found.values())


def load_weights(model, path: Path) -> None:
    """Loads a weights file, or a .keras archive, into a Keras model or layer.

    Raises:
        DamagedWeights: when the file is damaged.
        UserError: when it cannot be read, or is of another model.
    """
    if path.suffix == ".h5":
        _verify(path)
    try:
        model.load_weights(path)
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            f"{path} cannot be loaded: it is damaged or of another model ({first_line(error)})."
            " Copy it again from where it was made; to train, give another --workdir, or --restart."
        ) from error


def _verify(path: Path) -> None:
    """Raises DamagedWeights unless a file has its checksum, or none, as files did at first."""
    try:
        with h5py.File(path) as file:
            expected = file.attrs.get(_CHECKSUM)
            if expected in (None, _checksum(file)):
                return
            reason = "its content does not match its checksum"
    except PermissionError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    except Exception as error:  # HDF5 raises nearly everything on damaged files
        reason = first_line(error)
    raise DamagedWeights(f"{path} is damaged ({reason}). Copy it again from where it was made.")


def _checksum(file: h5py.File) -> str:
    """SHA-256 of all arrays with their names, types and shapes, hexadecimal."""
    digest = hashlib.sha256()

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            digest.update(f"{name} {item.dtype} {item.shape} ".encode())
            digest.update(item[()].tobytes())

    file.visititems(add)
    return digest.hexdigest()
