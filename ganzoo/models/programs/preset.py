"""Trained models that have a name."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.weights.download import hash_of

NO_LICENSE = "none stated for the weights; the authors' code is under BSD 2-Clause"


@dataclasses.dataclass(frozen=True)
class Preset:
    """A trained model that has a name.

    Attributes:
        name: for `ganzoo.models.load`.
        title: what it makes.
        license: of the weights.
        url: where the authors publish it; None for what comes with ganzoo.
        program: that wrote the file, a key of `ganzoo.models.PROGRAMS`.
        sha256: of the file, where it is known, or its first digits.
        size: of the file in bytes, where it is known.
        arguments: of the model's constructor, which the arrays of a file have to amount to; for
            one without a known hash.
        data: what it was trained on.
        metrics: what was published of it, with the protocol.
        folder: of one that comes with ganzoo.
    """

    name: str
    title: str
    license: str
    url: str | None = None
    program: str | None = None
    sha256: str | None = None
    size: int | None = None
    arguments: Mapping[str, object] = dataclasses.field(default_factory=dict)
    data: str | None = None
    metrics: str | None = None
    folder: Path | None = None

    def card(self, file: Path | None = None) -> str:
        """What there is to know about it, as Markdown.

        Args:
            file: where it was downloaded to; None if it was not.
        """
        if self.folder is not None:
            files = sorted(self.folder.glob("*.npz"))
            hashes = [f"- SHA-256 of {path.name}: {hash_of(path)}" for path in files]
            return (self.folder / "card.md").read_text("utf-8") + "\n".join([*hashes, ""])
        known = self.sha256 or "not published; that of the first download is pinned"
        return (
            f"# {self.name}\n\n{self.title}. Weights of the original authors, converted when loaded"
            f" ({self.program}).\n\n- Source: {self.url}\n- License: {self.license}\n"
            f"- Data: {self.data}\n- Metrics: {self.metrics or 'none published'}\n"
            f"- SHA-256: {hash_of(file) if file else known}\n"
        )

    def require(self, model: GAN, file: Path) -> None:
        """Raises UserError unless the model in a file whose hash is unknown has its arguments."""
        wrong = [
            f"{key} = {model.arguments.get(key)!r}, expected {value!r}"
            for key, value in self.arguments.items()
            if model.arguments.get(key) != value
        ]
        if wrong:
            raise UserError(
                f"{file} is not {self.name}: its network has {'; '.join(wrong)}. Remove the file"
                " and what pins.json beside it says of it, and fetch it again."
            )
