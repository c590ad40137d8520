"""Configs: found, loaded, checked, saved and compared.

A recipe is a Python file whose `get_config()` returns an `ml_collections.ConfigDict`. `<model>.py`
is the model's default recipe and the schema of its others, such as `<model>_<dataset>.py`; a value
to be inferred from the data is a placeholder, which reads as None. One for images of several sizes
takes the size, `get_config(image_size)`, which stands at the end of its name.

Models of a user's own have their recipes elsewhere. `ganzoo.models.register` is given one; that of
an installed package, or of "module:Class", is `get_config` of the class's module; and a config file
whose `model_name` is "module:Class" is its own schema.
"""

import functools
import json
import math
import re
import runpy
from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict
from ml_collections.config_flags import config_flags

from ganzoo import files, schedules
from ganzoo.errors import UserError, choose, unknown
from ganzoo.recipes import MODELS, SIZES, import_module, is_place, recipe

# A run may be resumed with other values of these: none of them reaches a weight.
RESUMABLE_KEYS = frozenset(
    {
        "total_images",
        "tick_images",
        "keep_checkpoints",
        "num_samples",
        "evaluate_images",
        *(f"evaluation.{key}" for key in ("metrics", "weights", "dataset", "split")),
        "data.data_dir",
        "data.on_bad_file",  # what was read has a fingerprint
    }
)

# Arguments of models that had another name, which files and flags may still give.
RENAMED = {"evenness_weight": "flat_region_weight"}

_OPTIONAL = frozenset({"augment.target"})  # may be None where a recipe has a value, too

Rule = tuple[Callable[[Any], bool], str]
_COUNT: Rule = (lambda value: value > 0, "at least 1")
_DURATION: Rule = (lambda value: value >= 0, "0 or more images")
_NOT_NEGATIVE: Rule = (lambda value: value >= 0, "0 or more")
_POSITIVE: Rule = (lambda value: value > 0, "a number above 0")
_DECAY: Rule = (lambda value: 0 <= value < 1, "a number in [0, 1)")


def _one_of(*names: str) -> Rule:
    return (lambda value: value in names, f"one of {', '.join(names)}")


_RULES: dict[str, Rule] = {
    "seed": (lambda value: 0 <= value < 2**31, "an integer from 0 to 2**31 - 1"),
    "batch_size": _COUNT,
    "microbatch": _COUNT,
    "total_images": _COUNT,
    "tick_images": _COUNT,
    "keep_checkpoints": _COUNT,
    "num_samples": _COUNT,
    "evaluate_images": _DURATION,
    "jit": _one_of("auto", "on", "off"),
    "precision": _one_of("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    "data.dataset": (bool, "the name of a data set"),
    "data.resize": _one_of("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"),
    "data.on_bad_file": _one_of("fail", "skip"),
    "model.latent_dim": _COUNT,
    "model.num_classes": _NOT_NEGATIVE,
    "model.*_images": _DURATION,
    "model.*_weight*": _NOT_NEGATIVE,
    "model.r1_gamma": _NOT_NEGATIVE,
    "augment.strength": _NOT_NEGATIVE,
    "augment.target": (lambda value: -1 < value < 1, "a number between -1 and 1"),
    "augment.interval": _COUNT,
    "augment.speed_images": _COUNT,
    "optimizers.*.learning_rate": _POSITIVE,
    "optimizers.*.beta_[12]": _DECAY,
    "optimizers.*.epsilon": _POSITIVE,
}


def folder() -> Path:
    """Where the recipes lie: inside the installed package, or beside it in a clone."""
    package = Path(__file__).resolve().parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def bundled() -> list[str]:
    """The names of the recipes that come with ganzoo."""
    stems = (path.stem for path in folder().glob("[!_]*.py"))
    return sorted(f"{stem}{size}" for stem in stems for size in SIZES.get(stem, ("",)))


def recipes() -> list[str]:
    """The name of every recipe, which `--config=NAME` takes: with those of models of other
    packages and of models that were registered."""
    return sorted({*bundled(), *MODELS})


def find(model: str, dataset: str | None = None) -> str:
    """The recipe for a model and its data: `<model>_<dataset>`, or the default one.

    For images of the user's own, such as `folder:PATH`, it is `<model>_folder`.

    Args:
        model: a key of `MODELS`, or "module:Class".
        dataset: as `--dataset` takes it.

    Raises:
        UserError: for an unknown model, with the nearest names, or the name of a recipe.
    """
    if is_place(model):
        return model
    if model not in MODELS and model in bundled():
        raise UserError(
            f"{model!r} is a recipe of the model {load(model).model_name}: --config={model}"
        )
    choose("model", model, MODELS)
    own = ":" in (dataset or "")
    name = f"{model}_{'folder' if own else dataset}"
    return name if name not in MODELS and _is_for(name, model, None if own else dataset) else model


def _is_for(name: str, model: str, dataset: str | None) -> bool:
    """Whether there is a recipe of that name, of that model, and for these data."""
    if name not in bundled():
        return False
    found = load(name)
    return (found.model_name, found.data.dataset) == (model, dataset)


def resolve(name: str | Path) -> Path:
    """The file behind a recipe's bare name or the path of a Python file."""
    path = files.expanded(name)
    if path.is_file() and path.suffix == ".py":
        return path
    if len(path.parts) == 1 and path.suffix != ".py":
        if str(name) not in bundled():
            raise unknown("config", str(name), recipes())
        return folder() / f"{_stem_and_size(str(name))[0]}.py"
    raise UserError(
        f"There is no config file {str(name)!r}. Give the path of a Python file that has"
        f" get_config(), or a name: {', '.join(recipes())}."
    )


def load(name: str | Path) -> ConfigDict:
    """What a recipe's `get_config()` returns, locked: one that misspells a key fails.

    A module that it names by `model_name = "module:Class"` is imported.

    Args:
        name: that of a recipe or of a model, "module:Class", or the path of a Python file.
    """
    source, get_config = _source(name)
    try:
        config = get_config() if callable(get_config) else None
    except (AttributeError, KeyError) as error:
        for key in filter(str(error).__contains__, schedules.DECAY_KEYS[1:]):
            raise UserError(
                f"{source}: {key} is now part of the learning rate, as in"
                f" learning_rate = {schedules.EXAMPLE} or"
                ' ("linear", (decay_start_images, learning_rate),'
                " (decay_end_images, final_learning_rate))"
            ) from error
        raise
    if not isinstance(config, ConfigDict):
        raise UserError(
            f"{source} must define get_config() and return an ml_collections.ConfigDict."
        )
    model = str(config.get("model_name"))
    if is_place(model):
        import_module(model.partition(":")[0])
    return config.lock()


def _source(name: str | Path) -> tuple[str | Path, Any]:
    """Where a recipe's function is defined, and the function."""
    if name in MODELS.registered:
        return f"The recipe of {name}", MODELS.registered[name].get_config
    if is_place(str(name)) or name in MODELS.installed:
        module = MODELS.get(name, name).partition(":")[0]
        return f"The module {module}", getattr(import_module(module), "get_config", None)
    path = resolve(name)
    get_config, size = runpy.run_path(str(path)).get("get_config"), _stem_and_size(str(name))[1]
    return path, functools.partial(get_config, size) if size else get_config


def _stem_and_size(name: str) -> tuple[str, int | None]:
    """Where the recipe of a name lies, and the size of its images if the name ends with it."""
    sized = {f"{stem}{size}": (stem, size) for stem, sizes in SIZES.items() for size in sizes}
    return sized.get(name, (name, None))


def schema(config: ConfigDict) -> ConfigDict:
    """The default recipe of a config's model; for a "module:Class", what all recipes have."""
    model = str(config.get("model_name"))
    if is_place(model):
        return recipe(model, config.get("optimizers", {}))
    choose("model_name", model, MODELS)
    return load(model)


def flatten(config: ConfigDict) -> dict[str, Any]:
    """Every value under its dotted name, as in `{"data.split": "train"}`."""
    flat = {}
    for key, value in config.items():
        if isinstance(value, ConfigDict):
            flat |= {f"{key}.{leaf}": inner for leaf, inner in flatten(value).items()}
        else:
            flat[key] = value
    return flat


def validate(config: ConfigDict) -> None:
    """Raises UserError unless keys, types and ranges are those of the model's default recipe.

    A config whose model is a "module:Class" may have more keys than all recipes have. The arguments
    of an optimizer that the recipe does not have are left to `ganzoo.optimizers`.
    """
    default, values = schema(config), flatten(config)
    for player, options in config.get("optimizers", {}).items():
        ours = default.optimizers.get(player)
        if ours is not None and options.get("name") != ours.name:
            default.optimizers[player] = options
    defaults = flatten(default)
    if is_place(config.model_name):
        _check_keys({key: values[key] for key in values.keys() & defaults.keys()}, defaults)
    else:
        _check_keys(values, defaults)
    for key, value in values.items():
        if key in defaults:
            _check_type(key, value, config_flags.GetType(key, default), defaults[key])
        _check_range(key, value)


def fill(config: ConfigDict, values: Mapping[str, Any]) -> list[str]:
    """Sets the placeholders among the dotted `values`; a value that was chosen stays.

    Returns one line "model.image_size = 32" for each value set.
    """
    current = flatten(config)
    missing = {k: v for k, v in values.items() if k in current and current[k] is None}
    config.update_from_flattened_dict(missing)
    return [f"{key} = {value!r}" for key, value in missing.items()]


def steps(images: int, batch_size: int) -> int:
    """The whole steps that show at least `images` images."""
    return -(-images // batch_size)


def to_json(config: ConfigDict) -> str:
    """The config as JSON with sorted keys; `read` returns an equal one."""
    return json.dumps(config.to_dict(), indent=2, sort_keys=True, allow_nan=False) + "\n"


def save(config: ConfigDict, path: str | Path) -> None:
    """Writes `config` as JSON: the whole file or, if interrupted, nothing."""
    files.write_text(Path(path), to_json(config))


def read(path: str | Path) -> ConfigDict:
    """The config that `save` wrote."""
    try:
        saved = _tuples(json.loads(Path(path).read_text(encoding="utf-8")))
        if "model" in saved:
            saved["model"] = renamed(saved["model"])
        for options in saved.get("optimizers", {}).values():
            _renew(options)
        return ConfigDict(saved).lock()
    except FileNotFoundError:
        raise UserError(f"There is no {path}. Is its folder a run directory?") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is not a config that ganzoo saved: {error}") from None


def renamed(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a model under the names of today."""
    return {RENAMED.get(name, name): value for name, value in arguments.items()}


def _renew(options: dict[str, Any]) -> None:
    """Gives an optimizer of a saved config the keys of today."""
    options.setdefault("name", "Adam")
    decay = {key: options.pop(key) for key in schedules.DECAY_KEYS[1:] if key in options}
    if decay:
        options["learning_rate"] = schedules.from_decay(options["learning_rate"], decay)


def data_of(model: str | Path) -> dict[str, Any]:
    """`config.data` of the recipe that a trained model was made with; empty where none is known.

    Args:
        model: a run directory, one of the models in it, or a name.
    """
    path = files.expanded(model)
    if not path.is_dir():
        return dict(load(model).data) if model in recipes() else {}
    # A model's own config.json, beside its weights, says nothing of data.
    places = [folder / "config.json" for folder in (path, path.parent)]
    found = [read(place).get("data") for place in places if place.exists()]
    return dict(next(filter(None, found), {}))


def diff(old: ConfigDict, new: ConfigDict, ignore: Collection[str] = ()) -> list[str]:
    """One line "batch_size: 64 -> 32" for each value that differs and is not to be ignored."""
    before, after = flatten(old), flatten(new)
    return [
        f"{key}: {_shown(before, key)} -> {_shown(after, key)}"
        for key in sorted((before.keys() | after.keys()) - set(ignore))
        if _shown(before, key) != _shown(after, key)
    ]


def blocking_changes(old: ConfigDict, new: ConfigDict, ignore: Collection[str] = ()) -> list[str]:
    """The lines of `diff` that forbid resuming `old` as `new`.

    A key that is younger than the run may have its default, which is what the run was made with;
    those to `ignore` any value.
    """
    before, after, defaults = (flatten(config) for config in (old, new, schema(new)))
    young = {key for key in after.keys() - before.keys() if after[key] == defaults.get(key)}
    return diff(old, new, ignore=RESUMABLE_KEYS | young | set(ignore))


def slug(dataset: str) -> str:
    """A data set's name as part of a file name: "folder:/photos/My Cats.zip" -> "my_cats"."""
    last = dataset.rstrip("/").rsplit("/", 1)[-1].lower().removesuffix(".zip")
    return re.sub(r"\W+", "_", last).strip("_")


def _check_keys(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    for key in values.keys() - defaults.keys():
        raise unknown("config key", key, defaults)
    for key in defaults.keys() - values.keys():
        raise UserError(f"The config lacks {key!r}, which the default recipe has.")


def _check_type(key: str, value: Any, expected: type, default: Any) -> None:
    if value is None and (default is None or key in _OPTIONAL):
        return
    if expected is object:  # a number or a schedule
        if schedules.is_schedule(value):
            schedules.check(f"config.{key}", value)
            return
        expected = int if key.endswith("_images") else float
    legal = (int, float) if expected is float else (expected,)
    if type(value) not in legal:
        example = "" if default is None else f", as in {default!r}"
        raise UserError(
            f"config.{key} = {value!r} is of type {type(value).__name__}; expected"
            f" {expected.__name__}{example}."
        )
    if expected is float and not math.isfinite(value):
        raise UserError(f"config.{key} = {value!r}; expected a finite number.")


def _check_range(key: str, value: Any) -> None:
    scheduled = schedules.is_schedule(value)
    values = {v for v in schedules.values_of(value) if v is not None and not (scheduled and v == 0)}
    for pattern, (legal, words) in _RULES.items():
        if fnmatch(key, pattern) and not all(map(legal, values)):
            raise UserError(f"config.{key} = {value!r}; expected {words}.")


def _shown(flat: Mapping[str, Any], key: str) -> str:
    return repr(flat[key]) if key in flat else "(absent)"


def _tuples(value: Any) -> Any:
    """JSON has no tuples; configs have no lists, since no list can be overridden by a flag."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
