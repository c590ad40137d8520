"""The endless streams of examples that training sees, each a pure function of (seed, position).

Example `p` is number `p mod N` of a fresh permutation in epoch `p // N`. What is random about it,
such as a flip or a crop, is a hash of the seed and `p`. So any example can be read without those
before it.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from ganzoo import bicubic
from ganzoo.data.hashing import hash64, permute
from ganzoo.data.source import PackedSource, Source

_ORDER, _FLIP, _TOP, _LEFT, _TURN = range(5)  # streams of random numbers


class ExampleStream(Protocol):
    """What batches are cut from.

    Attributes:
        fingerprint: SHA-256 of the content and of how it was prepared, hexadecimal.
        shapes: of one example's images, uint8 `[H, W, C]`, and of its label, int32 `[]`, by name.
    """

    fingerprint: str
    shapes: Mapping[str, tuple[int, ...]]

    def __len__(self) -> int:
        """Examples of an epoch."""

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        """Examples `start` to `start + count`: arrays `[count, ...]`."""

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Which images of the data stand at each position: int64 `[n]`, by name."""


@dataclasses.dataclass(frozen=True)
class ImageStream:
    """Single images with labels: "image" and "label".

    Args:
        source: what to draw from.
        flip: mirror half of the images, different ones in each epoch.
        shuffle: a new order in each epoch; False for the order of the source.
    """

    source: Source
    flip: bool = False
    shuffle: bool = True

    @property
    def fingerprint(self) -> str:
        return self.source.fingerprint

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        size = self.source.image_size
        return {"image": (size, size, self.source.channels), "label": ()}

    def __len__(self) -> int:
        return len(self.source)

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        positions = np.arange(start, start + count, dtype=np.int64)
        images, labels = self.source.read(self.indices(seed, positions)["image"])
        if self.flip:
            mirrored = (hash64(seed, _FLIP, positions) & np.uint64(1)).astype(bool)
            images[mirrored] = images[mirrored, :, ::-1]
        return {"image": images, "label": labels}

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        if not self.shuffle:
            return {"image": positions % len(self.source)}
        return {"image": _shuffled(positions, len(self.source), seed, _ORDER)}


@dataclasses.dataclass(frozen=True)
class UnpairedStream:
    """An image of either of two domains, "a" and "b", drawn independently; cropped at random.

    An epoch shows every image of the larger domain once.

    Args:
        domains: the sources of a and b, whose images are at least as large as the crops.
        image_size: side of the crops, in pixels.
        flip: mirror half of the images.
    """

    domains: tuple[Source, Source]
    image_size: int
    flip: bool = True

    @property
    def fingerprint(self) -> str:
        return _joined(*(domain.fingerprint for domain in self.domains), self.image_size)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        size = self.image_size
        names = zip("ab", self.domains, strict=True)
        return {name: (size, size, domain.channels) for name, domain in names}

    def __len__(self) -> int:
        return max(map(len, self.domains))

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        positions = np.arange(start, start + count, dtype=np.int64)
        found, indices = {}, self.indices(seed, positions)
        for number, (name, domain) in enumerate(zip("ab", self.domains, strict=True)):
            room = domain.image_size - self.image_size + 1
            tops, lefts = (_below(room, seed, s, number, positions) for s in (_TOP, _LEFT))
            mirrored = _below(2, seed, _FLIP, number, positions) * self.flip
            images, _ = domain.read(indices[name])
            crops = zip(images, tops, lefts, mirrored, strict=True)
            found[name] = np.stack([self._crop(*crop) for crop in crops])
        return found

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        domains = enumerate(zip("ab", self.domains, strict=True))
        return {n: _shuffled(positions, len(d), seed, _ORDER, i) for i, (n, d) in domains}

    def _crop(self, image: np.ndarray, top: int, left: int, mirrored: int) -> np.ndarray:
        crop = image[top : top + self.image_size, left : left + self.image_size]
        return crop[:, ::-1] if mirrored else crop


@dataclasses.dataclass(frozen=True)
class PatchStream:
    """Patches of large images, "image", with their reductions by bicubic interpolation, "low_res".

    A reduction is the part of the whole image's that belongs to the patch, quantized to 8 bits.

    Args:
        source: the large images.
        image_size: side of the patches, in pixels; a multiple of `scale`.
        scale: how many pixels of a patch, along a side, become one of its reduction.
        flip: mirror half of the patches.
        turn: turn the patches by 0 to 3 quarters.
    """

    source: PackedSource
    image_size: int
    scale: int
    flip: bool = True
    turn: bool = True

    @property
    def fingerprint(self) -> str:
        return _joined(self.source.fingerprint, self.image_size, self.scale)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        sides = {"image": self.image_size, "low_res": self.image_size // self.scale}
        return {name: (side, side, self.source.channels) for name, side in sides.items()}

    def __len__(self) -> int:
        return len(self.source)

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        positions = np.arange(start, start + count, dtype=np.int64)
        indices = self.indices(seed, positions)["image"]
        pairs = [self._pair(seed, *both) for both in zip(positions, indices, strict=True)]
        large, small = zip(*pairs, strict=True)
        return {"image": np.stack(large), "low_res": np.stack(small)}

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        return {"image": _shuffled(positions, len(self.source), seed, _ORDER)}

    def _pair(self, seed: int, position: int, index: int) -> tuple[np.ndarray, np.ndarray]:
        image = self.source.image(index)
        sides = [side // self.scale for side in image.shape[:2]]  # of the reduced image
        room = [side - self.image_size // self.scale + 1 for side in sides]
        top, left = (
            int(_below(r, seed, s, position)[0]) for r, s in zip(room, (_TOP, _LEFT), strict=True)
        )
        large, small = self._cut(image, sides, top, left)
        if self.flip and _below(2, seed, _FLIP, position)[0]:
            large, small = large[:, ::-1], small[:, ::-1]
        quarters = int(_below(4, seed, _TURN, position)[0]) if self.turn else 0
        return np.rot90(large, quarters), np.rot90(small, quarters)

    def _cut(self, image, sides, top, left) -> tuple[np.ndarray, np.ndarray]:
        """The patch whose reduction begins at (top, left), and its reduction."""
        scale, size = self.scale, self.image_size // self.scale
        starts = [max(0, first - _REACH) for first in (top, left)]
        stops = [min(n, f + size + _REACH) for n, f in zip(sides, (top, left), strict=True)]
        rows, columns = (slice(a * scale, b * scale) for a, b in zip(starts, stops, strict=True))
        reduced = bicubic.downscale(image[rows, columns], scale)
        y, x = top - starts[0], left - starts[1]
        large = image[top * scale :, left * scale :][: self.image_size, : self.image_size]
        return large, reduced[y : y + size, x : x + size]


_REACH = 3  # reduced pixels; more than the filter of the reduction sees beyond its own pixel


def _shuffled(positions: np.ndarray, size: int, seed: int, *stream: int) -> np.ndarray:
    """The number of the example at each position of a stream of shuffled epochs: int64 `[n]`."""
    epoch, index = np.divmod(positions, size)
    return permute(index, size, hash64(seed, *stream, epoch))


def _below(bound: int, *parts) -> np.ndarray:
    """Integers from 0 to `bound - 1` that depend on `parts`."""
    return (hash64(*parts) % np.uint64(bound)).astype(np.int64)


def _joined(*parts: str | int) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
