"""LPIPS, a distance of images that was fitted to people's judgment, version 0.1.

Zhang et al. 2018, https://arxiv.org/abs/1801.03924.
"""

from collections.abc import Callable, Mapping

import numpy as np
from keras import ops

from ganzoo import weights as weight_files
from ganzoo.errors import UserError, choose
from ganzoo.files import expanded, hash_of

_SHIFT = np.float32((-0.030, -0.088, -0.188))  # of red, green and blue
_SCALE = np.float32((0.458, 0.448, 0.450))
_EPSILON = 1e-10

Weights = Mapping[str, np.ndarray]


class LPIPS:
    """sum_l mean_hw sum_c w_lc (a_lhwc - b_lhwc)^2: eq. 1 of the paper, with w in place of w^2.

    a and b are the activations of a classifier's layers l for the two images, of length 1 over
    channels.

    Attributes:
        name: "lpips-alex", "lpips-vgg" or "lpips-squeeze".
        fingerprint: SHA-256 of the files of weights, hexadecimal.

    Args:
        name: as above, for AlexNet, VGG16 or SqueezeNet 1.1.
        trunk: the state dict of torchvision's classifier, to which the heads were fitted.
        heads: the state dict of the heads, w.
        fingerprint: as above.

    Raises:
        KeyError: when an array is missing.
    """

    def __init__(self, name: str, trunk: Weights, heads: Weights, fingerprint: str = ""):
        self.name, self.fingerprint = name, fingerprint
        layers, widths = _TRUNKS[name]
        self._layers = layers({key: np.float32(value) for key, value in trunk.items()})
        self._heads = [np.float32(heads[f"lin{i}.model.1.weight"]) for i in range(len(widths))]
        for head, width in zip(self._heads, widths, strict=True):
            if head.shape != (1, width, 1, 1):
                raise KeyError(f"a head of shape {head.shape} for {width} channels")

    def __call__(self, images, others):
        """Of images `[N, H, W, C]` in [-1, 1], grey or RGB, of 64 px or more: `[N]`, float32."""
        total = 0.0
        pairs = zip(self._features(images), self._features(others), strict=True)
        for (a, b), head in zip(pairs, self._heads, strict=True):
            squares = ops.square(a - b) * head[0, :, 0, 0]
            total = total + ops.mean(ops.sum(squares, axis=-1), axis=(1, 2))
        return total

    def _features(self, images):
        """Activations `[N, h, w, C]` of length 1 over channels, layer by layer."""
        if images.shape[-1] == 1:
            images = ops.repeat(images, 3, axis=-1)
        x = (ops.cast(images, "float32") - _SHIFT) / _SCALE
        for layer, is_looked_at in self._layers:
            x = layer(x)
            if is_looked_at:
                length = ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True))
                yield x / (length + _EPSILON)


def open_lpips(name: str, files: list[str] | None) -> LPIPS:
    """An LPIPS with weights from two files.

    Args:
        name: "lpips-alex", "lpips-vgg" or "lpips-squeeze".
        files: torchvision's state dict of the classifier, such as `alexnet-owt-7be5be79.pth`, and
            that of the heads, such as `alex.pth`.

    Raises:
        UserError: for an unknown name, or files that are missing or do not fit.
    """
    choose("perceptual network", name, _TRUNKS)
    if not files or len(files) != 2:
        raise UserError(
            f"{name} needs two files, --weights=CLASSIFIER.pth,HEADS.pth: torchvision's weights of"
            " the classifier, and the heads of version 0.1 from"
            " https://github.com/richzhang/PerceptualSimilarity"
        )
    trunk, heads = (weight_files.read(path) for path in files)
    try:
        return LPIPS(name, trunk, heads, hash_of(*map(expanded, files)))
    except KeyError as error:
        raise UserError(f"{' and '.join(files)} are not the weights of {name}: {error}") from error


def _conv(weights: Weights, key: str, stride: int = 1, padding: int = 0) -> Callable:
    kernel = weights[f"{key}.weight"].transpose(2, 3, 1, 0)
    bias = weights[f"{key}.bias"]

    def layer(x):
        x = ops.pad(x, [[0, 0], [padding, padding], [padding, padding], [0, 0]])
        return ops.relu(ops.conv(x, kernel, stride, "valid") + bias)

    return layer


def _pool(size: int, up: bool = False) -> Callable:
    """Of stride 2; `up` pads below and to the right where half a window is left over."""

    def layer(x):
        if up:  # 0 is no more than what a ReLU gives
            x = ops.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]])
        return ops.max_pool(x, size, 2, "valid")

    return layer


def _alexnet(weights: Weights):
    def conv(number, stride=1, padding=1):
        return _conv(weights, f"features.{number}", stride, padding), True

    pool = _pool(3), False
    return [conv(0, 4, 2), pool, conv(3, 1, 2), pool, conv(6), conv(8), conv(10)]


def _vgg16(weights: Weights):
    stack = []
    for first, count in ((0, 2), (5, 2), (10, 3), (17, 3), (24, 3)):
        if stack:
            stack.append((_pool(2), False))
        for place in range(count):
            layer = _conv(weights, f"features.{first + 2 * place}", 1, 1)
            stack.append((layer, place == count - 1))
    return stack


def _squeezenet(weights: Weights):
    def fire(number):
        key = f"features.{number}"
        squeeze = _conv(weights, f"{key}.squeeze")
        narrow, wide = _conv(weights, f"{key}.expand1x1"), _conv(weights, f"{key}.expand3x3", 1, 1)

        def layer(x):
            x = squeeze(x)
            return ops.concatenate([narrow(x), wide(x)], axis=-1)

        return layer

    pool = _pool(3, up=True), False
    stack = [(_conv(weights, "features.0", 2), True)]
    for first, second in ((3, 4), (6, 7)):
        stack += [pool, (fire(first), False), (fire(second), True)]
    return [*stack, pool, *((fire(number), True) for number in range(9, 13))]


_TRUNKS = {
    "lpips-alex": (_alexnet, (64, 192, 384, 256, 256)),
    "lpips-vgg": (_vgg16, (64, 128, 256, 512, 512)),
    "lpips-squeeze": (_squeezenet, (64, 128, 256, 384, 384, 512, 512)),
}
