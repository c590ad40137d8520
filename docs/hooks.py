"""What MkDocs does to pages besides: parts of other files, and formulas without JavaScript."""

from __future__ import annotations

import html
import re
from pathlib import Path

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError

ROOT = Path(__file__).parents[1]
_SECTION = re.compile(r"^<!-- section: (\S+) (.+) -->$", re.MULTILINE)
_CARDS = re.compile(r"^<!-- cards: (\S+) -->$", re.MULTILINE)
_FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)


def on_page_markdown(markdown: str, **kwargs) -> str:
    """Puts sections of other files, and the cards of models, in the places of their marks."""
    markdown = _SECTION.sub(lambda match: section(ROOT / match[1], match[2]), markdown)
    return _CARDS.sub(lambda match: cards(ROOT / match[1]), markdown)


def on_page_content(content: str, **kwargs) -> str:
    """Makes MathML, which browsers render by themselves, of TeX."""
    return _FORMULA.sub(_mathml, content)


def section(path: Path, heading: str) -> str:
    """What stands under a heading of the second level, without it."""
    text = path.read_text(encoding="utf-8")
    pattern = rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)"
    found = re.search(pattern, text, re.DOTALL | re.MULTILINE)
    if found is None:
        raise PluginError(f"{path.name} has no section {heading!r}")
    return found[1].strip()


def cards(folder: Path) -> str:
    """The cards of all models in a folder, their headings one level lower."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*/card.md"))]
    if not texts:
        raise PluginError(f"{folder} has no cards")
    return "\n".join(re.sub(r"^#", "##", text, flags=re.MULTILINE) for text in texts)


def _mathml(match: re.Match) -> str:
    display = "block" if match["tag"] == "div" else "inline"
    formula = convert(html.unescape(match["tex"]), display=display)
    return f'<{match["tag"]} class="formula">{formula}</{match["tag"]}>'
