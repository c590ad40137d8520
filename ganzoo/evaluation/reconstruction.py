"""Converted images beside what they should have become."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ganzoo import bicubic, metrics
from ganzoo import images as pictures
from ganzoo.data import catalog, formats
from ganzoo.data.decode import Preparation, is_image
from ganzoo.data.drawn import DrawnSource
from ganzoo.data.sources import Collection
from ganzoo.errors import UserError, unknown
from ganzoo.metrics import RECONSTRUCTION
from ganzoo.translation import TILE, ImageGAN

Pair = tuple[str, np.ndarray, np.ndarray]  # what messages call it, an input, its right output


class ReconstructionEvaluation:
    """Images that a model converts, beside what they should have become.

    A super-resolution model gets images reduced by bicubic interpolation; a translator gets domain
    a of pairs.

    Args:
        names: of metrics, keys of `RECONSTRUCTION` or an LPIPS such as "lpips-vgg".
        dataset: pairs, such as "solid2striped" or "paired:PATH"; for super-resolution any images.
        weights: the files of the LPIPS.
        data_dir: where TFDS keeps its data sets.
        split: of the data; None for "train" in super-resolution, else "test".
        mode: of the model; None for the usual one.
        border: pixels cut off on each side first; None for the scale of super-resolution.
        num: how many images at most; None for all.
        tile: largest side that is converted at once, in pixels.
        data_direction: "b2a" if the model was trained on the data set's pairs swapped.

    Raises:
        UserError: for unknown metrics.
    """

    def __init__(
        self,
        names: Sequence[str],
        dataset: str,
        weights: Sequence[str] = (),
        data_dir: str | None = None,
        split: str | None = None,
        mode: str | None = None,
        border: int | None = None,
        num: int | None = None,
        tile: int = TILE,
        data_direction: str = "a2b",
    ):
        self.metrics = {name: _reconstruction(name, weights) for name in names}
        self.dataset, self.data_dir, self.split = dataset, data_dir, split
        self.mode, self.border, self.num, self.tile = mode, border, num, tile
        self.data_direction, self.facts = data_direction, {"dataset": dataset}

    def of_model(self, model: ImageGAN) -> dict[str, float]:
        """Means over images by the metrics' names; with "trivial/" those of the trivial answer.

        That is bicubic interpolation, or the input itself.
        """
        upscales = model.mode(self.mode).columns[0] == "low_res"
        border = self.border if self.border is not None else (model.scale if upscales else 0)
        split = self.split or ("train" if upscales else "test")
        known = itertools.islice(self._pairs(model, split), self.num)
        rows = [self._measured(model, *pair, border) for pair in known]
        if not rows:
            raise UserError(f"{self.dataset} holds no image")
        self.facts |= {"split": split, "direction": self.mode or next(iter(model.modes()))}
        self.facts |= {"images": len(rows), "border": border}
        names = [f"{kind}{name}" for name in self.metrics for kind in ("", "trivial/")]
        return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))

    def _pairs(self, model: ImageGAN, split: str) -> Iterator[Pair]:
        """Inputs and their known results."""
        mode = model.mode(self.mode)
        if mode.columns[0] == "low_res":
            options = {"scale": model.scale, "channels": model.channels}
            options |= {"data_dir": self.data_dir, "split": split}
            return open_reductions(self.dataset, **options)
        options = {"image_size": model.image_size, "channels": model.channels}
        options |= {"out_channels": mode.outputs[0].channels}
        swapped = (mode.columns[0] == "b") != (self.data_direction == "b2a")
        options |= {"direction": "b2a" if swapped else "a2b", "data_dir": self.data_dir}
        return open_translations(self.dataset, split=split, **options)

    def _measured(self, model: ImageGAN, name: str, small, reference, border: int) -> list[float]:
        converted = model.convert(small / np.float32(127.5) - 1.0, self.mode, self.tile)
        answers = pictures.to_uint8(converted), bicubic.upscale(small, model.scale)
        try:
            return [
                metric(answer, reference, border)
                for metric in self.metrics.values()
                for answer in answers
            ]
        except ValueError as error:
            raise UserError(
                f"{name} of {self.dataset}: {error}. Leave it out, or choose a smaller --border, or"
                " metrics without a window, such as psnr_y."
            ) from error


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
        UserError: as `ganzoo.data.open_source` does.
    """

    def reduced(name: str, image: np.ndarray) -> Pair:
        height, width = (side // scale * scale for side in image.shape[:2])
        large = image[:height, :width]
        return name, bicubic.downscale(large, scale), large

    collection = catalog.find(dataset, data_dir, split)
    source = formats.prepared(collection, Preparation(1, channels, fit="keep"))
    return map(reduced, _names(collection), map(source.image, range(len(source))))


def open_translations(
    dataset: str, *, data_dir: str | None = None, split: str = "test", **options
) -> Iterator[Pair]:
    """Images of domain a with their true translations into domain b.

    Arguments and errors are those of `ganzoo.data.formats.open_pairs`.

    Yields:
        its name, and two arrays uint8 `[image_size, image_size, C]`.
    """
    collection = catalog.find_pairs(dataset, data_dir, split)
    source = formats.open_pairs(dataset, data_dir=data_dir, split=split, **options)
    found = (source.read(np.array([index])) for index in range(len(source)))
    return ((name, p["a"][0], p["b"][0]) for name, p in zip(_names(collection), found, strict=True))


def _names(collection: Collection | DrawnSource) -> Iterator[str]:
    """What messages call the images that can be used."""
    if isinstance(collection, DrawnSource):
        return (f"drawing {index}" for index in range(len(collection)))
    return (item.path for item in collection if is_image(item))


def _reconstruction(name: str, weights: Sequence[str]):
    """A metric of two images `[H, W, C]`, uint8, and of the border that is cut off."""
    if not name.startswith("lpips-"):
        if name not in RECONSTRUCTION:
            raise unknown("metric", name, [*RECONSTRUCTION, "lpips-alex", "lpips-vgg"])
        return RECONSTRUCTION[name]
    network = metrics.open_lpips(name, weights)

    def distance(image, reference, border):
        inside = slice(border, -border or None)
        pair = (x[None, inside, inside] / np.float32(127.5) - 1.0 for x in (image, reference))
        return float(network(*pair)[0])

    return distance
