"""What models ask of data: single images, two domains, or large images and their reductions."""

from collections.abc import Callable
from typing import NamedTuple

from ganzoo.data import catalog, drawn, pairs
from ganzoo.data.catalog import Info
from ganzoo.data.decode import Preparation
from ganzoo.data.streams import ExampleStream, ImageStream, PatchStream, UnpairedStream
from ganzoo.errors import UserError

_LOADED = 286 / 256  # side of a loaded image over that of the crop, in the official CycleGAN


class DataFormat(NamedTuple):
    """One kind of data.

    Attributes:
        open: `(dataset, *, image_size, channels, **options) -> ExampleStream`, with the options
            that `config.data` has for this format, and with `scale` for super-resolution.
        inspect: `(dataset, *, data_dir, split, labels) -> Info`, to choose sizes by.
        bundled: a data set that needs no download.
    """

    open: Callable[..., ExampleStream]
    inspect: Callable[..., Info]
    bundled: str


def open_images(dataset: str, *, flip: bool = False, **options) -> ImageStream:
    """Single images with labels; see `open_source` for the options and errors."""
    return ImageStream(catalog.open_source(dataset, **options), flip)


def open_unpaired(
    dataset: str,
    *,
    image_size: int,
    channels: int,
    load_size: int | None = None,
    data_dir: str | None = None,
    split: str = "train",
    resize: str = "bicubic",
    fit: str = "stretch",
    flip: bool = True,
    cache_dir: str | None = None,
    progress: bool = True,
    **looks,
) -> UnpairedStream:
    """Two domains of images without correspondence; other options are those of `open_source`.

    Args:
        dataset: "solid2striped", "unpaired:PATH" of a folder that holds trainA and trainB, or the
            name of a pair of TFDS, such as "horse2zebra".
        image_size: side of the random crops, in pixels.
        load_size: side that images get before they are cropped; None for image_size * 286 / 256,
            as in the official code.
        flip: mirror half of the images.
        **looks: `background` and `on_bad_file`.

    Raises:
        UserError: for anything that whoever chose the data set can mend.
    """
    load_size = round(image_size * _LOADED) if load_size is None else load_size
    if load_size < image_size:
        raise UserError(
            f"load_size = {load_size} is less than image_size = {image_size}, the side of the crops"
            " taken from loaded images. Raise one or lower the other."
        )
    preparation = Preparation(load_size, channels, resize, fit=fit, **looks)
    if dataset == "solid2striped":
        domains = drawn.open_solid2striped(load_size, channels, split)
    else:
        found = pairs.find_domains(dataset, data_dir, split)
        domains = tuple(catalog.prepared(one, preparation, cache_dir, progress) for one in found)
    return UnpairedStream(domains, image_size, flip)


def open_patches(
    dataset: str,
    *,
    image_size: int,
    channels: int,
    scale: int,
    data_dir: str | None = None,
    split: str = "train",
    flip: bool = True,
    turn: bool = True,
    cache_dir: str | None = None,
    progress: bool = True,
    **looks,
) -> PatchStream:
    """Patches of large images; see `PatchStream` and, for the other options, `open_source`.

    Images keep their sizes, and must not be smaller than a patch; `looks` are `background` and
    `on_bad_file`.
    """
    preparation = Preparation(image_size, channels, fit="keep", **looks)
    if dataset == "shapes":
        source = drawn.open_large_shapes(image_size, channels, split)
    else:
        collection = catalog.find_collection(dataset, data_dir, split)
        source = catalog.prepared(collection, preparation, cache_dir, progress)
    return PatchStream(source, image_size, scale, flip, turn)


FORMATS = {
    "images": DataFormat(open_images, catalog.inspect, "shapes"),
    "unpaired": DataFormat(open_unpaired, pairs.inspect, "solid2striped"),
    "super_resolution": DataFormat(open_patches, catalog.inspect, "shapes"),
}
