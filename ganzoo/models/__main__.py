"""Trained models by name: lists them and what can be trained, describes one, fetches some, packs
one of your own.

python -m ganzoo.models list
python -m ganzoo.models info NAME_OR_PATH...
python -m ganzoo.models fetch NAME...
python -m ganzoo.models pack RUN_DIR FOLDER
"""

from pathlib import Path

from ganzoo import cli, files, models
from ganzoo.errors import UserError, choose
from ganzoo.weights import download


def main(argv):
    """The command line."""
    command, *words = argv[1:] or [""]
    choose("command", command, COMMANDS)(*words)


def _list(*words):
    cli.refuse_words(words)
    print(models.presets())
    print(f"\nTo be trained, by python -m ganzoo.train --model=NAME: {', '.join(models.MODELS)}")


def _info(*names):
    for name in names or _named(names):
        if files.expanded(name).exists():
            model = models.load(name)
            print(f"{model.card}\n\n{model.describe()}")
            continue
        (preset,) = _named([name])
        file = download.place_of(preset.url) if preset.url else None
        here = file is None or file.exists()
        print(preset.card(file if here else None))
        if here:
            print(models.load(preset.name).describe())


def _fetch(*names):
    for preset in _named(names):
        if preset.url is None:
            print(f"{preset.name} comes with ganzoo")
            continue
        print(f"{preset.title}. License: {preset.license}", flush=True)
        print(f"{preset.name}: {download.fetch(preset.url, preset.sha256, preset.size)}")


def _pack(*words):
    if len(words) != 2:
        raise UserError("Expected: python -m ganzoo.models pack RUN_DIR FOLDER")
    models.pack(words[0], Path(words[1]))
    sizes = sum(path.stat().st_size for path in Path(words[1]).iterdir())
    print(f"Wrote {words[1]}, {sizes:,} bytes")


def _named(names) -> list[models.Preset]:
    """The presets; raises UserError for an unknown name, or none at all."""
    if not names:
        raise UserError("Name one or more models; python -m ganzoo.models list shows all")
    return [choose("preset", name, models.presets()) for name in names]


COMMANDS = {"list": _list, "info": _info, "fetch": _fetch, "pack": _pack}

if __name__ == "__main__":
    cli.run(main, commands=None)
