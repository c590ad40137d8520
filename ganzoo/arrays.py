"""Files of named arrays: NumPy's .npz, and the .h5 in which Keras keeps weights by layer."""

from __future__ import annotations

import zipfile
from pathlib import Path

import h5py
import numpy as np


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file; nothing in it is executed.

    Of an .h5, kernels and biases become `{layer}__kernel` and `{layer}__bias`.

    Raises:
        ValueError: for a file that is missing, damaged, or of another kind.
    """
    try:
        if path.suffix == ".npz":
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        with h5py.File(path) as file:
            arrays = {}
            groups = {name: part for name, part in file.items() if isinstance(part, h5py.Group)}
            for layer, group in groups.items():
                for value in map(np.asarray, group.values()):
                    arrays[f"{layer}__{'kernel' if value.ndim == 4 else 'bias'}"] = value
            return arrays
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from error
