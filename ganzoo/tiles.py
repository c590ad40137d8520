"""Large images through networks that were made for small ones, piece by piece."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ganzoo.errors import UserError

_BLEND = 16  # pixels over which neighboring tiles are blended


class _Span(NamedTuple):
    """A tile along one side of an image, and the weight of each of its outputs.

    The weight is 0 in the overlap and rises beside it, where there is a neighbor; those of all
    tiles are 1 together.
    """

    start: int
    stop: int
    weights: np.ndarray


def tiled(
    function: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    *,
    tile: int,
    overlap: int,
    scale: int = 1,
    multiple: int = 1,
    least: int = 1,
    batch: int = 1,
) -> Iterator[np.ndarray]:
    """Applies a fully convolutional network to an image of any size, in tiles where it is large.

    The image is mirrored at its borders up to a multiple of `multiple`, and to `least`. Along the
    edges that a tile has inside the image, `overlap` pixels are thrown away, and the next 16 are
    blended linearly with its neighbor. So the result is that of the whole image if the network
    looks no further than `overlap` pixels around; otherwise, its seams are soft.

    Args:
        function: `[n, h, w, C] -> [n, scale * h, scale * w, C']`, for sides that are multiples.
        image: `[H, W, C]`, of any size.
        tile: the largest side of what `function` is given, in pixels.
        overlap: pixels of context along the inner edges of a tile.
        scale: side of an output over that of its input.
        multiple: what the sides of an input must be multiples of.
        least: what they must at least be, a multiple of `multiple`.
        batch: how many tiles `function` is given at once, where as many lie side by side.

    Yields:
        the result from the top on, some rows at a time: `[h, scale * W, C']`, float32.

    Raises:
        UserError: when a tile has no room beside its overlap.
    """
    step = (tile - 2 * overlap - _BLEND) // multiple * multiple
    if step <= 0:
        smallest = 2 * overlap + _BLEND + multiple
        raise UserError(f"tile = {tile}: this model needs tiles of at least {smallest} pixels")
    height, width = image.shape[:2]
    image = _padded(image, multiple, least)
    tile = tile // multiple * multiple
    rows, columns = (_spans(side, tile, step, overlap, scale) for side in image.shape[:2])
    ends = [*(row.start for row in rows[1:]), height]  # of what no further tile reaches
    carried = np.zeros([0, 1, 1], np.float32)
    for row, end in zip(rows, ends, strict=True):
        strip = _strip(function, image[row.start : row.stop], columns, scale, batch)
        strip *= row.weights[:, None, None]
        strip[: len(carried)] += carried
        done = (end - row.start) * scale
        yield strip[:done, : width * scale]
        carried = strip[done:].copy()
        del strip  # or there would be two while the next one is made


def _strip(
    function: Callable, image: np.ndarray, columns: Sequence[_Span], scale: int, batch: int
) -> np.ndarray:
    """Tiles side by side, blended: `[scale * h, scale * W, C']`, float32."""
    strip = None
    for first in range(0, len(columns), batch):
        chosen = columns[first : first + batch]
        parts = function(np.stack([image[:, span.start : span.stop] for span in chosen]))
        for span, part in zip(chosen, parts, strict=True):
            if strip is None:
                strip = np.zeros([len(part), image.shape[1] * scale, part.shape[-1]], np.float32)
            strip[:, span.start * scale : span.stop * scale] += span.weights[:, None] * part
    return strip


def _padded(image: np.ndarray, multiple: int, least: int) -> np.ndarray:
    """The image with its right and bottom edges mirrored up to a multiple, and to the least."""
    missing = [(0, max(-side % multiple, least - side)) for side in image.shape[:2]]
    # A single row or column has nothing to mirror.
    mode = "reflect" if min(image.shape[:2]) > max(end for _, end in missing) else "edge"
    return np.pad(image, [*missing, (0, 0)], mode=mode)


def _spans(side: int, tile: int, step: int, overlap: int, scale: int) -> list[_Span]:
    """The tiles along a side; the last one ends where the side does."""
    size, total = min(side, tile), np.zeros(side * scale, np.float32)
    starts = [*range(0, side - size, step), side - size]
    distance = (np.arange(size * scale, dtype=np.float32) + 0.5) / scale
    rise = np.clip((distance - overlap) / _BLEND, 0.0, 1.0)
    ramps = []
    for start in starts:
        before, after = rise if start else 1.0, rise[::-1] if start + size < side else 1.0
        ramps.append(np.minimum(before, after) * np.ones_like(rise))
        total[start * scale :][: size * scale] += ramps[-1]
    return [
        _Span(start, start + size, ramp / total[start * scale :][: size * scale])
        for start, ramp in zip(starts, ramps, strict=True)
    ]
