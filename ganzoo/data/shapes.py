"""Bundled drawings, each a pure function of its index and size; see `ganzoo.data.drawn`.

One colored shape on a dark background that is lighter above than below. Everything that varies
is a known factor (`factors`). Rotation stays within 20 degrees, and light comes from above, so
that a turn by 90 degrees can be recognized: rotation is a pretext task of
self-supervised GANs. Only correctly rounded operations (no `sin` of an array) are used, hence
the bytes are equal on every machine.

The same scene can be drawn in several looks, so that much about an image is known:

- "solid": the shape in its color, on its background;
- "striped": it wears dark stripes over its color;
- "outline": both sides of its outline, each in its own color, on white;
- "mask": 1 inside of it, else 0.
"""

import math

import numpy as np

from ganzoo.data.hashing import hash64

COUNT = 50_000
LOOKS = ("solid", "striped", "outline", "mask")

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
VERSION = 1
_PERIOD = np.float32(0.5)  # of the stripes, in radii of the shape
DARK = np.float32(0.4)  # a dark stripe, times the color of the shape
_LINE = np.float32(0.02)  # of an outline, on either side, in image sides


def factors(indices: np.ndarray) -> dict[str, np.ndarray]:
    """The known factors of the images at `indices`, each `[n]`.

    Returns:
        `shape`, `color`, `background`: int32 positions in `SHAPES`, `COLORS`, `BACKGROUNDS`;
        `rotation`: int32 degrees, counterclockwise; `radius`, `x`, `y`: float32 in image sides,
        the circumscribed circle and its center, from the left and from the top.
    """
    bits = [hash64(VERSION, np.asarray(indices), stream) for stream in range(7)]
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


def attributes(indices: np.ndarray) -> np.ndarray:
    """What is true of the scenes at `indices`, in the order of `ATTRIBUTES`: float32 `[n, K]`."""
    known = factors(indices)
    tables = {"shape": SHAPES, "color": COLORS, "background": BACKGROUNDS}
    columns = [known[name][:, None] == np.arange(len(table)) for name, table in tables.items()]
    columns += [(known["radius"] > _MIDDLE)[:, None]]
    columns += [(known[axis] < 0.5)[:, None] for axis in "xy"]
    return np.concatenate(columns, axis=1).astype(np.float32)


def captions(indices: np.ndarray) -> list[str]:
    """The scenes at `indices` in words, as in "a small red star on a navy background"."""
    known = factors(indices)
    names = [
        [list(table)[i] for i in known[name]]
        for name, table in (("color", COLORS), ("shape", SHAPES), ("background", BACKGROUNDS))
    ]
    sizes = ["large" if radius > _MIDDLE else "small" for radius in known["radius"]]
    return [
        f"a {size} {color} {shape} on a {ground} background"
        for size, color, shape, ground in zip(sizes, *names, strict=True)
    ]


def draw(
    indices: np.ndarray, image_size: int, channels: int = 3, look: str = "solid"
) -> np.ndarray:
    """The scenes at `indices`, uint8 `[n, image_size, image_size, channels]`; a mask has 1 channel.

    Args:
        indices: `[n]`.
        image_size: in pixels.
        channels: 1 (grey) or 3 (RGB).
        look: one of `LOOKS`.
    """
    known, channels = factors(indices), 1 if look == "mask" else channels
    images = np.empty((len(known["shape"]), image_size, image_size, channels), np.uint8)
    order = np.argsort(known["shape"], kind="stable")
    step = max(1, _CHUNK_PIXELS // image_size**2)
    for start in range(0, len(order), step):
        chunk = order[start : start + step]
        some = {k: v[chunk] for k, v in known.items()}
        images[chunk] = _draw_chunk(some, image_size, channels, look)
    return images


def _draw_chunk(known: dict[str, np.ndarray], size: int, channels: int, look: str) -> np.ndarray:
    distance = _distance(known, size) * np.float32(size)
    coverage = np.clip(0.5 - distance, 0, 1)
    if look == "mask":
        return (coverage >= 0.5)[..., None]
    brightness = _stripes(known, size) if look == "striped" else np.float32(1)
    width = np.float32(max(_LINE * size, 1.5))  # pixels; thinner ones lose their colors
    line = np.clip(width + np.float32(0.5) - np.abs(distance), 0, 1) if look == "outline" else None
    paint = _palette(COLORS, channels)[known["color"]]
    ground = _palette(BACKGROUNDS, channels)[known["background"]]
    centers = _pixel_centers(size)
    light = np.float32(1) + _LIGHT * (np.float32(1) - np.float32(2) * centers)
    images = np.empty((*coverage.shape, channels), np.uint8)
    for c in range(channels):  # plane by plane is nearly twice as fast as broadcasting
        below = (ground[:, c, None] * light)[:, :, None]
        plane = below + coverage * (paint[:, c, None, None] * brightness - below)
        if line is not None:
            plane = np.float32(255) + line * (plane - np.float32(255))
        images[..., c] = plane + np.float32(0.5)
    return images


def _stripes(known: dict[str, np.ndarray], size: int) -> np.ndarray:
    """Brightness of the color, from `DARK` to 1: upright stripes, turned with the shape, bright in
    its middle; float32 `[n, H, W]`."""
    across, _ = coordinates(known, size)
    periods = across / _PERIOD
    # From 0 in the middle of a bright stripe to 1/2 in the middle of a dark one.
    phase = np.abs(periods - np.floor(periods + np.float32(0.5)))
    radius = known["radius"][:, None, None]
    pixels = (phase - np.float32(0.25)) * _PERIOD * radius * np.float32(size)
    darkness = np.clip(pixels + np.float32(0.5), 0, 1)
    return np.float32(1) - (np.float32(1) - DARK) * darkness


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

_MIDDLE = 0.255  # radius, of which half of the shapes have more
ATTRIBUTES = (*SHAPES, *COLORS, *BACKGROUNDS, "large", "left", "upper")
