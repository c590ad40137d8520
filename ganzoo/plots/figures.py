"""What all figures have in common: their look, their size, and how they are shown."""

import io
import math
from collections.abc import Sequence

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.ticker import EngFormatter

DPI = 100
PANEL = (4.8, 2.9)  # width and height of one, in inches

# Distinct for all kinds of color vision: Okabe and Ito 2008, https://jfly.uni-koeln.de/color/
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", "--", ":", "-.")

_LOOK = {
    "font.size": 10.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.xmargin": 0.02,
    "axes.formatter.limits": (-3, 5),
    "grid.color": "#e2e2e2",
    "lines.linewidth": 1.6,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
}


class Figure(MatplotlibFigure):
    """A figure that no list of open figures knows, and that notebooks show nevertheless."""

    def __init__(self, width: float, height: float, **kwargs):
        """Width and height in inches; other arguments as matplotlib takes them."""
        super().__init__(figsize=(width, height), dpi=DPI, facecolor="white", **kwargs)

    def _repr_png_(self) -> bytes:
        return self.encoded("png")

    def encoded(self, format: str) -> bytes:
        """The figure as the content of a file, in a format such as "png" or "svg"."""
        buffer = io.BytesIO()
        with look():
            self.savefig(buffer, format=format)
        return buffer.getvalue()


def look():
    """A context with the look of all figures, independent of the user's own settings."""
    return style.context(["default", _LOOK])


def panels(count: int, **kwargs) -> tuple[Figure, list[Axes]]:
    """A figure with so many panels, two or three in a row; arguments as `subplots` takes them."""
    columns = min(count, 3 if count % 3 == 0 or count > 4 else 2)
    rows = math.ceil(count / columns)
    figure = Figure(columns * PANEL[0], rows * PANEL[1], layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **kwargs).flat
    for unused in axes[count:]:
        unused.remove()
    return figure, list(axes[:count])


def count_images(places: Sequence[Axes]) -> None:
    """The horizontal axis of a training, from its start on: 200k, 1.2M images.

    It is called when all has been drawn, since panels share it.
    """
    for axes in places:
        axes.set_xlim(left=0)
        axes.set_xlabel("images trained on")
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
