"""Files of named arrays: NumPy's .npz, and the .h5 in which Keras keeps weights by layer."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import h5py
import keras
import numpy as np


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file; nothing in it is executed.

    Of an .h5, kernels and biases become `{layer}__kernel` and `{layer}__bias`, with `__` for each
    `/` in the name of a layer.

    Raises:
        ValueError: for a file that is missing, damaged, or of another kind.
    """
    try:
        if path.suffix == ".npz":
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        with h5py.File(path) as file:
            arrays = {}
            for layer in _texts(file, "layer_names"):
                for weight in _texts(file[layer], "weight_names"):
                    value = np.asarray(file[layer][weight])
                    kind = "kernel" if value.ndim == 4 else "bias"
                    arrays[f"{layer.replace('/', '__')}__{kind}"] = value
            return arrays
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(str(error)) from error


def assign(network: keras.Model, values: Mapping[str, np.ndarray]) -> None:
    """Sets each variable to the array `{layer}__{variable}`.

    Raises:
        ValueError: when one is missing, or has another shape.
    """
    for layer in network.layers:
        for variable in layer.weights:
            key = f"{layer.name}__{variable.name}"
            if key not in values:
                raise ValueError(f"{key} is missing")
            if values[key].shape != tuple(variable.shape):
                raise ValueError(f"{key} has the shape {values[key].shape}, not {variable.shape}")
            variable.assign(values[key])


def _texts(group: h5py.Group, name: str) -> list[str]:
    """The words in an attribute, which h5py gives as bytes or text."""
    return [word.decode() if isinstance(word, bytes) else word for word in group.attrs[name]]
