"""Images of which few have labels."""

import dataclasses

import numpy as np

from ganzoo.data import catalog
from ganzoo.data.sources import Column, Source
from ganzoo.data.streams import LABELED, ORDER, ImageStream, joined, shuffled
from ganzoo.errors import UserError


@dataclasses.dataclass(frozen=True)
class SemiSupervisedStream:
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
        return joined(self.source.fingerprint, *self.labeled)

    @property
    def columns(self) -> dict[str, Column]:
        columns = self._all.columns
        return columns | {"unlabeled": columns["image"]}

    @property
    def _all(self) -> ImageStream:
        return ImageStream(self.source, self.flip)

    def __len__(self) -> int:
        return len(self.source)

    def read(self, seed: int, start: int, count: int) -> dict[str, np.ndarray]:
        positions = np.arange(start, start + count, dtype=np.int64)
        indices = self.indices(seed, positions)
        examples = self._all.moved(indices["image"], positions, seed, 0)
        others = self._all.moved(indices["unlabeled"], positions, seed, 1)
        return examples | {"unlabeled": others["image"]}

    def indices(self, seed: int, positions: np.ndarray) -> dict[str, np.ndarray]:
        chosen = shuffled(positions, len(self.labeled), seed, ORDER, 0)
        others = shuffled(positions, len(self.source), seed, ORDER, 1)
        return {"image": np.asarray(self.labeled)[chosen], "unlabeled": others}


def open_semi_supervised(
    dataset: str,
    *,
    labeled: int | None = None,
    labeled_seed: int = 0,
    flip: bool = False,
    **options,
) -> SemiSupervisedStream:
    """Images of which few have labels; see `SemiSupervisedStream`.

    Args:
        dataset: as `open_source` has it; of images with labels.
        labeled: how many labels are used, of each class as many; None for all.
        labeled_seed: of their choice, which does not depend on the seed of a run.
        flip: mirror half of the images.
        **options: others of `open_source`, with its errors.

    Raises:
        UserError: for images without labels, a class without images, fewer labels than classes, or
            more than there are.
    """
    source = catalog.open_source(dataset, **{**options, "labels": True})
    return SemiSupervisedStream(source, choose_labeled(source, labeled, labeled_seed), flip)


def choose_labeled(source: Source, count: int | None, seed: int) -> tuple[int, ...]:
    """The numbers of `count` images at random, of each class as many, or of all for None.

    Where `count` is not a multiple of the classes, the first ones have one image more; arguments
    and errors are those of `open_semi_supervised`.
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
