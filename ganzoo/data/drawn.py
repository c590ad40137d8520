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


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class DrawnSource(Source):
    """Scenes of `shapes`, drawn when read, once they are `sized`.

    Attributes:
        scenes: which ones.
        looks: how the columns of images and masks are drawn, by their names.
        identity: the fingerprint before hashing, with places for size and channels.
        most: the largest side, in pixels.
    """

    fingerprint: str = ""
    preparation: dict = dataclasses.field(default_factory=dict)
    scenes: range
    looks: Mapping[str, str]
    identity: str
    most: int = MAX_LOADED

    def __len__(self) -> int:
        return len(self.scenes)

    def sized(self, size: int, channels: Sequence[int]) -> "DrawnSource":
        """The same scenes with sides of `size` pixels; images of a pair may differ in their
        channels, all others have the first's. Raises UserError for other sizes."""
        if not MIN_SIZE <= size <= self.most:
            advice = " or load_size, the side before crops are taken" * (self.most == MAX_LOADED)
            raise UserError(
                f"{self.name} is drawn at {MIN_SIZE} to {self.most} px, got {size}. Choose another"
                f" image_size{advice}."
            )
        given = dict(zip(self.looks, channels, strict=False))
        columns = dict(self.columns)
        for name in self.looks:
            depth = 1 if columns[name].role == "mask" else given.get(name, channels[0])
            columns[name] = columns[name]._replace(shape=(size, size, depth))
        settings = self.identity.format(size=size, channels=" ".join(map(str, channels)))
        return dataclasses.replace(
            self,
            columns=columns,
            fingerprint=hashlib.sha256(settings.encode()).hexdigest(),
            preparation={"drawn_at": size, "channels": channels[0], "version": shapes.VERSION},
        )

    def read(self, indices, names=None):
        indices = np.asarray(indices)
        if indices.size and not 0 <= indices.min() <= indices.max() < len(self):
            raise IndexError(f"{self.name} has the indices 0 to {len(self) - 1}, got {indices}.")
        scenes = self.scenes.start + indices
        return {n: self._column(n, self.columns[n], scenes) for n in names or self.columns}

    def _column(self, name: str, column: Column, scenes: np.ndarray) -> np.ndarray:
        if column.spatial:
            return shapes.draw(scenes, column.shape[0], column.shape[2], self.looks[name])
        if column.role == "attributes":
            return shapes.attributes(scenes)[:, [*map(shapes.ATTRIBUTES.index, column.names)]]
        if column.role == "text":
            return np.array([[text.encode()] for text in shapes.captions(scenes)])
        return shapes.factors(scenes)["shape"] if column.names else np.zeros(len(scenes), np.int32)


def _drawn(looks: Mapping[str, str], columns: Mapping[str, Column], **about) -> DrawnSource:
    roles = {name: "mask" if look == "mask" else "image" for name, look in looks.items()}
    drawn = {name: Column((), role) for name, role in roles.items()}
    return DrawnSource(columns=drawn | columns, looks=looks, **about)


def find_shapes(split: str, columns: Sequence[str] = ()) -> DrawnSource:
    """Single drawings; `columns` are "label", the shape, "attributes", "caption" and further
    looks."""
    if split != "train":
        raise UserError(f"shapes has the one split 'train', got {split!r}.")
    known = {
        "label": Column((), "class", tuple(shapes.SHAPES)),
        "attributes": Column((len(shapes.ATTRIBUTES),), "attributes", shapes.ATTRIBUTES),
        "caption": Column((1,), "text"),
    }
    further = shapes.LOOKS[1:]
    for name in columns:
        if name not in (*known, *further):
            raise unknown("column of shapes", name, ["attributes", "caption", *further])
    looks = {"image": "solid"} | {name: name for name in columns if name in further}
    others = {"label": Column((), "class")} | {n: c for n, c in known.items() if n in columns}
    identity = [f"shapes {shapes.VERSION} {{size}} {{channels}} {'label' in columns}"]
    identity += [*[*looks][1:], *[name for name in others if name != "label"]]
    about = {"name": "shapes", "scenes": range(shapes.COUNT), "most": MAX_SIZE}
    return _drawn(looks, others, identity=" ".join(identity), **about)


def find_domains(name: str, split: str) -> tuple[DrawnSource, DrawnSource]:
    """Both domains; in training they show other scenes, in the split "test" the same ones."""
    scenes = {"train": ("trainA", "trainB"), "test": ("test", "test")}
    if split not in scenes:
        raise unknown(f"split of {name}", split, scenes)
    return tuple(
        _drawn(
            {"image": look},
            {"label": Column((), "class")},
            name=name,
            scenes=SPLITS[part],
            identity=f"{name} {part} {place} {{size}} {{channels}}",
        )
        for part, look, place in zip(scenes[split], DOMAINS[name], (False, True), strict=True)
    )


def find_pairs(name: str, split: str) -> DrawnSource:
    """Both domains at once, "a" and "b", of the same scenes, which no other split shows."""
    domain = find_domains(name, split)[0]
    looks = dict(zip("ab", DOMAINS[name], strict=True))
    identity = f"pairs {domain.identity}"
    return _drawn(looks, {}, name=name, scenes=domain.scenes, identity=identity)
