"""Makes the pictures in `docs/images` that need nothing but ganzoo: python docs/pictures.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import cbook

from ganzoo import bicubic, models
from ganzoo import images as pictures
from ganzoo.data import drawn, shapes

FOLDER = Path(__file__).parent / "images"
SCENES = np.array([2, 5, 11, 17, 23]) + drawn.SPLITS["test"].start
PORTRAIT = "grace_hopper.jpg"  # of the US Navy, public domain; comes with Matplotlib
CROPS = (np.s_[20:148, 160:288], np.s_[100:228, 180:308])  # of it
DRAWN = {
    "dcgan_mnist": {"seed": 3},
    "ssgan_cifar10_small": {"seed": 1},
    "stylegan2_ada_emoji64": {"seed": 1, "truncation": 0.7},
}
HEIGHT, GAP = 192, 14  # of the strip, and between its parts, in pixels


def drawn(name: str, count: int, columns: int) -> np.ndarray:
    """What a model draws of random numbers."""
    images = pictures.to_uint8(models.load(name).generate(count, **DRAWN[name]))
    return pictures.grid(images, columns=columns)


def translations(striped: bool, chosen: list[int]) -> np.ndarray:
    """Scenes of one domain, then what they become in the other one."""
    scenes = SCENES[chosen] + 30 * striped
    images = shapes.draw(scenes, 64, look="striped" if striped else "solid")
    direction = "b2a" if striped else "a2b"
    translated = models.load("cyclegan_solid2striped").translate(images, direction)
    return np.concatenate([images, translated])


def enlargements(large: np.ndarray, *names: str) -> list[np.ndarray]:
    """An image made small, enlarged by bicubic interpolation and by models; and itself."""
    small = bicubic.downscale(large, 4)
    return [bicubic.upscale(small, 4), *(models.load(n).upscale(small) for n in names), large]


def enlarged_drawing(index: int) -> list[np.ndarray]:
    """One of the bundled drawings by bicubic interpolation and by SRResNet, and itself."""
    return enlargements(shapes.draw(np.array([index]), 128, channels=3)[0], "srresnet_x4")


def enlarged_portrait(*names: str) -> list[np.ndarray]:
    """Two places of a photo, each by bicubic interpolation, by models, and itself."""
    photo = pictures.read(cbook.get_sample_data(PORTRAIT, asfileobj=False), 3)[0]
    return [picture for crop in CROPS for picture in enlargements(photo[crop], *names)]


def strip() -> np.ndarray:
    """The parts side by side, in the middle of the height."""
    parts = [
        drawn("dcgan_mnist", 36, columns=6).repeat(3, axis=-1),
        drawn("ssgan_cifar10_small", 25, columns=5),
        pictures.grid(translations(False, [0, 1, 2]), columns=3),
        pictures.grid(translations(True, [0, 2, 3]), columns=3),
        drawn("stylegan2_ada_emoji64", 6, columns=3),
        pictures.grid(np.stack(enlarged_portrait("srgan_x4")[:2]), columns=2),
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
    drawings = enlarged_drawing(4) + enlarged_drawing(9)
    portraits = enlarged_portrait("srresnet_x4", "srgan_x4")
    return {
        **{name: drawn(name, 40, columns=10) for name in DRAWN},
        "cyclegan_solid2striped": pictures.grid(both, columns=5),
        "srresnet_x4": pictures.grid(np.stack(drawings), columns=6),
        "srgan_x4": pictures.grid(np.stack(portraits), columns=4),
        "strip": strip(),
    }


if __name__ == "__main__":
    for name, picture in all_pictures().items():
        pictures.save(picture, FOLDER / f"{name}.png")
