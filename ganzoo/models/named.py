"""Models by name: those that come with ganzoo, and those that their authors publish."""

from pathlib import Path

from ganzoo.programs import PROGRAMS
from ganzoo.programs.program import Preset

FOLDER = Path(__file__).parent / "pretrained"


class Presets(dict[str, Preset]):
    """Trained models by name, which print as a table."""

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(
            f"{name:{width}}  {preset.title} "
            + ("(comes with ganzoo)" if preset.folder else f"(download, {preset.program})")
            for name, preset in self.items()
        )


def presets() -> Presets:
    """All models that `ganzoo.models.load` knows by name."""
    return Presets(TABLE)


def _bundled() -> list[Preset]:
    """What comes with ganzoo; the first lines of a card are its name, title and license."""
    found = []
    for path in sorted(FOLDER.glob("*/card.md")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
        name, title, terms = lines[0].removeprefix("# "), lines[1], lines[2]
        license = terms.removeprefix("License: ")
        found.append(Preset(name, title, license, folder=path.parent))
    return found


_PUBLISHED = [preset for program in PROGRAMS.values() for preset in program.presets]
TABLE = {preset.name: preset for preset in (*_bundled(), *_PUBLISHED)}
