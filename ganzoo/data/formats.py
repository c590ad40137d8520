"""What models ask of data: images, pairs, two domains, or large images and their reductions."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any, NamedTuple

from ganzoo.data import cache, catalog, drawn
from ganzoo.data.decode import Preparation
from ganzoo.data.drawn import DrawnSource
from ganzoo.data.reports import Info, inspect
from ganzoo.data.semi_supervised import SemiSupervisedStream, choose_labeled
from ganzoo.data.sources import (
    ArraySource,
    Collection,
    Column,
    PackedSource,
    Source,
    fingerprint_of,
)
from ganzoo.data.streams import ExampleStream, ImageStream, PatchStream, UnpairedStream
from ganzoo.errors import UserError, choose

SWAPPED = {"a": "b", "b": "a"}
_STRETCHED = {"resize": "bicubic", "fit": "stretch"}  # of pairs and domains, unless set otherwise
_LOADED = 286 / 256  # side of a loaded image over that of the crop, in the official CycleGAN


class DataFormat(NamedTuple):
    """What a model may ask of data.

    Attributes:
        open: `(dataset, *, image_size, channels, **options) -> ExampleStream`, with the options
            that `config.data` has for this format, with `scale` for super-resolution, and with
            `out_channels` for pairs.
        bundled: a data set that needs no download.
        kind: "images", "paired" or "unpaired".
        columns: what is read besides images and classes.
    """

    open: Callable[..., ExampleStream]
    bundled: str
    kind: str = "images"
    columns: tuple[str, ...] = ()

    def inspect(self, dataset: str, **options) -> Info:
        """`data.inspect` of such a data set, to choose sizes by."""
        return inspect(dataset, kind=self.kind, columns=self.columns, **options)


def prepared(
    collection: Collection | DrawnSource, preparation: Preparation
) -> Source | PackedSource:
    """A collection after preparation, with the errors of `cache.load`."""
    if isinstance(collection, DrawnSource):
        return collection.sized(preparation.image_size, preparation.all_channels)
    return cache.load(collection, preparation)


def open_source(
    dataset: str,
    *,
    data_dir: str | None = None,
    split: str = "train",
    labels: bool = False,
    columns: Sequence[str] = (),
    attributes: str | None = None,
    **options,
) -> Source:
    """Open a data set for training, preparing it first unless that was done before.

    Args:
        dataset: "shapes", "folder:PATH" (of a folder or zip file), "zip:PATH", or the name of
            an image data set of TFDS, such as "cifar10" or "name/config".
        data_dir: where TFDS keeps its data sets.
        split: of a TFDS data set.
        labels: whether to read classes, from TFDS or from the names of the first folders.
        columns: what to read besides images and classes: "attributes" and "caption", from TFDS or
            from a table beside the images, "embedding", from such a table alone, or of shapes one
            of its looks: "striped", "outline", "mask".
        attributes: names of those to read, separated by commas; None for all, if any.
        **options: `image_size`, `channels` and others of `Preparation`.

    Raises:
        UserError: for anything that whoever chose the data set can fix.
    """
    preparation = Preparation(**options)
    columns = dict.fromkeys((*columns, "attributes")) if attributes else columns
    collection = catalog.find(dataset, data_dir, split, labels, columns)
    source = prepared(collection, preparation)
    return _with_attributes(source, attributes.split(",")) if attributes else source


def source_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """What `open_source` takes of a recipe's `config.data`; the rest is about streams."""
    known = {*signature(open_source).parameters, *(f.name for f in dataclasses.fields(Preparation))}
    return {key: value for key, value in options.items() if key in known}


def _with_attributes(source: Source, names: list[str]) -> Source:
    """With some of its attributes alone."""
    known = {name: i for i, name in enumerate(source.columns["attributes"].names)}
    chosen = [choose(f"attribute of {source.name}", name, known) for name in names]
    column = Column((len(names),), "attributes", tuple(names))
    changes = {"columns": {**source.columns, "attributes": column}}
    if isinstance(source, ArraySource):
        values = source.arrays["attributes"][:, chosen]
        changes["arrays"] = {**source.arrays, "attributes": values}
    return dataclasses.replace(
        source, fingerprint=fingerprint_of(source.fingerprint, names), **changes
    )


def open_images(dataset: str, *, flip: bool = False, **options) -> ImageStream:
    """Single images with their columns; see `open_source` for the options and errors."""
    return ImageStream(open_source(dataset, **options), flip)


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
    source = open_source(dataset, **{**options, "labels": True})
    return SemiSupervisedStream(source, choose_labeled(source, labeled, labeled_seed), flip)


def open_unpaired(
    dataset: str,
    *,
    image_size: int,
    load_size: int | None = None,
    flip: bool = True,
    data_dir: str | None = None,
    split: str = "train",
    **options,
) -> UnpairedStream:
    """Two domains of images without correspondence.

    Args:
        dataset: "solid2striped", "unpaired:PATH" of a folder that holds trainA and trainB, or the
            name of a pair of TFDS, such as "horse2zebra".
        image_size: side of the random crops, in pixels.
        load_size: side that images get before they are cropped; None for image_size * 286 / 256,
            as in the official code.
        flip: mirror half of the images.
        data_dir: where TFDS keeps its data sets.
        split: the folders to read, or a split of TFDS.
        **options: `channels` and others of `open_source`, with its errors; images are stretched to
            squares by a bicubic filter unless they say otherwise.
    """
    side = _load_size(image_size, load_size)
    preparation = Preparation(image_size=side, **_STRETCHED | options)
    found = catalog.find_domains(dataset, data_dir, split)
    domains = tuple(prepared(domain, preparation) for domain in found)
    return UnpairedStream(domains, image_size, flip)


def _load_size(image_size: int, load_size: int | None) -> int:
    """The side that images get before they are cropped."""
    if load_size is None:
        return round(image_size * _LOADED)
    if load_size < image_size:
        raise UserError(
            f"load_size = {load_size} is less than image_size = {image_size}, the side of the crops"
            " taken from loaded images. Raise one or lower the other."
        )
    return load_size


def open_paired(
    dataset: str, *, image_size: int, load_size: int | None = None, flip: bool = True, **options
) -> ImageStream:
    """Pairs of images, "a" and "b", cropped and mirrored by the same draw.

    The arguments are those of `open_unpaired`, but for `dataset` and further `options`, which are
    those of `open_pairs`.
    """
    source = open_pairs(dataset, image_size=_load_size(image_size, load_size), **options)
    return ImageStream(source, flip, crop=image_size)


def open_pairs(
    dataset: str,
    *,
    image_size: int,
    channels: int,
    out_channels: int | None = None,
    direction: str = "a2b",
    data_dir: str | None = None,
    split: str = "train",
    **options,
) -> Source:
    """The pairs of a data set, the columns "a" and "b"; other arguments as for `open_unpaired`.

    Args:
        dataset: "outlines2shapes", "paired:PATH" as in `catalog.find_pairs`, or the name of
            a data set of TFDS whose examples are two images, or one that holds both side by side.
        image_size: height and width to give every image, in pixels.
        channels: of a, 1 (grey) or 3 (RGB).
        out_channels: of b; None for those of a.
        direction: "b2a" swaps them: what the data set has as b is then a.
        data_dir: where TFDS keeps its data sets.
        split: the folders to read, or a split of TFDS.
        **options: as for `open_unpaired`.
    """
    order = choose("direction", direction, {"a2b": slice(None), "b2a": slice(None, None, -1)})
    first, second = (channels, out_channels or channels)[order]
    preparation = Preparation(image_size, first, pair_channels=second, **_STRETCHED | options)
    source = prepared(catalog.find_pairs(dataset, data_dir, split), preparation)
    return source if direction == "a2b" else _renamed(source, SWAPPED)


def _renamed(source: ArraySource | DrawnSource, names: dict[str, str]) -> Source:
    """Some columns of a source, under new names: from the new ones to those of the source."""
    tables = ("columns", "arrays" if isinstance(source, ArraySource) else "looks")
    changes = {t: {a: getattr(source, t)[b] for a, b in names.items()} for t in tables}
    settings = "b2a" if names == SWAPPED else names
    changes["fingerprint"] = fingerprint_of(source.fingerprint, settings)
    return dataclasses.replace(source, **changes)


def open_sets(
    dataset: str, *, image_size: int, channels: int, out_channels: int | None = None, **options
) -> dict[str, Source]:
    """The domains "a" and "b" of a data set as two sets of images, pairs or not.

    Options and errors are those of `open_unpaired` and `open_pairs`.
    """
    if dataset in drawn.DOMAINS or dataset.partition(":")[0] == "paired":
        sizes = {"image_size": image_size, "channels": channels, "out_channels": out_channels}
        source = open_pairs(dataset, **sizes, **options)
        return {name: _renamed(source, {"image": name}) for name in "ab"}
    sizes = {"image_size": image_size, "channels": channels, "load_size": image_size}
    return dict(zip("ab", open_unpaired(dataset, **sizes, **options).domains, strict=True))


def open_patches(
    dataset: str,
    *,
    image_size: int,
    scale: int,
    data_dir: str | None = None,
    split: str = "train",
    flip: bool = True,
    turn: bool = True,
    **options,
) -> PatchStream:
    """Patches of large images; see `PatchStream` and, for the other options, `open_source`.

    Images keep their sizes, and must not be smaller than a patch.
    """
    preparation = Preparation(image_size, fit="keep", **options)
    source = prepared(catalog.find(dataset, data_dir, split), preparation)
    return PatchStream(source, image_size, scale, flip, turn)


FORMATS = {
    "images": DataFormat(open_images, "shapes"),
    "attributes": DataFormat(
        functools.partial(open_images, columns=("attributes",)), "shapes", columns=("attributes",)
    ),
    "semi_supervised": DataFormat(open_semi_supervised, "shapes"),
    "paired": DataFormat(open_paired, "outlines2shapes", "paired"),
    "unpaired": DataFormat(open_unpaired, "solid2striped", "unpaired"),
    "super_resolution": DataFormat(open_patches, "shapes"),
}
