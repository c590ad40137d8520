"""Large images through networks that were made for small ones, piece by piece."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from ganzoo.errors import UserError

_BLEND = 16  # pixels over which neighboring tiles are blended


def apply_tiled(
    function: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    *,
    tile: int,
    overlap: int,
    scale: int = 1,
    multiple: int = 1,
    least: int = 1,
) -> np.ndarray:
    """Applies a fully convolutional network to an image of any size, in tiles where it is large.

    The image is mirrored at its borders up to a multiple of `multiple`, and to `least`. Along the
    edges that a tile has inside the image, `overlap` pixels are thrown away, and the next 16 are
    blended linearly with its neighbor. So the result is that of the whole image if the network
    looks no further than `overlap` pixels around; otherwise, its seams are soft.

    Args:
        function: `[1, h, w, C] -> [1, scale * h, scale * w, C']`, for sides that are multiples.
        image: `[H, W, C]`, of any size.
        tile: the largest side of what `function` is given, in pixels.
        overlap: pixels of context along the inner edges of a tile.
        scale: side of an output over that of its input.
        multiple: what the sides of an input must be multiples of.
        least: what they must at least be, a multiple of `multiple`.

    Returns:
        `[scale * H, scale * W, C']`, float32.

    Raises:
        UserError: when a tile has no room beside its overlap.
    """
    step = (tile - 2 * overlap - _BLEND) // multiple * multiple
    if step <= 0:
        smallest = 2 * overlap + _BLEND + multiple
        raise UserError(f"tile = {tile}: this model needs tiles of at least {smallest} pixels")
    height, width = image.shape[:2]
    image = _padded(image, multiple, least)
    sides = image.shape[:2]
    spans = [_spans(side, tile // multiple * multiple, step) for side in sides]
    total, weight = None, np.zeros((sides[0] * scale, sides[1] * scale, 1), np.float32)
    for place in itertools.product(*spans):
        part = function(image[None, slice(*place[0]), slice(*place[1])])[0]
        ramps = [_ramp(span, side, overlap, scale) for span, side in zip(place, sides, strict=True)]
        window = np.outer(*ramps)[..., None]
        if total is None:
            total = np.zeros((*weight.shape[:2], part.shape[-1]), np.float32)
        where = tuple(slice(start * scale, stop * scale) for start, stop in place)
        total[where] += window * part
        weight[where] += window
    return (total / weight)[: height * scale, : width * scale]


def _padded(image: np.ndarray, multiple: int, least: int) -> np.ndarray:
    """The image with its right and bottom edges mirrored up to a multiple, and to the least."""
    missing = [(0, max(-side % multiple, least - side)) for side in image.shape[:2]]
    # A single row or column has nothing to mirror.
    mode = "reflect" if min(image.shape[:2]) > max(end for _, end in missing) else "edge"
    return np.pad(image, [*missing, (0, 0)], mode=mode)


def _spans(side: int, tile: int, step: int) -> list[tuple[int, int]]:
    """Starts and ends of the tiles along a side; the last one ends where the side does."""
    if side <= tile:
        return [(0, side)]
    return [(start, start + tile) for start in (*range(0, side - tile, step), side - tile)]


def _ramp(span: tuple[int, int], side: int, overlap: int, scale: int) -> np.ndarray:
    """A tile's weight along one side: 0 in the overlap, then rising to 1; float32."""
    distance = (np.arange((span[1] - span[0]) * scale, dtype=np.float32) + 0.5) / scale
    rise = np.clip((distance - overlap) / _BLEND, 0.0, 1.0)
    whole = np.ones_like(rise)
    return np.minimum(rise if span[0] else whole, rise[::-1] if span[1] < side else whole)
