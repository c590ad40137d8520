"""Figures of images `[N, H, W, C]` with 1 or 3 channels: uint8, or float in [-1, 1]."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from ganzoo import images as pictures
from ganzoo.errors import UserError
from ganzoo.plots.figures import DPI, Figure, look

_USUAL, _WIDEST = 640, 1280  # pixels that a picture is enlarged to, or reduced to
_LINE = 0.3  # height of a line of text, in inches


def samples(images, columns: int | None = None, title: str | None = None) -> Figure:
    """A grid of images, pixel by pixel as the trainer writes it.

    Args:
        images: `[N, H, W, C]`.
        columns: images in a row; about a square by default.
        title: above the grid.
    """
    return _stacked([pictures.grid(_pixels(images), columns=columns)], title=title)


def strip(images, labels: Sequence[str] = (), title: str | None = None) -> Figure:
    """Images in one row, or several such rows: a way through latents or styles.

    Args:
        images: `[N, H, W, C]`, or of R rows `[R, N, H, W, C]`.
        labels: spread evenly below the images, so that two name the ends.
        title: above the strip.
    """
    images = np.asarray(images)
    rows = images[None] if images.ndim == 4 else images
    canvases = [pictures.grid(_pixels(row), columns=len(row)) for row in rows]
    return _stacked(canvases, title=title, below=labels, count=len(rows[0]))


def pairs(
    before, after, names: tuple[str, str] = ("before", "after"), title: str | None = None
) -> Figure:
    """Images above what became of them; both `[N, H, W, C]`, and each row of a size of its own."""
    return comparison({names[0]: before, names[1]: after}, title)


def comparison(images: Mapping[str, np.ndarray], title: str | None = None) -> Figure:
    """A row for each model, or each stage: its name and its images.

    Args:
        images: from names to `[N, H, W, C]`, with one N for all and any H, W, C.
        title: above all rows.

    Raises:
        UserError: when there are not as many images of each.
    """
    counts = {name: len(row) for name, row in images.items()}
    if len(set(counts.values())) != 1:
        raise UserError(f"Images are compared column by column: give as many of each, not {counts}")
    rows = [_pixels(row) for row in images.values()]
    tallest = max(row.shape[1] for row in rows)
    for index, row in enumerate(rows):  # every pixel a square of so many, so that columns align
        factor = tallest // row.shape[1]
        rows[index] = row.repeat(factor, axis=1).repeat(factor, axis=2)
    canvases = [pictures.grid(row, columns=len(row)) for row in rows]
    return _stacked(canvases, title=title, beside=list(images))


def _stacked(
    canvases: Sequence[np.ndarray],
    title: str | None = None,
    beside: Sequence[str] = (),
    below: Sequence[str] = (),
    count: int = 1,
) -> Figure:
    """Pictures `[H, W, C]`, uint8, of one width below each other, with text around them."""
    pixels = max(canvas.shape[1] for canvas in canvases)
    # On the screen, upscaled by a whole number, so that pixels stay square.
    width = min(pixels * max(1, _USUAL // pixels), _WIDEST) / DPI
    heights = [width * canvas.shape[0] / canvas.shape[1] for canvas in canvases]
    left = 0.09 * max(map(len, beside), default=0) + (0.15 if beside else 0.0)
    top, bottom = (_LINE if title else 0.0), (_LINE if below else 0.0)
    with look():
        figure = Figure(left + width, top + sum(heights) + bottom)
        y = sum(heights) + bottom
        for index, (canvas, height) in enumerate(zip(canvases, heights, strict=True)):
            y -= height
            sides = [*figure.get_size_inches()] * 2
            axes = figure.add_axes(np.divide((left, y, width, height), sides))
            _show(axes, canvas)
            if beside:
                axes.set_ylabel(beside[index], rotation=0, ha="right", va="center")
        if title:
            line = 1.0 - _LINE / 2 / figure.get_figheight()
            figure.text(0.5, line, title, ha="center", va="center")
        _write_below(axes, below, count)
    return figure


def _show(axes: Axes, canvas: np.ndarray) -> None:
    if canvas.shape[-1] == 1:
        canvas = canvas[..., 0]
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=255, aspect="auto")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set(xticks=[], yticks=[])


def _write_below(axes: Axes, labels: Sequence[str], count: int) -> None:
    """Below the first and the last of `count` images, and evenly in between."""
    for label, image in zip(labels, np.linspace(0, count - 1, len(labels)), strict=True):
        x = (image + 0.5) / count
        axes.annotate(
            label, (x, 0), (0, -4), "axes fraction", "offset points", ha="center", va="top"
        )


def _pixels(images) -> np.ndarray:
    """uint8 `[N, H, W, C]`; raises UserError for other shapes and ranges."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
        raise UserError(
            f"images of shape {images.shape}; expected [N, H, W, C] with 1 (grey) or 3 channels"
        )
    if images.dtype == np.uint8:
        return images
    largest = np.abs(images).max()
    if not (np.issubdtype(images.dtype, np.floating) and largest <= 2.0):  # some may overshoot
        raise UserError(
            f"images of {images.dtype} with values up to {largest:g}; expected uint8, or floats"
            " from -1 to 1"
        )
    return pictures.to_uint8(images)
