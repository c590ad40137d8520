"""A run as one HTML page, see `ganzoo/report/__main__.py` for the command.

The page has the samples over time, the curves, what was measured and how, the config, and the
command that trains the same again. Everything is inside the file, which opens without a network.
"""

import base64
import dataclasses
import io
import itertools
import json
import shlex
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from ml_collections import ConfigDict

import ganzoo
from ganzoo import config as configs
from ganzoo import images as pictures
from ganzoo import plots
from ganzoo.errors import UserError
from ganzoo.recipes import is_place
from ganzoo.runs import RunDirectory, read_lines

_FRAMES, _SIDE, _QUALITY = 24, 640, 88  # of the samples: at most so many, so large in pixels; WebP
_SHORT = 12  # characters of a fingerprint that are shown
_LOGITS = ("real_logits", "fake_logits")
_RESULT = ("metric", "value", "deviation", "trivial")  # of a measurement; the rest is its protocol
_TRAIN = "python -m ganzoo.train"


@dataclasses.dataclass(frozen=True)
class Picture:
    """An image inside the page.

    Attributes:
        caption: what it shows.
        uri: its content, as a data URI.
        width: of the image on a wide page, in pixels.
    """

    caption: str
    uri: str
    width: int


@dataclasses.dataclass(frozen=True)
class Setting:
    """A value of the config, and that of the model's default recipe."""

    key: str
    value: str
    default: str

    @property
    def changed(self) -> bool:
        """Whether somebody chose it; what was inferred from the data replaces None."""
        return self.value != self.default


def page(run: RunDirectory) -> str:
    """The page as HTML.

    Raises:
        UserError: when there is no run in the directory, or its first tick has not come yet.
    """
    config = configs.read(run.config)
    name = run.path.resolve().name
    main_curves, more_curves = _curves(run)
    loader = jinja2.PackageLoader("ganzoo")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html").render(
        name=name,
        config=config,
        facts=_facts(run, config),
        samples=samples(run),
        curves=main_curves,
        more_curves=more_curves,
        best=_best(run),
        measurements=measurements(run),
        health=[line for line in read_lines(run.log) if line.get("health")],
        settings=settings(config),
        command=_again(name, config),
        version=ganzoo.__version__,
    )


def samples(run: RunDirectory) -> list[Picture]:
    """The grids of samples in their order, at most 24 of them, evenly chosen."""
    paths = sorted(run.samples.glob("*.png"))
    chosen = np.linspace(0, len(paths) - 1, min(len(paths), _FRAMES)).round().astype(int)
    return [_sample(paths[index]) for index in chosen]


def _sample(path: Path) -> Picture:
    image = pictures.opened(path).convert("RGB")
    image.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY)
    width = image.width * max(1, _SIDE // image.width)
    return Picture(f"{int(path.stem):,}", _uri("image/webp", buffer.getvalue()), width)


def _curves(run: RunDirectory) -> tuple[list[Picture], list[Picture]]:
    """Those that most look at, and all others."""
    known = plots.scalars(run.path)
    players = dict.fromkeys(name.rpartition("/")[0] for name in known)
    pairs = [tuple(f"{player}/{name}" for name in _LOGITS) for player in players]
    losses = [name for name in known if name.endswith("/loss")]
    strength = [name for name in known if name == "augment/strength"]
    first = [*losses, *plots.measured(run.path), *strength]
    first += [pair for pair in pairs if set(pair) <= set(known)]
    shown = {name for group in first for name in ([group] if isinstance(group, str) else group)}
    rest = [name for name in known if name not in shown | {"step", "images", "seconds"}]
    return [_curve(run, name) for name in first], [_curve(run, name) for name in rest]


def _curve(run: RunDirectory, name: str | tuple[str, ...]) -> Picture:
    """One figure for each, so that a narrow page shows them below each other."""
    figure = plots.curves(run.path, [name])
    caption = figure.axes[0].get_title("left")
    width = round(figure.get_figwidth() * figure.dpi)
    return Picture(caption, _uri("image/svg+xml", figure.encoded("svg")), width)


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _facts(run: RunDirectory, config: ConfigDict) -> dict[str, str]:
    """What happened, in words."""
    last, auto = read_lines(run.log)[-1], run.read_facts()
    images, total = last["images"], config.total_images
    return {
        "Model": config.model_name,
        "Data": config.data.dataset,
        "Images": f"{images:,}" + (f" of {total:,}" if images < total else ""),
        "Hours": f"{last['seconds'] / 3600:.2f}",
        "Images per second": f"{last['images_per_second']:,.0f}",
        "Peak memory": f"{last['peak_memory_mb']:,.0f} MiB",
        "Precision": auto.get("precision", config.precision),
        "XLA": "on" if auto.get("jit") else "off",
    }


def _best(run: RunDirectory) -> dict[str, Any]:
    path = run.best / "metrics.json"
    try:
        return dict(json.loads(path.read_bytes())) if path.exists() else {}
    except (ValueError, TypeError) as error:
        raise UserError(
            f"{path} is damaged ({error}). Copy it from a backup, or remove it."
        ) from error


def measurements(run: RunDirectory) -> list[tuple[dict[str, str], list[dict]]]:
    """What `ganzoo.evaluate` found: protocols, each with the lines that were measured by it."""
    groups = itertools.groupby(read_lines(run.metrics), key=_protocol)
    return [(protocol, list(lines)) for protocol, lines in groups]


def _protocol(line: dict) -> dict[str, str]:
    """All but the result; of fingerprints, which are SHA-256, the beginning."""
    known = {k: v for k, v in line.items() if k not in _RESULT and v is not None}
    return {
        key.replace("_", " "): f"{value[:_SHORT]}…" if key.endswith("fingerprint") else str(value)
        for key, value in known.items()
    }


def settings(config: ConfigDict) -> list[Setting]:
    """Each value of a config beside that of its model's default recipe."""
    defaults = configs.flatten(configs.schema(config))
    return [
        Setting(key, str(value), str(defaults[key]) if key in defaults else "(absent)")
        for key, value in configs.flatten(config).items()
    ]


def _again(name: str, config: ConfigDict) -> str:
    """The command that trains with a config, beside the run of that name instead of resuming it."""
    words = [*arguments(config), f"--workdir=runs/{name}-again"]
    return " \\\n    ".join([_TRAIN, *map(shlex.quote, words)])


def arguments(config: ConfigDict) -> list[str]:
    """Of `ganzoo.train`, to train with a config: the nearest recipe, and flags for what differs.

    Where prepared data lie is left out, since that differs between machines. The recipe of a
    "module:Class" is a file that the run does not know.
    """
    model = config.model_name
    if is_place(model):
        return ["--config=RECIPE.py", *_flags(configs.schema(config), config, others=True)]
    bundled = {name: configs.load(name) for name in configs.bundled()}
    own = {name: base for name, base in bundled.items() if base.model_name == model}
    own = own or {model: configs.load(model)}
    name = min(own, key=lambda name: len(_flags(own[name], config)))
    return [f"--config={name}", *_flags(own[name], config)]


def _flags(recipe: ConfigDict, config: ConfigDict, others: bool = False) -> list[str]:
    """Flags that turn a recipe into a config, also for keys that it lacks, if wanted; a flag cannot
    say None."""
    base = configs.flatten(recipe)
    return [
        f"--config.{key}={value}"
        for key, value in configs.flatten(config).items()
        if (others or key in base) and key not in ("data.data_dir", "model_name")
        if value is not None and value != base.get(key)
    ]
