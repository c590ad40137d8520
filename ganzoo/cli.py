"""What the command lines share: flags that make a config, and errors without a traceback.

A command has a function that defines its flags with absl, by way of `define_config_flags()` where
it needs a config, and ends in `cli.run(main, define_flags)`: flags are defined and parsed, and a
UserError is printed as one line. No flag is defined by an import, so that every module can be
imported beside every other, and one process can run one command after another.
"""

import contextlib
import errno
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from absl import app, flags, logging
from ml_collections import ConfigDict
from ml_collections.config_flags import config_flags

from ganzoo import config as configs
from ganzoo import schedules
from ganzoo.errors import UserError, unknown
from ganzoo.recipes import MODELS, import_module

FLAGS = flags.FLAGS
flags.disclaim_key_flags()  # --help lists the flags below under the main that asked for them

# Short forms of --config.KEY; `dataset` and `model` also choose the config.
_SHORT = {
    "model": (
        "model_name",
        "which GAN, by name or as module:Class; chooses the recipe, with --dataset",
    ),
    "dataset": ("data.dataset", "which images"),
    "data_dir": ("data.data_dir", "where tensorflow_datasets finds or prepares its data"),
    "init_from": ("init_from", "a run, or a model by name, from whose weights training starts"),
    "on_bad_file": ("data.on_bad_file", "fail or skip"),
    "jit": ("jit", "auto, on or off: whether XLA compiles the gradient computations"),
    "precision": ("precision", "auto, float32, mixed_bfloat16 or mixed_float16"),
}
_HELP = ("--help", "-help", "--helpshort", "-?")
_OVERRIDE = re.compile(r"--?(?:no)?config\.([^=]+)")
_RATE = re.compile(
    rf"--?config\.optimizers\.(?P<player>\w+)\.(?P<key>{'|'.join(schedules.DECAY_KEYS)})=(.*)"
)


def define_config_flags() -> None:
    """Defines --config with its --config.KEY=VALUE, and the short forms of the frequent ones."""
    flags.DEFINE_string("config", None, "a recipe's name or a Python file")
    for name, (_, words) in _SHORT.items():
        flags.DEFINE_string(name, None, words)


def define_device_flags() -> None:
    """Defines the flags that `ganzoo.devices.strategy` takes."""
    flags.DEFINE_string("devices", None, "cpu, gpu, cpu:COUNT or gpu:COUNT; all GPUs by default")
    flags.DEFINE_string("tpu", None, "name of a TPU, or local")


class _Output:
    """Standard output or error, which drops what it is given once nobody reads it."""

    GONE = (errno.EPIPE, errno.EIO)  # of a closed pipe, of a closed terminal

    def __init__(self, stream: TextIO):
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        self._unless_gone(self.stream.write, text)
        return len(text)

    def flush(self) -> None:
        self._unless_gone(self.stream.flush)

    def _unless_gone(self, act: Callable, *args) -> None:
        try:
            act(*args)
        except OSError as error:
            if error.errno not in self.GONE:
                raise
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), self.stream.fileno())


@contextlib.contextmanager
def _surviving_its_readers() -> Iterator[None]:
    """Within it a reader that goes, such as `head`, ends no work that is under way."""
    outputs = [_Output(stream or io.StringIO()) for stream in (sys.stdout, sys.stderr)]
    with contextlib.redirect_stdout(outputs[0]), contextlib.redirect_stderr(outputs[1]):
        try:
            yield
        finally:
            for output in outputs:
                output.flush()


@_surviving_its_readers()
def run(
    main: Callable[[list[str]], Any],
    define_flags: Callable[[], None] | None = None,
    commands: Sequence[str] | None = (),
    describe: Callable[[], str] | None = None,
) -> None:
    """Runs an absl `main`; a UserError is printed without traceback and exits with code 2.

    Args:
        main: called with the words beside the flags.
        define_flags: defines the flags; None where there are none.
        commands: the words that may stand beside the flags; None leaves them to `main`.
        describe: of a command whose --model declares more flags, which are left to `main` as words:
            what --help says of them.
    """

    def parse_flags(argv: list[str]) -> list[str]:
        if describe is not None and not set(_HELP).isdisjoint(argv):
            FLAGS([word for word in argv if word not in _HELP], known_only=True)
            if FLAGS.model is not None:
                print(describe(), end="\n\n")
        rest = parse(argv, own, known_only=describe is not None)
        if commands is not None:
            _check_words(rest[1:], commands)
        return rest

    if hasattr(sys.stdout, "reconfigure"):  # names that a code page lacks must not end a command
        sys.stdout.reconfigure(errors="backslashreplace")
    logging.set_verbosity(logging.WARNING)  # TensorFlow and its data sets are talkative
    try:
        with defined(define_flags) as own:
            app.run(main, flags_parser=parse_flags)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        how = "a training resumes from its last checkpoint, a folder with --skip_existing"
        print(f"Interrupted; {how}.", file=sys.stderr)
        sys.exit(130)


@contextlib.contextmanager
def defined(define_flags: Callable[[], None] | None) -> Iterator[list[str]]:
    """Within it the flags of a command are defined, and only within it; gives their names."""
    app.define_help_flags()  # once for all commands of a process
    others = set(FLAGS)
    flags.DEFINE_list("imports", [], "modules with models of your own, which are imported first")
    if define_flags is not None:
        define_flags()
    try:
        yield sorted(set(FLAGS) - others)
    finally:
        for name in set(FLAGS) - others:
            delattr(FLAGS, name)


def parse(argv: Sequence[str], own: Sequence[str], known_only: bool = False) -> list[str]:
    """Parses `argv` into the flags and returns the words beside them, with unknown flags among them
    if they are to be left.

    Raises:
        UserError: for what is no flag, with the nearest of the command's `own` names, or no value.
    """
    FLAGS.set_gnu_getopt()  # a flag may follow a word
    try:
        for module in _imports(argv):
            import_module(module)
        argv = define_recipe(argv) if "config" in FLAGS else argv
        return FLAGS(argv, known_only=known_only)
    except flags.UnrecognizedFlagError as error:
        raise unknown("flag", f"--{error.flagname}", [f"--{name}" for name in own]) from None
    except flags.Error as error:
        raise UserError(_explain(str(error))) from None


def _imports(argv: Sequence[str]) -> list[str]:
    """What --imports names: a model has to be there before its recipe is looked for."""
    alone = flags.FlagValues()
    alone.set_gnu_getopt()
    flags.DEFINE_list("imports", [], "", flag_values=alone)
    alone(argv, known_only=True)
    return alone.imports


def define_recipe(argv: Sequence[str], values: flags.FlagValues = FLAGS) -> list[str]:
    """Defines the config that `argv` names, and a flag for each value of it that `argv` changes.

    Args:
        argv: with short flags or not.
        values: where --config is defined already.

    Returns:
        `argv` without what names the config; as it was where it names none.

    Raises:
        UserError: for keys that the config does not have.
    """
    program, *rest = expand_argv(argv)
    if not rest or not rest[0].startswith("--config="):
        return [program, *rest]
    name, argv = rest[0].partition("=")[2], [program, *rest[1:]]
    config = configs.load(name)
    _check_overrides(argv, config)
    delattr(values, "config")
    config_flags.DEFINE_config_dict("config", config, flag_values=values, sys_argv=argv)
    values["config"].recipe = name
    return argv


def expand_argv(argv: Sequence[str]) -> list[str]:
    """`argv` with its short flags replaced by --config=NAME and overrides of that config.

    The name comes first, and the overrides that were written out come last. A data set that has no
    recipe becomes an override of the model's default one.
    """
    short = flags.FlagValues()
    short.set_gnu_getopt()
    for name in ("config", *_SHORT):
        flags.DEFINE_string(name, None, "", flag_values=short)
    program, *rest = map(_renamed, short(argv, known_only=True))
    chosen = {name: short[name].value for name in _SHORT if short[name].value is not None}
    if short.config is None and not chosen and not any(map(_OVERRIDE.match, rest)):
        return [program, *rest]
    recipe = _choose(short.config, chosen)
    overrides = [f"--config.{_SHORT[name][0]}={value}" for name, value in chosen.items()]
    rest = _with_schedules(rest, recipe)
    return [program, f"--config={recipe}", *overrides, *rest]


def _renamed(word: str) -> str:
    """An override of an argument that had another name."""
    key, equals, value = word.partition("=")
    prefix = "--config.model."
    name = key.removeprefix(prefix)
    return f"{prefix}{configs.RENAMED[name]}{equals}{value}" if name in configs.RENAMED else word


def _with_schedules(words: list[str], recipe: str) -> list[str]:
    """Words whose overrides of the keys that described the decay of a learning rate, before there
    were schedules, are one override of the learning rate."""
    players = configs.load(recipe).optimizers
    matches = {word: match for word in words if (match := _RATE.fullmatch(word))}
    decaying = {match["player"] for match in matches.values() if match["key"] != "learning_rate"}
    others, changes = [], {player: {} for player in players if player in decaying}
    for word in words:
        if word in matches and matches[word]["player"] in changes:
            player, key, text = matches[word].groups()
            changes[player][key] = _number(word, text, int if key.endswith("_images") else float)
        else:
            others.append(word)
    for player, change in changes.items():
        rate = schedules.from_decay(players[player].learning_rate, change)
        others.append(f"--config.optimizers.{player}.learning_rate={rate!r}")
    return others


def _number(word: str, text: str, expected: type) -> float:
    try:
        return expected(text)
    except ValueError:
        raise UserError(f"{word}: expected {expected.__name__}") from None


def from_flags() -> ConfigDict:
    """The validated config of the parsed flags; None still marks what is inferred from the data."""
    if FLAGS.config is None:
        raise UserError(_nothing_named())
    configs.validate(FLAGS.config)
    if FLAGS.config.data.dataset is None:
        raise UserError("No data set was named. Add --dataset=NAME, such as --dataset=shapes.")
    return FLAGS.config


def run_name() -> str:
    """The config's name; of recipes for any data, with that of the data set: "ssgan_my_cats"."""
    recipe, model = FLAGS["config"].recipe, FLAGS.config.model_name
    name = Path(recipe).stem
    if recipe != model and name not in (model, f"{model}_folder"):
        return name
    return f"{model.rpartition(':')[2]}_{configs.slug(FLAGS.config.data.dataset)}"


def _choose(config: str | None, chosen: dict[str, str]) -> str:
    """The config's name; drops from `chosen` what it already settles.

    Beside --config, --dataset names the data where the config leaves them open.
    """
    if config is None and "model" not in chosen:
        raise UserError(_nothing_named())
    if config is None:
        model, dataset = chosen.pop("model"), chosen.get("dataset")
        found = configs.find(model, dataset)
        if found == f"{model}_{dataset}":
            del chosen["dataset"]
        return found
    settled = configs.load(config).data.dataset is not None
    if "model" in chosen or ("dataset" in chosen and settled):
        raise UserError(
            f"--config={config} already names a model and its data: drop --model and --dataset"
            " (for other images there is --config.data.dataset=NAME)."
        )
    return config


def _check_overrides(argv: Sequence[str], config: ConfigDict) -> None:
    known = configs.flatten(config)
    for match in filter(None, map(_OVERRIDE.match, argv)):
        if match[1] not in known:
            raise unknown("config key", match[1], known)


def flags_in(words: Sequence[str], old_names: Mapping[str, str] = {}) -> dict[str, str]:
    """The values of flags that `parse` has left, `--name=value` or `--name value`, by their names.

    Args:
        words: beside the known flags.
        old_names: which flags had other names, which are still read.

    Raises:
        UserError: for a word that is no flag, or a flag without a value.
    """
    found, left = {}, list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            refuse_words([word])
        name, equals, value = word[2:].partition("=")
        if not equals:
            if not left:
                raise UserError(f"{word} has no value; flags are --name=value")
            value = left.pop(0)
        found[old_names.get(name, name)] = value
    return found


def refuse_words(words: Sequence[str]) -> None:
    """Raises UserError if there are words beside the flags."""
    _check_words(words, ())


def _check_words(words: Sequence[str], commands: Sequence[str]) -> None:
    for word in words:
        if word not in commands:
            hint = f" Known: {', '.join(commands)}." if commands else ""
            raise UserError(f"Unexpected argument {word!r}; flags are --name=value.{hint}")


def _explain(message: str) -> str:
    """absl's message; for an override, with the expected type instead of Python's words."""
    match = re.match(r"flag --config\.([\w.]+)=(.*?): ", message, re.DOTALL)
    if match is None:
        return f"{message}. --help lists the flags."
    flag = FLAGS[f"config.{match[1]}"]
    example = "" if flag.value is None else f", as in {flag.value!r}"
    return f"--config.{match[1]}={match[2]}: expected {flag.flag_type()}{example}."


def _nothing_named() -> str:
    return (
        "Name what to train: --model=MODEL --dataset=NAME, or --config=NAME_OR_FILE."
        f" Models: {', '.join(MODELS)}. Recipes: {', '.join(configs.recipes())}."
    )
