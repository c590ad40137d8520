"""The bundled data set `shapes`: 50,000 drawings, each a pure function of its index and size.

One colored shape on a dark background that is lighter above than below. Everything that varies
is a known factor (`factors`). Rotation stays within 20 degrees, and light comes from above, so
that an image turned by 90 degrees can be told from an upright one: rotation is a pretext task of
self-supervised GANs. Only correctly rounded operations (no `sin` of an array) are used, hence
the bytes are equal on every machine.
"""

import hashlib
import math
from collections.abc import Callable

import numpy as np

from ganzoo.data.hashing import hash64
from ganzoo.data.source import Source
from ganzoo.errors import UserError

COUNT = 50_000
MIN_SIZE, MAX_SIZE = 16, 256

COLORS = {
    "red": (230, 50, 50),
    "orange": (250, 145, 30),
    "yellow": (250, 225, 70),
    "green": (60, 185, 75),
    "cyan": (70, 210, 230),
    "blue": (70, 110, 240),
    "magenta": (225, 75, 205),
    "white": (245, 245, 245),
}
BACKGROUNDS = {
    "charcoal": (44, 46, 52),
    "navy": (22, 32, 66),
    "forest": (20, 50, 42),
    "plum": (56, 26, 48),
}
MAX_ROTATION = 20  # degrees, either way
_MARGIN = 0.03  # smallest gap between a shape and the border, in image sides
_LIGHT = np.float32(0.35)  # how much lighter than its name a background is at the top
_LUMA = np.float32([0.299, 0.587, 0.114])
_CHUNK_PIXELS = 1 << 14  # drawn at once, so that the intermediate arrays stay in the CPU's cache
_VERSION = 1


def factors(indices: np.ndarray) -> dict[str, np.ndarray]:
    """The known factors of the images at `indices`, each `[n]`.

    Returns:
        `shape`, `color`, `background`: int32 positions in `SHAPES`, `COLORS`, `BACKGROUNDS`;
        `rotation`: int32 degrees, counterclockwise; `radius`, `x`, `y`: float32 in image sides,
        the circumscribed circle and its center, from the left and from the top.
    """
    bits = [hash64(_VERSION, np.asarray(indices), stream) for stream in range(7)]
    radius = 0.18 + 0.15 * _uniform(bits[0])
    room = 1 - 2 * (radius + _MARGIN)
    return {
        "shape": _below(bits[1], len(SHAPES)),
        "color": _below(bits[2], len(COLORS)),
        "background": _below(bits[3], len(BACKGROUNDS)),
        "rotation": _below(bits[4], 2 * MAX_ROTATION + 1) - MAX_ROTATION,
        "radius": radius.astype(np.float32),
        "x": (radius + _MARGIN + room * _uniform(bits[5])).astype(np.float32),
        "y": (radius + _MARGIN + room * _uniform(bits[6])).astype(np.float32),
    }


def _uniform(bits: np.ndarray) -> np.ndarray:
    return (bits >> np.uint64(11)) * 2.0**-53


def _below(bits: np.ndarray, bound: int) -> np.ndarray:
    return (bits % np.uint64(bound)).astype(np.int32)


def draw(
    indices: np.ndarray,
    image_size: int,
    channels: int = 3,
    shade: Callable[[dict[str, np.ndarray], int], np.ndarray] | None = None,
) -> np.ndarray:
    """The images at `indices`, uint8 `[n, image_size, image_size, channels]`.

    Args:
        indices: `[n]`.
        image_size: in pixels.
        channels: 1 (grey) or 3 (RGB).
        shade: makes of factors and size what the color of a shape is multiplied by, from 0 to 1,
            float32 `[n, H, W]`; None leaves it alone.
    """
    known = factors(indices)
    images = np.empty((len(known["shape"]), image_size, image_size, channels), np.uint8)
    order = np.argsort(known["shape"], kind="stable")
    step = max(1, _CHUNK_PIXELS // image_size**2)
    for start in range(0, len(order), step):
        chunk = order[start : start + step]
        some = {k: v[chunk] for k, v in known.items()}
        images[chunk] = _draw_chunk(some, image_size, channels, shade)
    return images


def _draw_chunk(known: dict[str, np.ndarray], size: int, channels: int, shade) -> np.ndarray:
    coverage = np.clip(0.5 - _distance(known, size) * np.float32(size), 0, 1)
    brightness = shade(known, size) if shade else np.float32(1)
    paint = _palette(COLORS, channels)[known["color"]]
    ground = _palette(BACKGROUNDS, channels)[known["background"]]
    centers = _pixel_centers(size)
    light = np.float32(1) + _LIGHT * (np.float32(1) - np.float32(2) * centers)
    images = np.empty((*coverage.shape, channels), np.uint8)
    for c in range(channels):  # plane by plane is nearly twice as fast as broadcasting
        below = (ground[:, c, None] * light)[:, :, None]
        plane = below + coverage * (paint[:, c, None, None] * brightness - below)
        images[..., c] = plane + np.float32(0.5)
    return images


def _pixel_centers(size: int) -> np.ndarray:
    return (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)


def _palette(colors: dict[str, tuple[int, int, int]], channels: int) -> np.ndarray:
    table = np.float32(list(colors.values()))
    if channels == 3:
        return table
    return (table[:, :1] * _LUMA[0] + table[:, 1:2] * _LUMA[1]) + table[:, 2:] * _LUMA[2]


def _distance(known: dict[str, np.ndarray], size: int) -> np.ndarray:
    """Signed distance to the outline in image sides, negative inside: float32 `[n, H, W]`."""
    (x, y), outlines = coordinates(known, size), tuple(SHAPES.values())
    distance = np.empty_like(x)
    for i in np.unique(known["shape"]):
        chosen = known["shape"] == i
        distance[chosen] = outlines[i](x[chosen], y[chosen])
    return distance * known["radius"][:, None, None]


def coordinates(known: dict[str, np.ndarray], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel as the shape sees it: right of its center and above it, in radii; `[n, H, W]`."""
    centers = _pixel_centers(size)
    radius = known["radius"][:, None, None]
    dx = (centers - known["x"][:, None])[:, None, :] / radius
    dy = (known["y"][:, None] - centers)[:, :, None] / radius
    cos, sin = (_TURNS[known["rotation"] + MAX_ROTATION, i][:, None, None] for i in (0, 1))
    return dx * cos + dy * sin, dy * cos - dx * sin


# Tables of Python floats, rounded to float32, hide the last-bit differences between the
# mathematical libraries of different machines.
_TURNS = np.float32(
    [
        (math.cos(math.radians(a)), math.sin(math.radians(a)))
        for a in range(-MAX_ROTATION, MAX_ROTATION + 1)
    ]
)


# The shapes: signed distances to outlines inside the unit circle, y pointing up. They are exact
# near the edges, which is where anti-aliasing looks at them; all are symmetric in x.


def _circle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(x * x + y * y) - np.float32(0.9)


def _square(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(x), np.abs(y)) - np.float32(0.75)


def _triangle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    slanted = np.float32(math.sqrt(0.75)) * np.abs(x) + np.float32(0.5) * y
    return np.maximum(slanted, -y) - np.float32(0.5)


def _star(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Three reflections fold the ten half-points onto one, whose edge is a straight line."""
    inner, cos, sin = 0.45, math.cos(math.pi / 5), math.sin(math.pi / 5)
    x = np.abs(x)
    for side in (1, -1):
        over = np.float32(2) * np.maximum(np.float32(side * cos) * x - np.float32(sin) * y, 0)
        x, y = x - over * np.float32(side * cos), y + over * np.float32(sin)
    across, along = 1 - inner * cos, inner * sin
    norm = math.sqrt(across**2 + along**2)
    return np.float32(across / norm) * np.abs(x) + np.float32(along / norm) * (y - np.float32(1))


def _heart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A square standing on a corner and, centered on each upper edge, a circle."""
    half = np.float32(0.75)  # of the square's diagonal
    x, y = np.abs(x), y + np.float32(0.1)
    square = (x + np.abs(y) - half) * np.float32(math.sqrt(0.5))
    x, y = x - half / np.float32(2), y - half / np.float32(2)
    lobe = np.sqrt(x * x + y * y) - half * np.float32(math.sqrt(0.5))
    return np.minimum(square, lobe)


SHAPES = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "heart": _heart,
}


class ShapesSource(Source):
    """`shapes`, drawn when read; the label is the shape."""

    def __len__(self) -> int:
        return COUNT

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        indices = np.asarray(indices)
        if indices.size and not 0 <= indices.min() <= indices.max() < COUNT:
            raise IndexError(f"shapes has the indices 0 to {COUNT - 1}, got {indices}.")
        labels = factors(indices)["shape"] if self.num_classes else np.zeros(len(indices), np.int32)
        return draw(indices, self.image_size, self.channels), labels


def open_shapes(image_size: int, channels: int, split: str, labels: bool) -> ShapesSource:
    """The `shapes` data set; raises `UserError` for a size, channels or split it does not have."""
    if not MIN_SIZE <= image_size <= MAX_SIZE:
        raise UserError(f"shapes is drawn at {MIN_SIZE} to {MAX_SIZE} px, got {image_size}.")
    if split != "train":
        raise UserError(f"shapes has the one split 'train', got {split!r}.")
    settings = f"shapes {_VERSION} {image_size} {channels} {labels}"
    return ShapesSource(
        name="shapes",
        image_size=image_size,
        channels=channels,
        num_classes=len(SHAPES) if labels else 0,
        class_names=tuple(SHAPES) if labels else (),
        fingerprint=hashlib.sha256(settings.encode()).hexdigest(),
        preparation={"drawn_at": image_size, "channels": channels, "version": _VERSION},
    )
