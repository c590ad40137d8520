"""What MkDocs does to pages besides: those of models, their cards, and formulas as drawings."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path

import ziamath
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]
import model_pages  # noqa: E402  (it lies beside this file)

EM = 16  # size of the font that formulas are drawn in
_CARDS = re.compile(r"^<!-- cards: (\S+) -->$", re.MULTILINE)
_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)
_SIDE = re.compile(r'\b(width|height)="([\d.]+)"')
ziamath.config.svg2 = False  # drawings of one page would share names
ziamath.config.precision = 2


def on_config(config, **kwargs):
    """Every model has an entry in the navigation, below that of all models."""
    (models,) = (entry["Models"] for entry in config.nav if "Models" in entry)
    models += [
        {model_pages.headline(name)[0]: f"models/{name}.md"} for name in model_pages.MODELS.bundled
    ]
    return config


def on_files(files, config, **kwargs):
    """Every model has a page, also where nothing was written by hand."""
    for name in model_pages.MODELS.bundled:
        path = f"models/{name}.md"
        if files.get_file_from_path(path) is None:
            files.append(File.generated(config, path, content=model_pages.page(name)))
    return files


def on_page_markdown(markdown: str, **kwargs) -> str:
    """Puts the cards of models, and what is generated of models, in the places of their marks."""
    markdown = model_pages.expand(markdown)
    return _CARDS.sub(lambda match: cards(ROOT / match[1]), markdown)


def on_page_content(content: str, **kwargs) -> str:
    """Draws TeX, which then looks alike everywhere, and needs no script and no font."""
    return _FORMULA.sub(_drawn, content)


def cards(folder: Path) -> str:
    """The cards of all models in a folder, each with its picture."""
    found = sorted(folder.glob("*/card.md"))
    if not found:
        raise PluginError(f"{folder} has no cards")
    return "\n".join(map(_card, found))


def _card(path: Path) -> str:
    """A card, its headings two levels lower, and the picture of the model's name."""
    picture = f"images/{path.parent.name}.png"
    if not (ROOT / "docs" / picture).exists():
        raise PluginError(f"{path} has no docs/{picture}")
    text = re.sub(r"^#", "###", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return f"{text}\n![What {path.parent.name} makes]({picture})\n"


def _drawn(match: re.Match) -> str:
    tag, tex = match["tag"], html.unescape(match["tex"]).strip()
    formula = ziamath.Latex(tex, size=EM, color="currentColor", inline=tag == "span")
    below = f"vertical-align: {formula.getyofst() / EM:.2f}em"
    label = f'role="img" aria-label="{html.escape(tex)}" style="{below}"'
    svg = formula.svg().replace("<svg ", f"<svg {label} ", 1)
    svg = _SIDE.sub(lambda side: f'{side[1]}="{float(side[2]) / EM:.3f}em"', svg, count=2)
    return f'<{tag} class="formula">{svg}</{tag}>'
