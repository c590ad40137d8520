"""The endless streams of examples that training sees, each a pure function of (seed, position).

Example `p` is number `p mod N` of a fresh permutation in epoch `p // N`. What is random about it,
such as a flip or a crop, is a hash of the seed and `p`. So any example can be read without those
before it.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np

from ganzoo import bicubic
from ganzoo.data.hashing import hash64, permute
from ganzoo.data.sources import Column, PackedSource, Source, fingerprint_of

ORDER, _FLIP, _TOP, _LEFT, _TURN, LABELED = range(6)  # streams of random numbers


class ExampleStream:
    """What batches are cut from; subclasses say what an example is.

    Attributes:
        fingerprint: SHA-256 of the content and of how it was prepared, hexadecimal.
        columns: what an example consists of, by name.
    """

    fingerprint: str
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        """Examples of an epoch."""
        raise NotImplementedError

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        """Examples `start` to `start + count`: arrays `[count, ...]` of the columns."""
        raise NotImplementedError

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        """Which images of the data stand at each position: int64 `[n]`, by name."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class ImageStream(ExampleStream):
    """The examples of a source, with all of its columns.

    What belongs to one example is moved by one draw: all of its images and masks.

    Args:
        source: what to draw from.
        flip: mirror half of the examples, different ones in each epoch.
        shuffle: a new order in each epoch; False for the order of the source.
        crop: side of random crops, in pixels; None for none.
        key: numbers that separate its draws from those of other streams.
    """

    source: Source
    flip: bool = False
    shuffle: bool = True
    crop: int | None = None
    key: tuple[int, ...] = ()

    @property
    def fingerprint(self) -> str:
        whole = self.source.fingerprint
        return whole if self.crop is None else fingerprint_of(whole, self.crop)

    @property
    def columns(self) -> dict[str, Column]:
        side = (self.crop or self.source.image_size,) * 2
        return {
            name: column._replace(shape=side + column.shape[2:]) if column.spatial else column
            for name, column in self.source.columns.items()
        }

    def __len__(self) -> int:
        return len(self.source)

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        if not self.shuffle:
            return {"image": positions % len(self.source)}
        return {"image": shuffled(positions, len(self.source), seed, ORDER, *self.key)}

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        positions = np.arange(start, start + count, dtype=np.int64)
        return self.moved(self.indices(seed, positions)["image"], positions, seed)

    def moved(self, indices: np.ndarray, positions: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        """The examples at `indices` as they look at `positions`: cropped, and mirrored."""
        examples = self.source.read(indices)
        crop = self.crop or self.source.image_size
        room = self.source.image_size - crop + 1

        def draw(bound, stream):
            return _below(bound, seed, stream, *self.key, positions)

        mirrored = draw(2 if self.flip else 1, _FLIP).astype(bool)
        tops, lefts = draw(room, _TOP), draw(room, _LEFT)
        for name in (name for name, column in self.source.columns.items() if column.spatial):
            array = examples[name]
            if self.crop is not None:
                rows = zip(array, tops, lefts, strict=True)
                array = np.stack([r[y : y + crop, x : x + crop] for r, y, x in rows])
            array[mirrored] = array[mirrored, :, ::-1]
            examples[name] = array
        return examples


@dataclasses.dataclass(frozen=True)
class UnpairedStream(ExampleStream):
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
        return fingerprint_of(*(domain.fingerprint for domain in self.domains), self.image_size)

    @property
    def columns(self) -> dict[str, Column]:
        return {name: stream.columns["image"] for name, stream in self._streams.items()}

    @property
    def _streams(self) -> dict[str, ImageStream]:
        size = self.image_size
        domains = enumerate(zip("ab", self.domains, strict=True))
        return {n: ImageStream(d, self.flip, crop=size, key=(i,)) for i, (n, d) in domains}

    def __len__(self) -> int:
        return max(map(len, self.domains))

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        return {n: s.read(seed, start, count)["image"] for n, s in self._streams.items()}

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        return {n: s.indices(seed, positions)["image"] for n, s in self._streams.items()}


@dataclasses.dataclass(frozen=True)
class PatchStream(ExampleStream):
    """Patches of large images, "image", with their reductions by bicubic interpolation, "low_res".

    A reduction is the part of the whole image's that belongs to the patch, quantized to 8 bits.

    Args:
        source: the large images, each of its own size or all of one.
        image_size: side of the patches, in pixels; a multiple of `scale`.
        scale: how many pixels of a patch, along a side, become one of its reduction.
        flip: mirror half of the patches.
        turn: turn the patches by 0 to 3 quarters.
    """

    source: PackedSource | Source
    image_size: int
    scale: int
    flip: bool = True
    turn: bool = True

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.source.fingerprint, self.image_size, self.scale)

    @property
    def columns(self) -> dict[str, Column]:
        sides = {"image": self.image_size, "low_res": self.image_size // self.scale}
        channels = self.source.channels
        return {name: Column((side, side, channels), "image") for name, side in sides.items()}

    def __len__(self) -> int:
        return len(self.source)

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        positions = np.arange(start, start + count, dtype=np.int64)
        indices = self.indices(seed, positions)["image"]
        pairs = [self._pair(seed, *both) for both in zip(positions, indices, strict=True)]
        large, small = zip(*pairs, strict=True)
        return {"image": np.stack(large), "low_res": np.stack(small)}

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        return {"image": shuffled(positions, len(self.source), seed, ORDER)}

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


def shuffled(positions: np.ndarray, size: int, seed: int, *stream: int) -> np.ndarray:
    """The number of the example at each position of a stream of shuffled epochs: int64 `[n]`."""
    epoch, index = np.divmod(positions, size)
    return permute(index, size, hash64(seed, *stream, epoch))


def _below(bound: int, *parts) -> np.ndarray:
    """Integers from 0 to `bound - 1` that depend on `parts`."""
    return (hash64(*parts) % np.uint64(bound)).astype(np.int64)
