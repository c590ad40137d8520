"""Makes the pictures in `docs/images` that need nothing but ganzoo: python docs/pictures.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ganzoo import bicubic, models
from ganzoo import images as pictures
from ganzoo.data import shapes, solid2striped

FOLDER = Path(__file__).parent / "images"
SCENES = np.array([2, 5, 11, 17, 23]) + solid2striped.SPLITS["test"].start
HEIGHT, GAP = 192, 14  # of the strip, and between its parts, in pixels


def digits(count: int, columns: int) -> np.ndarray:
    """Digits of one seed."""
    images = models.load("dcgan_mnist").generate(count, seed=3)
    return pictures.grid(pictures.to_uint8(images), columns=columns)


def translations(striped: bool, chosen: list[int]) -> np.ndarray:
    """Scenes of one domain, then what they become in the other one."""
    scenes = SCENES[chosen] + 30 * striped
    images = solid2striped.draw(scenes, 64, channels=3, striped=striped)
    direction = "b2a" if striped else "a2b"
    translated = models.load("cyclegan_solid2striped").translate(images, direction)
    return np.concatenate([images, translated])


def enlargements(drawing: int) -> list[np.ndarray]:
    """A small drawing enlarged by bicubic interpolation and by SRResNet, and the large one."""
    large = shapes.draw(np.array([drawing]), 128, channels=3)[0]
    small = bicubic.downscale(large, 4)
    return [bicubic.enlarge(small, 4), models.load("srresnet_x4").upscale(small), large]


def strip() -> np.ndarray:
    """The parts side by side, in the middle of the height."""
    parts = [
        digits(36, columns=6).repeat(3, axis=-1),
        pictures.grid(translations(False, [0, 1, 2]), columns=3),
        pictures.grid(translations(True, [0, 2, 3]), columns=3),
        pictures.grid(np.stack(enlargements(4)[:2]), columns=2),
    ]
    return np.concatenate([_framed(part) for part in parts], axis=1)[:, :-GAP]


def _framed(part: np.ndarray) -> np.ndarray:
    """White above, below, and on the right."""
    above = (HEIGHT - len(part)) // 2
    rows = (above, HEIGHT - len(part) - above)
    return np.pad(part, [rows, (0, GAP), (0, 0)], constant_values=255)


def all_pictures() -> dict[str, np.ndarray]:
    """Pictures by the names of their files."""
    both = np.concatenate([translations(striped, [*range(5)]) for striped in (False, True)])
    return {
        "dcgan_mnist": digits(40, columns=10),
        "cyclegan_solid2striped": pictures.grid(both, columns=5),
        "srresnet_x4": pictures.grid(np.stack(enlargements(4) + enlargements(9)), columns=6),
        "strip": strip(),
    }


if __name__ == "__main__":
    for name, picture in all_pictures().items():
        pictures.save(picture, FOLDER / f"{name}.png")
