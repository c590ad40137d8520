"""What is written about each model from its docstring, its recipes and its cards.

MkDocs makes the pages, entries and tables when it builds the site (`docs/hooks.py`); the rows of
the README are written by python docs/model_pages.py
"""

import ast
import re
from pathlib import Path

from ganzoo import config
from ganzoo.recipes import MODELS

ROOT = Path(__file__).parents[1]
_BY_HAND = ROOT / "docs" / "models"
_ROWS = re.compile(r"(?<=<!-- models -->\n).*?(?=<!-- end of models -->)", re.DOTALL)
_COMMAND = re.compile(r"^ +(python -m ganzoo\.train .*)$", re.MULTILINE)
_FIGURE = re.compile(r"^- Figure: (.*?)\.?$", re.MULTILINE)
_HEAD = """\
| model | paper | recipes | command | picture | measured |
|---|---|---|---|---|---|
"""


def docstring(path: str) -> str:
    """That of a file in the repository."""
    return ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8")))


def headline(name: str) -> tuple[str, str]:
    """A model's name as people write it, and what it is, of its file's first sentence."""
    title, _, what = docstring(f"ganzoo/models/{name}.py").partition("\n\n")[0].partition(": ")
    return title, " ".join(what.split()).rstrip(".")


def paper(name: str) -> str:
    """The paper of a model, with a link, as the default recipe cites it."""
    cited = " ".join(docstring(f"configs/{name}.py").split("\n\n")[1].split()).rstrip(".")
    return re.sub(r"arXiv (\d{4}\.\d{4,5})", r"[arXiv \1](https://arxiv.org/abs/\1)", cited)


def recipes_of(name: str) -> list[str]:
    """The default recipe of a model, and its others."""
    others = [r for r in config.bundled() if r != name and config.load(r).model_name == name]
    return [name, *others]


def page(name: str) -> str:
    """The page of a model: what was written by hand, if anything was, else what its file says."""
    by_hand = _BY_HAND / f"{name}.md"
    if by_hand.exists():
        return expand(by_hand.read_text(encoding="utf-8"))
    text = docstring(f"ganzoo/models/{name}.py").partition("\n\n")[2]
    return expand(
        f"# {headline(name)[0]}\n\n{paper(name)}.\nCode: `ganzoo/models/{name}.py`,"
        f" [reference](../reference/models.md#{MODELS[name].replace(':', '.')}).\n\n"
        f"``` text\n{text}\n```\n\n## Recipe\n\n<!-- recipes: {name} -->\n"
    )


def expand(text: str) -> str:
    """Puts recipes of models, the table of models and their reference in place of their marks."""
    text = re.sub(r"^<!-- recipes: (\w+) -->$", lambda m: _listing(m[1]), text, flags=re.MULTILINE)
    reference = "\n\n".join(f"::: ganzoo.models.{name}" for name in MODELS.bundled)
    text = text.replace("<!-- reference of models -->", reference)
    return text.replace("<!-- table of models -->", _table())


def _listing(name: str) -> str:
    """The files of all recipes of a model; all but the default one are folded."""
    # One file may have several recipes.
    default, *others = dict.fromkeys(config.resolve(recipe).stem for recipe in recipes_of(name))
    shown = [f'``` {{ .python }}\n--8<-- "configs/{default}.py"\n```']
    for other in others:
        title = docstring(f"configs/{other}.py").partition("\n\n")[0]
        title = " ".join(title.split()).rstrip(".").replace('"', "'")
        file = f'    ``` {{ .python }}\n    --8<-- "configs/{other}.py"\n    ```'
        shown.append(f'??? note "configs/{other}.py: {title}"\n\n{file}')
    return "\n\n".join(shown)


def _table() -> str:
    lines = ["| model | what it is | paper | players |", "|---|---|---|---|"]
    for name in MODELS.bundled:
        title, what = headline(name)
        players = ", ".join(config.load(name).optimizers)
        lines.append(f"| [{title}]({name}.md), `{name}` | {what} | {paper(name)} | {players} |")
    return "\n".join(lines)


def readme_rows() -> str:
    """The README's table of models."""
    return _HEAD + "".join(f"| {' | '.join(_cells(name))} |\n" for name in MODELS.bundled)


def _cells(name: str) -> list[str]:
    folder = ROOT / "ganzoo" / "models" / "pretrained"
    cards = {}
    for path in sorted(folder.glob("*/card.md")):
        facts = config.read(path.with_name("config.json"))
        if facts.model_name == name:
            cards[path.parent.name] = path.read_text(encoding="utf-8")
    pictures = [p for p in cards if (ROOT / "docs" / "images" / f"{p}.png").exists()]
    picture = "".join(f"![made by {p}](docs/images/{p}.png)" for p in pictures[:1])
    figures = [f"`{p}`: {found[1]}" for p, c in cards.items() if (found := _FIGURE.search(c))]
    measured = f"{'; '.join(figures)}; see [measured](docs/measured.md)" if figures else ""
    recipes = ", ".join(f"`{recipe}`" for recipe in recipes_of(name))
    command = _COMMAND.search(docstring(f"configs/{name}.py"))[1]
    return [f"`{name}`", f"{headline(name)[0]}: {paper(name)}", recipes, f"`{command}`", picture,
            measured]  # fmt: skip


def with_rows(readme: str) -> str:
    """The README with the rows of today."""
    return _ROWS.sub(lambda match: readme_rows(), readme)


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(with_rows(path.read_text(encoding="utf-8")), encoding="utf-8")
