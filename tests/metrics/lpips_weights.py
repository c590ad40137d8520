"""Random weights with the names and shapes of torchvision's classifiers and of LPIPS' heads."""

import numpy as np

_ALEX = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
_VGG = dict(
    zip(
        (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
        (
            (filters, inputs, 3)
            for inputs, filters in (
                *((3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256)),
                *((256, 512), (512, 512), (512, 512), (512, 512), (512, 512), (512, 512)),
            )
        ),
        strict=True,
    )
)
_FIRES = {3: (64, 16, 64), 4: (128, 16, 64), 6: (128, 32, 128), 7: (256, 32, 128)}
_FIRES |= {9: (256, 48, 192), 10: (384, 48, 192), 11: (384, 64, 256), 12: (512, 64, 256)}
HEADS = {
    "alex": (64, 192, 384, 256, 256),
    "vgg": (64, 128, 256, 512, 512),
    "squeeze": (64, 128, 256, 384, 384, 512, 512),
}


def _shapes(name):
    if name in ("alex", "vgg"):
        layers = _ALEX if name == "alex" else _VGG
        return {f"features.{i}": shape for i, shape in layers.items()}
    shapes = {"features.0": (64, 3, 3)}
    for i, (inputs, squeezed, expanded) in _FIRES.items():
        shapes[f"features.{i}.squeeze"] = (squeezed, inputs, 1)
        shapes[f"features.{i}.expand1x1"] = (expanded, squeezed, 1)
        shapes[f"features.{i}.expand3x3"] = (expanded, squeezed, 3)
    return shapes


def trunk(name):
    rng, state = np.random.default_rng(1), {}
    for key, (filters, inputs, size) in _shapes(name).items():
        kernel = rng.standard_normal((filters, inputs, size, size), np.float32)
        state[f"{key}.weight"] = kernel * np.float32((2 / (inputs * size**2)) ** 0.5)
        state[f"{key}.bias"] = 0.1 * rng.standard_normal(filters, np.float32)
    return state


def heads(name):
    rng = np.random.default_rng(2)
    return {
        f"lin{i}.model.1.weight": rng.random((1, width, 1, 1), np.float32)
        for i, width in enumerate(HEADS[name])
    }


def images(size):
    rng = np.random.default_rng(3)
    return [rng.uniform(-1, 1, (2, size, size, 3)).astype(np.float32) for _ in range(2)]
