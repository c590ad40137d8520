"""Bundled drawings for models that need more than single images of one size."""

import dataclasses
import hashlib

import numpy as np

from ganzoo.data import shapes, solid2striped
from ganzoo.data.source import Source
from ganzoo.errors import UserError, unknown

MAX_SIZE = 512  # pixels; of solid2striped, which crops are taken from


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class StripedSource(Source):
    """One domain of solid2striped, drawn when read.

    Attributes:
        scenes: which scenes of the generator belong to it.
        striped: whether the shapes are striped (domain b) or solid (domain a).
    """

    scenes: range
    striped: bool

    def __len__(self) -> int:
        return len(self.scenes)

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scenes = self.scenes.start + np.asarray(indices)
        images = solid2striped.draw(scenes, self.image_size, self.channels, self.striped)
        return images, np.zeros(len(scenes), np.int32)


def open_solid2striped(image_size: int, channels: int, split: str) -> tuple[Source, Source]:
    """Both domains; in training they show other scenes, in the split "test" the same ones.

    Raises:
        UserError: for a size or split that it does not have.
    """
    if not shapes.MIN_SIZE <= image_size <= MAX_SIZE:
        raise UserError(
            f"solid2striped is drawn at {shapes.MIN_SIZE} to {MAX_SIZE} px, got {image_size}."
            " Crops are taken from larger drawings: choose another image_size or load_size."
        )
    splits = {"train": ("trainA", "trainB"), "test": ("test", "test")}
    if split not in splits:
        raise unknown("split of solid2striped", split, splits)
    sources = []
    for name, striped in zip(splits[split], (False, True), strict=True):
        scenes = solid2striped.SPLITS[name]
        settings = f"solid2striped {name} {striped} {image_size} {channels}"
        source = StripedSource(
            name="solid2striped",
            image_size=image_size,
            channels=channels,
            num_classes=0,
            class_names=(),
            fingerprint=hashlib.sha256(settings.encode()).hexdigest(),
            preparation={"drawn_at": image_size, "channels": channels},
            scenes=scenes,
            striped=striped,
        )
        sources.append(source)
    return tuple(sources)


@dataclasses.dataclass(frozen=True)
class LargeShapes:
    """`shapes` as large images, such as `PackedSource` has them, each of the size of a patch.

    Attributes:
        image_size: height and width, in pixels.
        channels: 1 (grey) or 3 (RGB).
    """

    image_size: int
    channels: int
    name: str = "shapes"

    @property
    def fingerprint(self) -> str:
        return shapes.open_shapes(self.image_size, self.channels, "train", False).fingerprint

    def __len__(self) -> int:
        return shapes.COUNT

    def image(self, index: int) -> np.ndarray:
        return shapes.draw(np.array([index]), self.image_size, self.channels)[0]


def open_large_shapes(image_size: int, channels: int, split: str) -> LargeShapes:
    """`shapes` for super-resolution; errors as `shapes.open_shapes`."""
    shapes.open_shapes(image_size, channels, split, labels=False)
    return LargeShapes(image_size, channels)
