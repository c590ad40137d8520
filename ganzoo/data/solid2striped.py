"""The bundled pair of domains `solid2striped`: a horse2zebra in miniature.

Domain a is `shapes`: one shape in a solid color. In domain b the same shape wears dark stripes over
its color. So the true translation of every image is known, and the quality of one is a number. In
training no scene is shown in both domains.
"""

import numpy as np

from ganzoo.data import shapes

COUNT = 10_000  # scenes of each domain in training
TEST_COUNT = 1_000
SPLITS = {
    "trainA": range(COUNT),
    "trainB": range(COUNT, 2 * COUNT),
    "test": range(2 * COUNT, 2 * COUNT + TEST_COUNT),
}
PERIOD = np.float32(0.5)  # of the stripes, in radii of the shape
DARK = np.float32(0.4)  # times the color of the shape


def draw(indices: np.ndarray, image_size: int, channels: int, striped: bool) -> np.ndarray:
    """The scenes at `indices` in one of the domains, uint8 `[n, image_size, image_size, channels]`.

    Args:
        indices: `[n]`; a scene is the same in both domains but for the stripes.
        image_size: in pixels.
        channels: 1 (grey) or 3 (RGB).
        striped: whether in domain b.
    """
    return shapes.draw(indices, image_size, channels, _stripes if striped else None)


def _stripes(known: dict[str, np.ndarray], size: int) -> np.ndarray:
    """Brightness of the color, from `DARK` to 1: upright stripes, turned with the shape, bright in
    its middle; float32 `[n, H, W]`."""
    across, _ = shapes.coordinates(known, size)
    periods = across / PERIOD
    # From 0 in the middle of a bright stripe to 1/2 in the middle of a dark one.
    phase = np.abs(periods - np.floor(periods + np.float32(0.5)))
    pixels = (phase - np.float32(0.25)) * PERIOD * known["radius"][:, None, None] * np.float32(size)
    darkness = np.clip(pixels + np.float32(0.5), 0, 1)
    return np.float32(1) - (np.float32(1) - DARK) * darkness
