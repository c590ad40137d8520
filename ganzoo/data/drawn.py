"""The bundled data sets, drawn when they are read: every model can be trained on them offline.

- `shapes`: single images, whose classes, attributes, masks and other looks are known.
- `solid2striped`: two domains, a horse2zebra in miniature. In training they show other scenes, in
  the split "test" the same ones, so the true translation of every image is known.
- `outlines2shapes`: outlines, and the drawings that belong to them.
"""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from ganzoo.data import shapes
from ganzoo.data.decode import Preparation
from ganzoo.data.sources import Column, Source
from ganzoo.errors import UserError, unknown

MIN_SIZE, MAX_SIZE = 16, 256  # pixels
MAX_LOADED = 512  # pixels; of drawings that crops are taken from
SPLITS = {
    "trainA": range(10_000),
    "trainB": range(10_000, 20_000),
    "test": range(20_000, 21_000),
}
DOMAINS = {"solid2striped": ("solid", "striped"), "outlines2shapes": ("outline", "solid")}
NAMES = ("shapes", *DOMAINS)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class DrawnSource(Source):
    """Scenes of `shapes`, drawn when read.

    Attributes:
        scenes: which ones.
        looks: how the columns of images and masks are drawn, by their names.
    """

    scenes: range
    looks: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.scenes)

    def read(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        indices = np.asarray(indices)
        if indices.size and not 0 <= indices.min() <= indices.max() < len(self):
            raise IndexError(f"{self.name} has the indices 0 to {len(self) - 1}, got {indices}.")
        scenes = self.scenes.start + indices
        return {name: self._column(name, column, scenes) for name, column in self.columns.items()}

    def _column(self, name: str, column: Column, scenes: np.ndarray) -> np.ndarray:
        if column.spatial:
            return shapes.draw(scenes, column.shape[0], column.shape[2], self.looks[name])
        if column.role == "attributes":
            return shapes.attributes(scenes)[:, [*map(shapes.ATTRIBUTES.index, column.names)]]
        return shapes.factors(scenes)["shape"] if column.names else np.zeros(len(scenes), np.int32)


@dataclasses.dataclass(frozen=True)
class Drawing:
    """What the name of a bundled data set stands for, before a size is chosen.

    Attributes:
        name: one of `NAMES`.
        scenes: which ones it shows.
        looks: how its columns are drawn, by their names.
        identity: its fingerprint before hashing, with places for size and channels.
        most: the largest side, in pixels.
        class_names: one name per class, () without labels.
        attribute_names: one name per attribute, () without them.
    """

    name: str
    scenes: range
    looks: Mapping[str, str]
    identity: str
    most: int = MAX_LOADED
    class_names: tuple[str, ...] = ()
    attribute_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.scenes)

    def source(self, preparation: Preparation) -> DrawnSource:
        """Drawn with the size and channels of a preparation; raises UserError for other sizes."""
        size, channels = preparation.image_size, preparation.all_channels
        if not MIN_SIZE <= size <= self.most:
            advice = " or load_size, the side before crops are taken" * (self.most == MAX_LOADED)
            raise UserError(
                f"{self.name} is drawn at {MIN_SIZE} to {self.most} px, got {size}. Choose another"
                f" image_size{advice}."
            )
        settings = self.identity.format(size=size, channels=" ".join(map(str, channels)))
        return DrawnSource(
            name=self.name,
            columns=self._columns(size, channels),
            fingerprint=hashlib.sha256(settings.encode()).hexdigest(),
            preparation={"drawn_at": size, "channels": channels[0], "version": shapes.VERSION},
            scenes=self.scenes,
            looks=self.looks,
        )

    def _columns(self, size: int, channels: tuple[int, ...]) -> dict[str, Column]:
        """Those of a pair may differ in their channels; all others have the first's."""
        columns, given = {}, dict(zip(self.looks, channels, strict=False))
        for name, look in self.looks.items():
            mask = look == "mask"
            shape = (size, size, 1 if mask else given.get(name, channels[0]))
            columns[name] = Column(shape, "mask" if mask else "image")
        if "image" in columns:
            columns["label"] = Column((), "class", self.class_names)
        if self.attribute_names:
            names = self.attribute_names
            columns["attributes"] = Column((len(names),), "attributes", names)
        return columns


def find_shapes(
    split: str, labels: bool = False, columns: Sequence[str] = (), attributes: bool = False
) -> Drawing:
    """Single drawings, whose class is the shape; `columns` are further looks of them."""
    if split != "train":
        raise UserError(f"shapes has the one split 'train', got {split!r}.")
    looks = {"image": "solid"}
    for name in columns:
        if name not in shapes.LOOKS[1:]:
            raise unknown("column of shapes", name, ["attributes", *shapes.LOOKS[1:]])
        looks[name] = name
    identity = [f"shapes {shapes.VERSION} {{size}} {{channels}} {labels}", *columns]
    return Drawing(
        "shapes",
        range(shapes.COUNT),
        looks,
        " ".join(identity + ["attributes"] * attributes),
        MAX_SIZE,
        tuple(shapes.SHAPES) if labels else (),
        shapes.ATTRIBUTES if attributes else (),
    )


def find_domains(name: str, split: str) -> tuple[Drawing, Drawing]:
    """Both domains; in training they show other scenes, in the split "test" the same ones."""
    scenes = {"train": ("trainA", "trainB"), "test": ("test", "test")}
    if split not in scenes:
        raise unknown(f"split of {name}", split, scenes)
    return tuple(
        Drawing(name, SPLITS[part], {"image": look}, f"{name} {part} {place} {{size}} {{channels}}")
        for part, look, place in zip(scenes[split], DOMAINS[name], (False, True), strict=True)
    )


def find_pairs(name: str, split: str) -> Drawing:
    """Both domains at once, "a" and "b", of the same scenes, which no other split shows."""
    domain = find_domains(name, split)[0]
    looks = dict(zip("ab", DOMAINS[name], strict=True))
    return dataclasses.replace(domain, looks=looks, identity=f"pairs {domain.identity}")
