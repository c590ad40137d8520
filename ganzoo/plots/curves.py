"""Figures of numbers: scalars of runs over images, and what discriminators say."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from ganzoo import files
from ganzoo.errors import UserError, unknown
from ganzoo.plots.figures import COLORS, LINES, Figure, count_images, look, panels
from ganzoo.runs import RunDirectory, read_lines

# A run's path, several, or labels for them; in place of a path, lines as a log has them.
Runs = str | Path | Sequence[str | Path] | Mapping[str, str | Path | Sequence[Mapping]]
Logs = dict[str, Sequence[Mapping]]

_UNITS = {
    "psnr": "dB",
    "psnr_y": "dB",
    "psnr_rgb": "dB",
    "real_sign": "mean, -1 to 1",
    "strength": "probability",
    "seconds": "s",
    "images_per_second": "images/s",
    "peak_memory_mb": "MiB",
}
_BOOKKEEPING = ("step", "images", "seconds", "images_per_second", "peak_memory_mb", "health")
_FEW = 30  # points that are marked each


def losses(runs: Runs, log_scale: bool = False) -> Figure:
    """The loss of each player over images, a panel each; several runs share the panels.

    Args:
        runs: the path of a run directory or of its `log.jsonl`, a sequence of them, or a mapping
            from labels to them; in place of a path, lines as a log has them.
        log_scale: of the losses.

    Raises:
        UserError: for a run that has no log yet.
    """
    names = [name for name in scalars(runs) if name.endswith("/loss")]
    return curves(runs, names, log_scale)


def scores(runs: Runs) -> Figure:
    """What was measured during training, as `config.evaluate_images` asks for; a panel each.

    Raises:
        UserError: for runs without log or without such a measurement.
    """
    names = measured(runs)
    if not names:
        raise UserError(
            "No metric was measured during training. Train with --config.evaluate_images=COUNT and"
            " --config.evaluation.metrics=NAME."
        )
    return curves(runs, names)


def augmentation(runs: Runs, target: float | None = None) -> Figure:
    """The strength of adaptive augmentation, and the overfitting that it goes by.

    Args:
        runs: as `losses` takes them.
        target: of the mean sign of real images' logits, `config.augment.target`; a line shows it.

    Raises:
        UserError: for runs without adaptive augmentation.
    """
    signs = [name for name in scalars(runs) if name.endswith("/real_sign")]
    if "augment/strength" not in scalars(runs):
        raise UserError("No run has adaptive augmentation; train with --config.augment.target=0.6")
    figure = curves(runs, ["augment/strength", *signs])
    if target is not None:
        for axes in figure.axes[1:]:
            axes.axhline(target, color="#666666", linewidth=1.0)
            axes.text(1.0, target, "target", transform=axes.get_yaxis_transform(), va="center")
    return figure


def curves(
    runs: Runs, names: Sequence[str | Sequence[str]], log_scale: bool = False, title: str = ""
) -> Figure:
    """Scalars of logs over images trained on, a panel each.

    Args:
        runs: as `losses` takes them.
        names: of scalars as the log has them, such as "generator/loss"; several that share one
            panel as a tuple.
        log_scale: of the values.
        title: above all panels.

    Raises:
        UserError: for a run that has no log yet, or a scalar that no run has.
    """
    logs, groups = _logs(runs), [(n,) if isinstance(n, str) else tuple(n) for n in names]
    known = _scalars(logs)
    for name in (name for group in groups for name in group):
        if name not in known:
            raise unknown("scalar", name, known)
    with look():
        figure, places = panels(len(groups), sharex=True)
        for axes, group in zip(places, groups, strict=True):
            _draw(axes, logs, group)
            axes.set_title(_title(group))
            if log_scale:
                axes.set_yscale("log")
                axes.yaxis.set(major_formatter="{x:g}", minor_formatter="{x:g}")
        count_images(places)
        if title:
            figure.suptitle(title)
        _explain(figure, places, logs, groups)
    return figure


def scalars(runs: Runs) -> list[str]:
    """The names of the numbers in logs, in their order."""
    return _scalars(_logs(runs))


def measured(runs: Runs) -> list[str]:
    """The names of the metrics that were measured during training."""
    return [name for name in scalars(runs) if "/" not in name and name not in _BOOKKEEPING]


def outputs(*moments: Mapping[str, np.ndarray], titles: Sequence[str] = ()) -> Figure:
    """Histograms of a discriminator's logits, as densities; a panel for each moment of training.

    The histograms of real and fake images lie apart where the discriminator recognizes them; where
    held-out real images lie with the fake ones, it has learned those of the training by heart.

    Args:
        *moments: each from names, such as "real", "fake" and "held-out", to logits of any shape.
        titles: of the panels.

    Raises:
        UserError: when a group is empty or not finite.
    """
    moments = [{name: _flat(name, values) for name, values in m.items()} for m in moments]
    together = np.concatenate([values for moment in moments for values in moment.values()])
    edges = np.histogram_bin_edges(together, bins=40)
    with look():
        figure, places = panels(len(moments), sharex=True, sharey=True)
        for index, (axes, moment) in enumerate(zip(places, moments, strict=True)):
            for color, (name, values) in zip(COLORS, moment.items(), strict=False):
                axes.hist(values, edges, density=True, color=color, alpha=0.25)
                axes.hist(values, edges, density=True, color=color, label=name, histtype="step")
            axes.set_title(titles[index] if titles else "")
            axes.set(xlabel="logit of the discriminator (higher: more real)", ylabel="density")
            axes.legend()
    return figure


def _logs(runs: Runs) -> Logs:
    """The lines of each run by its label; raises UserError for a run without any."""
    if isinstance(runs, (str, Path)):
        runs = [runs]
    if not isinstance(runs, Mapping):
        folders = [_folder(run) for run in runs]
        repeated = len({folder.name for folder in folders}) < len(folders)
        runs = {str(folder) if repeated else folder.name: folder for folder in folders}
    logs = {}
    for label, run in runs.items():
        path = isinstance(run, (str, Path))
        logs[label] = read_lines(RunDirectory(_folder(run)).log) if path else run
        if not logs[label]:
            raise UserError(f"{run} has no log.jsonl; a training run writes it at its first tick")
    return logs


def _folder(path: str | Path) -> Path:
    """The run directory, also when the log inside was named."""
    path = files.expanded(path).resolve()
    return path.parent if path.suffix == ".jsonl" else path


def _scalars(logs: Logs) -> list[str]:
    lines = (line for log in logs.values() for line in log)
    scalars = (n for line in lines for n, value in line.items() if isinstance(value, (int, float)))
    return list(dict.fromkeys(scalars))


def _draw(axes: Axes, logs: Logs, group: Sequence[str]) -> None:
    """Runs differ in color, and so do several scalars of one run; those of several, in dashes."""
    one = len(logs) == 1
    for i, (run, log) in enumerate(logs.items()):
        for j, (name, words) in enumerate(zip(group, _in_words(group), strict=True)):
            points = [(line["images"], line[name]) for line in log if name in line]
            if not points:
                continue
            axes.plot(
                *zip(*points, strict=True),
                color=COLORS[(j if one else i) % len(COLORS)],
                linestyle=LINES[0 if one else (j + i // len(COLORS)) % len(LINES)],
                marker="o" if len(points) <= _FEW else "",
                label=words if one else run if len(group) == 1 else f"{run}: {words}",
            )


def _title(group: Sequence[str]) -> str:
    """ "discriminator: real logits, fake logits"; of one scalar, with its unit."""
    player, _, leaf = group[0].rpartition("/")
    words = ", ".join(_in_words(group))
    unit = f" ({_UNITS[leaf]})" if len(group) == 1 and leaf in _UNITS else ""
    return (f"{player}: {words}" if player and _of_one_player(group) else words) + unit


def _in_words(group: Sequence[str]) -> list[str]:
    """Scalars without the player that all have in common; names of metrics stay as they are."""
    if not _of_one_player(group):
        return list(group)
    parts = [name.rpartition("/") for name in group]
    return [leaf.replace("_", " ") if player else leaf for player, _, leaf in parts]


def _of_one_player(group: Sequence[str]) -> bool:
    return len({name.rpartition("/")[0] for name in group}) == 1


def _explain(figure: Figure, places: Sequence[Axes], logs: Logs, groups) -> None:
    """A legend for the whole figure where colors mean the same in all panels; else below each."""
    if max(map(len, groups)) > 1:
        for axes, group in zip(places, groups, strict=True):
            if len(group) * len(logs) > 1:
                axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    elif len(logs) > 1:
        drawn = (axes.get_legend_handles_labels() for axes in places)
        lines = {label: line for found in drawn for line, label in zip(*found, strict=True)}
        figure.legend(
            lines.values(), lines.keys(), loc="outside upper center", ncols=min(4, len(lines))
        )


def _flat(name: str, values) -> np.ndarray:
    values = np.asarray(values, np.float64).ravel()
    if not len(values) or not np.isfinite(values).all():
        raise UserError(f"{name}: expected finite logits, got {len(values)} values")
    return values
