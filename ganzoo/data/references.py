"""Inputs whose right outputs are known, to measure models that convert images by."""

import itertools
from collections.abc import Iterator

import numpy as np
from PIL import Image

from ganzoo import bicubic
from ganzoo import images as pictures
from ganzoo.data import catalog, drawn
from ganzoo.data.decode import Preparation, is_image
from ganzoo.data.files import path_of
from ganzoo.errors import UserError

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

    return itertools.starmap(reduced, _kept(dataset, data_dir, split, channels))


def open_translations(
    dataset: str, *, image_size: int, channels: int, split: str = "test"
) -> Iterator[Pair]:
    """Images of domain a with their true translations into domain b.

    Args:
        dataset: "solid2striped", or "paired:PATH" of a folder whose images hold a and b side by
            side, as pix2pix stores them, in folders named after the splits.
        image_size: height and width, in pixels.
        channels: 1 (grey) or 3 (RGB).
        split: "train", "test", or the name of a folder.

    Yields:
        its name, and two arrays uint8 `[image_size, image_size, C]`.

    Raises:
        UserError: for another data set, or a bad image.
    """
    if dataset == "solid2striped":
        domains = drawn.open_solid2striped(image_size, channels, split)
        return (
            (f"drawing {index}", *(d.read(np.array([index]))[0][0] for d in domains))
            for index in range(len(domains[0]))
        )
    if dataset.partition(":")[0] != "paired":
        raise UserError(
            f"The true translations of {dataset} are not known. Evaluate on solid2striped, or on"
            " --dataset=paired:PATH, whose images hold both domains side by side."
        )
    images = _kept(f"folder:{path_of(dataset) / split}", None, "train", channels)
    return ((name, *_halves(image, image_size)) for name, image in images)


def _kept(
    dataset: str, data_dir: str | None, split: str, channels: int
) -> Iterator[tuple[str, np.ndarray]]:
    """The images of a data set in their own sizes, with their names."""
    collection = catalog.find_collection(dataset, data_dir, split)
    source = catalog.prepared(collection, Preparation(1, channels, fit="keep"))
    names = (item.path for item in collection if is_image(item))
    return zip(names, map(source.image, range(len(source))), strict=True)


def _halves(image: np.ndarray, size: int) -> tuple[np.ndarray, ...]:
    picture = pictures.picture_of(image)
    width, height = picture.size
    boxes = (0, 0, width // 2, height), (width - width // 2, 0, width, height)
    halves = (picture.crop(box).resize((size, size), Image.Resampling.BICUBIC) for box in boxes)
    return tuple(np.asarray(half).reshape(size, size, -1) for half in halves)
