"""Inputs whose right outputs are known, to measure models that convert images by."""

from collections.abc import Iterator

import numpy as np

from ganzoo import bicubic
from ganzoo.data import catalog, formats, pairs
from ganzoo.data.decode import Preparation, is_image
from ganzoo.data.drawn import Drawing
from ganzoo.data.sources import Collection

Pair = tuple[str, np.ndarray, np.ndarray]  # what messages call it, an input, its right output


def open_reductions(
    dataset: str, *, scale: int, channels: int, data_dir: str | None = None, split: str = "train"
) -> Iterator[Pair]:
    """Images reduced by bicubic interpolation, and themselves, cut to a multiple of `scale`.

    Args:
        dataset: "folder:PATH", "zip:PATH", or the name of a data set of TFDS.
        scale: factor of the reduction.
        channels: 1 (grey) or 3 (RGB).
        data_dir: where TFDS keeps its data sets.
        split: of a TFDS data set.

    Yields:
        its name, and uint8 `[H / scale, W / scale, C]` and `[H, W, C]`.

    Raises:
        UserError: for anything that whoever chose the data set can mend.
    """

    def reduced(name: str, image: np.ndarray) -> Pair:
        height, width = (side // scale * scale for side in image.shape[:2])
        large = image[:height, :width]
        return name, bicubic.downscale(large, scale), large

    collection = catalog.find(dataset, data_dir, split)
    source = catalog.prepared(collection, Preparation(1, channels, fit="keep"))
    return map(reduced, _names(collection), map(source.image, range(len(source))))


def open_translations(
    dataset: str, *, data_dir: str | None = None, split: str = "test", **options
) -> Iterator[Pair]:
    """Images of domain a with their true translations into domain b.

    Args:
        dataset: "solid2striped", or one that `open_pairs` has.
        data_dir: where TFDS keeps its data sets.
        split: "train", "test", or the name of a folder.
        **options: those of `open_pairs`, `image_size` and `channels` among them.

    Yields:
        its name, and two arrays uint8 `[image_size, image_size, C]`.

    Raises:
        UserError: for a data set without pairs, or a bad image.
    """
    collection = pairs.find_pairs(dataset, data_dir, split)
    source = formats.open_pairs(dataset, data_dir=data_dir, split=split, **options)
    found = (source.read(np.array([index])) for index in range(len(source)))
    return ((name, p["a"][0], p["b"][0]) for name, p in zip(_names(collection), found, strict=True))


def _names(collection: Collection | Drawing) -> Iterator[str]:
    """What messages call the images that can be used."""
    if isinstance(collection, Drawing):
        return (f"drawing {index}" for index in range(len(collection)))
    return (item.path for item in collection if is_image(item))
