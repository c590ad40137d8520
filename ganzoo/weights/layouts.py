"""Where each array of a published file belongs in a network, and in which order of axes."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from ganzoo.errors import UserError


@dataclasses.dataclass(frozen=True, eq=False)
class Entry:
    """One array.

    Attributes:
        variable: of our network, built.
        name: of the array in the file.
        to_ours: from the array of the file to that of the variable.
        to_theirs: the way back.
        transposed: whether it is the kernel of a transposed convolution.
    """

    variable: object
    name: str
    to_ours: Callable[[np.ndarray], np.ndarray]
    to_theirs: Callable[[np.ndarray], np.ndarray]
    transposed: bool = False


def same(variable, name: str) -> Entry:
    """An array as it is."""
    return Entry(variable, name, np.asarray, np.asarray)


def reordered(variable, name: str, axes: tuple[int, ...], transposed=False) -> Entry:
    """An array of the file with its axes in another order: ours[i] is theirs[axes[i]]."""
    back = tuple(np.argsort(axes))
    return Entry(
        variable, name, lambda a: a.transpose(axes), lambda a: a.transpose(back), transposed
    )


def convolution(layer, name: str, weight: str = "weight") -> list[Entry]:
    """Theirs: `{name}.weight` [out, in, k, k], and `{name}.bias` if ours has one."""
    return [reordered(layer.kernel, f"{name}.{weight}", (2, 3, 1, 0)), *_bias(layer, name)]


def transposed(layer, name: str) -> list[Entry]:
    """Theirs: `{name}.weight` [in, out, k, k] of a transposed convolution, and its bias."""
    kernel = reordered(layer.kernel, f"{name}.weight", (2, 3, 1, 0), transposed=True)
    return [kernel, *_bias(layer, name)]


def dense(layer, name: str) -> list[Entry]:
    """Theirs: `{name}.weight` [out, in], and its bias."""
    return [reordered(layer.kernel, f"{name}.weight", (1, 0)), *_bias(layer, name)]


def dense_of_maps(layer, name: str, side: int) -> list[Entry]:
    """Theirs reads feature maps of this side, flattened channel by channel; ours pixel by pixel."""
    rows, columns = layer.kernel.shape
    channels = rows // side**2

    def to_ours(a):
        maps = a.reshape(columns, channels, side, side)
        return maps.transpose(2, 3, 1, 0).reshape(rows, columns)

    def to_theirs(a):
        maps = a.reshape(side, side, channels, columns)
        return maps.transpose(3, 2, 0, 1).reshape(columns, rows)

    return [Entry(layer.kernel, f"{name}.weight", to_ours, to_theirs), *_bias(layer, name)]


def dense_to_maps(layer, name: str, side: int) -> list[Entry]:
    """Theirs makes feature maps of this side, channel by channel; ours pixel by pixel."""
    rows, columns = layer.kernel.shape
    shape = (columns // side**2, side, side)

    def to_ours(a):
        return a.reshape(*shape, -1).transpose(3, 1, 2, 0).reshape(rows, columns)

    def to_theirs(a):
        maps = a.reshape(rows, side, side, -1)
        return maps.transpose(3, 1, 2, 0).reshape(columns, rows)

    entries = [Entry(layer.kernel, f"{name}.weight", to_ours, to_theirs)]
    if layer.bias is not None:
        entries.append(maps_of(layer.bias, f"{name}.bias", side))
    return entries


def maps_of(variable, name: str, side: int) -> Entry:
    """A flat array of feature maps: theirs channel by channel, ours pixel by pixel."""
    return Entry(
        variable,
        name,
        lambda a: a.reshape(-1, side, side).transpose(1, 2, 0).ravel(),
        lambda a: a.reshape(side, side, -1).transpose(2, 0, 1).ravel(),
    )


def normalization(layer, name: str) -> list[Entry]:
    """Scale and offset, and the moving averages of batch normalization; nothing for a layer without
    weights.

    Raises:
        ValueError: where they are networks of a condition.
    """
    if not hasattr(layer, "gamma"):
        return []
    if not hasattr(layer.gamma, "value"):
        raise ValueError(f"{layer.name} depends on latents or classes")
    entries = [same(layer.gamma, f"{name}.weight"), same(layer.beta, f"{name}.bias")]
    if hasattr(layer, "moving_mean"):
        entries.append(same(layer.moving_mean, f"{name}.running_mean"))
        entries.append(same(layer.moving_variance, f"{name}.running_var"))
    return entries


def slope(layer, name: str) -> Entry:
    """A PReLU: theirs has one slope for all channels."""

    def to_theirs(a):
        if np.ptp(a) > 0:
            raise ValueError(f"{layer.name} has a slope for each channel")
        return a.ravel()[:1]

    shape = layer.alpha.shape
    return Entry(layer.alpha, f"{name}.weight", lambda a: np.broadcast_to(a, shape), to_theirs)


def scaled(entry: Entry, factor: float) -> Entry:
    """Ours is so many times theirs."""
    return dataclasses.replace(
        entry,
        to_ours=lambda a: entry.to_ours(a) * factor,
        to_theirs=lambda a: entry.to_theirs(a) / factor,
    )


def assign(entries: Iterable[Entry], arrays: Mapping[str, np.ndarray], ignored=r".*") -> None:
    """Gives the variables the arrays of a file.

    Args:
        entries: of the network.
        arrays: of the file.
        ignored: a pattern of the names that may be left over.

    Raises:
        UserError: when an array is missing, has another shape, or is left over: nothing is
            assigned then, since the network would be another one than the file's.
    """
    entries, missing = list(entries), []
    others = arrays.keys() - {entry.name for entry in entries}
    others = sorted(name for name in others if not re.fullmatch(ignored, name))
    if others:
        raise UserError(
            f"The file holds {len(others)} arrays that this network does not have, such as"
            f" {', '.join(others[:3])}; it is of another kind"
        )
    for entry in entries:
        expected = entry.to_theirs(np.zeros(entry.variable.shape)).shape
        if entry.name not in arrays:
            missing.append(f"{entry.name} {expected} is missing")
        elif arrays[entry.name].shape != expected:
            missing.append(f"{entry.name} has the shape {arrays[entry.name].shape}, not {expected}")
    if missing:
        more = f"\n  ... and {len(missing) - 5} more" if len(missing) > 5 else ""
        lines = "\n  ".join(missing[:5])
        raise UserError(f"The file's arrays are not those of this network:\n  {lines}{more}")
    for entry in entries:
        entry.variable.assign(entry.to_ours(np.asarray(arrays[entry.name], np.float32)))


def export(entries: Iterable[Entry]) -> dict[str, np.ndarray]:
    """The variables as the arrays of a file."""
    arrays = {entry.name: entry.to_theirs(np.asarray(entry.variable)) for entry in entries}
    return {name: np.array(array, order="C") for name, array in arrays.items()}


def _bias(layer, name: str) -> list[Entry]:
    has_bias = getattr(layer, "use_bias", True) and getattr(layer, "bias", None) is not None
    return [same(layer.bias, f"{name}.bias")] if has_bias else []
