"""Images of which few have labels."""

import dataclasses

import numpy as np

from ganzoo.data.sources import Column, Source, fingerprint_of
from ganzoo.data.streams import LABELED, ORDER, ExampleStream, ImageStream, shuffled
from ganzoo.errors import UserError


@dataclasses.dataclass(frozen=True)
class SemiSupervisedStream(ExampleStream):
    """Labeled images, "image" and "label", beside images of the whole data set, "unlabeled".

    An epoch shows every image once as "unlabeled", those with labels, too.

    Args:
        source: all of the images.
        labeled: the numbers of those whose labels are used.
        flip: mirror half of the images.
    """

    source: Source
    labeled: tuple[int, ...]
    flip: bool = False

    @property
    def fingerprint(self) -> str:
        return fingerprint_of(self.source.fingerprint, *self.labeled)

    @property
    def columns(self) -> dict[str, Column]:
        columns = self._streams["image"].columns
        return columns | {"unlabeled": columns["image"]}

    @property
    def _streams(self) -> dict[str, ImageStream]:
        names = enumerate(("image", "unlabeled"))
        return {name: ImageStream(self.source, self.flip, key=(number,)) for number, name in names}

    def __len__(self) -> int:
        return len(self.source)

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        positions = np.arange(start, start + count, dtype=np.int64)
        indices = self.indices(seed, positions)
        examples, others = (
            stream.moved(indices[name], positions, seed) for name, stream in self._streams.items()
        )
        return examples | {"unlabeled": others["image"]}

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        chosen = shuffled(positions, len(self.labeled), seed, ORDER, 0)
        others = self._streams["unlabeled"].indices(seed, positions)["image"]
        return {"image": np.asarray(self.labeled)[chosen], "unlabeled": others}


def choose_labeled(source: Source, count: int | None, seed: int) -> tuple[int, ...]:
    """The numbers of `count` images at random, of each class as many, or of all for None.

    Where `count` is not a multiple of the classes, the first ones have one image more; arguments
    and errors are those of `formats.open_semi_supervised`.
    """
    names, every = source.class_names, np.arange(len(source))
    labels = source.read(every, ["label"])["label"]
    sizes = np.bincount(labels, minlength=len(names))
    if not names or not sizes.all():
        what = f"no image of the class {names[sizes.argmin()]!r}" if names else "no labels"
        raise UserError(f"{source.name} has {what}; expected images of every class")
    if count is None:
        return tuple(every.tolist())
    wanted = count // len(names) + (np.arange(len(names)) < count % len(names))
    if not wanted.all() or (wanted > sizes).any():
        fewest = sizes.argmin()
        raise UserError(
            f"config.data.labeled = {count}: expected {len(names)} to {len(names) * sizes[fewest]}"
            f" for {source.name}, of whose {len(names)} classes each gets as many labels, and"
            f" {names[fewest]!r} has {sizes[fewest]:,} images"
        )
    order = shuffled(every, len(source), seed, LABELED)
    chosen = [order[labels[order] == label][:most] for label, most in enumerate(wanted)]
    return tuple(np.sort(np.concatenate(chosen)).tolist())
