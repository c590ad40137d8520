"""Models by name: those that come with ganzoo, and those that their authors publish."""

from __future__ import annotations

import dataclasses
from pathlib import Path

FOLDER = Path(__file__).parent / "pretrained"

_NVIDIA = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained"
_SOURCES = f"{_NVIDIA}/transfer-learning-source-nets"
_BERKELEY = "http://efrosgans.eecs.berkeley.edu/cyclegan/pretrained_models"
_PIX2PIX = "http://efrosgans.eecs.berkeley.edu/pix2pix/models-pytorch"
_OPENMMLAB = "https://download.openmmlab.com/mmediting/restorers/srresnet_srgan"
_DRIVE = "https://drive.google.com/uc?export=download&id="


@dataclasses.dataclass(frozen=True)
class Preset:
    """A trained model that has a name.

    Attributes:
        name: for `ganzoo.models.load`.
        title: what it makes.
        license: of the weights.
        url: where the authors publish it; None for what comes with ganzoo.
        program: that wrote the file, a key of `ganzoo.models.FORMATS`.
        sha256: of the file, where it is known, or its first digits.
        size: of the file in bytes, where it is known.
    """

    name: str
    title: str
    license: str
    url: str | None = None
    program: str | None = None
    sha256: str | None = None
    size: int | None = None

    def card(self) -> str:
        """What there is to know about it, as Markdown."""
        if self.url is None:
            return (FOLDER / self.name / "card.md").read_text(encoding="utf-8")
        known = self.sha256 or "not published; that of the first download is pinned"
        return (
            f"# {self.name}\n\n{self.title}. Weights of the original authors, converted when loaded"
            f" ({self.program}).\n\n- Source: {self.url}\n- License: {self.license}\n"
            f"- SHA-256: {known}\n"
        )


def presets() -> dict[str, Preset]:
    """All models that `ganzoo.models.load` knows by name."""
    return dict(TABLE)


def _bundled() -> list[Preset]:
    """What comes with ganzoo; the first lines of a card are its name, title and license."""
    found = []
    for path in sorted(FOLDER.glob("*/card.md")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
        name, title, terms = lines[0].removeprefix("# "), lines[1], lines[2]
        found.append(Preset(name, title, terms.removeprefix("License: ")))
    return found


def _stylegan2_ada() -> list[Preset]:
    known = {
        "ffhq1024": (
            "Faces, 1024 px",
            f"{_NVIDIA}/ffhq.pkl",
            "a205a346e86a9ddaae702e118097d014b7b8bd719491396a162cca438f2f524c",
            381_624_121,
        ),
        "cifar10": (
            "CIFAR-10, by class",
            f"{_NVIDIA}/cifar10.pkl",
            "f8952c74e23da2186d147ad871c48780bd59500ee37c301201081ee8e0cb32f1",
        ),
        "metfaces": ("Faces of works of art, 1024 px", f"{_NVIDIA}/metfaces.pkl"),
        "afhqcat": ("Cats, 512 px", f"{_NVIDIA}/afhqcat.pkl"),
        "afhqdog": ("Dogs, 512 px", f"{_NVIDIA}/afhqdog.pkl"),
        "afhqwild": ("Wild animals, 512 px", f"{_NVIDIA}/afhqwild.pkl"),
        "brecahad": ("Breast cancer histology, 512 px", f"{_NVIDIA}/brecahad.pkl"),
        "ffhq256": ("Faces, 256 px", f"{_SOURCES}/ffhq-res256-mirror-paper256-noaug.pkl"),
        "ffhq512": ("Faces, 512 px", f"{_SOURCES}/ffhq-res512-mirror-stylegan2-noaug.pkl"),
        "celebahq256": (
            "Faces of celebrities, 256 px",
            f"{_SOURCES}/celebahq-res256-mirror-paper256-kimg100000-ada-target0.5.pkl",
        ),
        "lsundog256": ("Dogs, 256 px", f"{_SOURCES}/lsundog-res256-paper256-kimg100000-noaug.pkl"),
    }
    terms = "NVIDIA Source Code License, non-commercial research and evaluation"
    return [
        Preset(
            f"stylegan2_ada_{name}",
            f"StyleGAN2: {title}",
            terms,
            url,
            "stylegan2-ada-pytorch",
            *rest,
        )
        for name, (title, url, *rest) in known.items()
    ]


def _cyclegan() -> list[Preset]:
    names = (
        "apple2orange",
        "orange2apple",
        "summer2winter_yosemite",
        "winter2summer_yosemite",
        "horse2zebra",
        "zebra2horse",
        "monet2photo",
        "style_monet",
        "style_cezanne",
        "style_ukiyoe",
        "style_vangogh",
        "sat2map",
        "map2sat",
        "cityscapes_photo2label",
        "cityscapes_label2photo",
        "facades_photo2label",
        "facades_label2photo",
        "iphone2dslr_flower",
    )
    terms = "none stated for the weights; the authors' code is under BSD 2-Clause"
    return [
        Preset(
            f"cyclegan_{name}",
            f"CycleGAN: {_in_words(name)}, 256 px",
            terms,
            f"{_BERKELEY}/{name}.pth",
            "cyclegan-pytorch",
        )
        for name in names
    ]


def _pix2pix() -> list[Preset]:
    names = ("edges2shoes", "sat2map", "map2sat", "facades_label2photo", "day2night")
    terms = "none stated for the weights; the authors' code is under BSD 2-Clause"
    return [
        Preset(
            f"pix2pix_{name}",
            f"pix2pix: {_in_words(name)}, 256 px",
            terms,
            f"{_PIX2PIX}/{name}.pth",
            "pix2pix-pytorch",
        )
        for name in names
    ]


def _srgan() -> list[Preset]:
    known = {
        "srresnet_x4_mmagic": (
            "MSRResNet: 4 times as large",
            "msrresnet_x4c64b16_1x16_300k_div2k_20200521-61556be5.pth",
        ),
        "srgan_x4_mmagic": (
            "SRGAN with MSRResNet: 4 times as large",
            "srgan_x4c64b16_1x16_1000k_div2k_20200606-a1f0810e.pth",
        ),
    }
    return [
        Preset(name, title, "Apache-2.0", f"{_OPENMMLAB}/{file}", "mmagic", file[-12:-4])
        for name, (title, file) in known.items()
    ]


def _in_words(name: str) -> str:
    """ "style_monet" -> "photo to painting in the style of monet"."""
    if name.startswith("style_"):
        return f"photo to painting in the style of {name.removeprefix('style_')}"
    return name.replace("_", " ").replace("2", " to ")


def _ssgan() -> list[Preset]:
    url = f"{_DRIVE}1sceT1tUPw2wRVqLcpg1EkWpz8Qa5j_fE"
    return [Preset("ssgan_cifar10_mimicry", "SSGAN: CIFAR-10, 32 px", "MIT", url, "mimicry")]


TABLE = {
    preset.name: preset
    for make in (_bundled, _cyclegan, _pix2pix, _srgan, _ssgan, _stylegan2_ada)
    for preset in make()
}
