"""Models by name: those that come with ganzoo, and those that their authors publish."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from ganzoo.weights.download import sha256_of

FOLDER = Path(__file__).parent / "pretrained"

_NVIDIA = "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained"
_SOURCES = f"{_NVIDIA}/transfer-learning-source-nets"
_BERKELEY = "https://efrosgans.eecs.berkeley.edu/cyclegan/pretrained_models"
_PIX2PIX = "https://efrosgans.eecs.berkeley.edu/pix2pix/models-pytorch"
_OPENMMLAB = "https://download.openmmlab.com/mmediting/restorers/srresnet_srgan"
_DRIVE = "https://drive.google.com/uc?export=download&id="
_UNSTATED = "none stated for the weights; the authors' code is under BSD 2-Clause"
_BERKELEYS = {"image_size": 256, "channels": 3, "generator_width": 64}


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
        arguments: of the model's constructor, which the arrays of a file have to amount to; for
            one without a known hash.
        data: what it was trained on.
        metrics: what was published of it, with the protocol.
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

    def card(self, file: Path | None = None) -> str:
        """What there is to know about it, as Markdown.

        Args:
            file: where it was downloaded to; None if it was not.
        """
        if self.url is None:
            folder = FOLDER / self.name
            lines = [f"- SHA-256 of {p.name}: {sha256_of(p)}" for p in sorted(folder.glob("*.npz"))]
            return (folder / "card.md").read_text(encoding="utf-8") + "\n".join([*lines, ""])
        known = self.sha256 or "not published; that of the first download is pinned"
        return (
            f"# {self.name}\n\n{self.title}. Weights of the original authors, converted when loaded"
            f" ({self.program}).\n\n- Source: {self.url}\n- License: {self.license}\n"
            f"- Data: {self.data}\n- Metrics: {self.metrics or 'none published'}\n"
            f"- SHA-256: {sha256_of(file) if file else known}\n"
        )


class Presets(dict[str, Preset]):
    """Trained models by name, which print as a table."""

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(
            f"{name:{width}}  {preset.title} "
            + ("(comes with ganzoo)" if preset.url is None else f"(download, {preset.program})")
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
        found.append(Preset(name, title, terms.removeprefix("License: ")))
    return found


def _stylegan2_ada() -> list[Preset]:
    hashes = {  # and the size, if it is known
        "ffhq1024": (
            "a205a346e86a9ddaae702e118097d014b7b8bd719491396a162cca438f2f524c",
            381_624_121,
        ),
        "cifar10": ("f8952c74e23da2186d147ad871c48780bd59500ee37c301201081ee8e0cb32f1",),
    }
    files = {  # title, side, address, data
        "ffhq1024": ("Faces", 1024, f"{_NVIDIA}/ffhq.pkl", "FFHQ"),
        "cifar10": ("CIFAR-10, by class", 32, f"{_NVIDIA}/cifar10.pkl", "CIFAR-10"),
        "metfaces": ("Faces of works of art", 1024, f"{_NVIDIA}/metfaces.pkl", "MetFaces"),
        "afhqcat": ("Cats", 512, f"{_NVIDIA}/afhqcat.pkl", "AFHQ"),
        "afhqdog": ("Dogs", 512, f"{_NVIDIA}/afhqdog.pkl", "AFHQ"),
        "afhqwild": ("Wild animals", 512, f"{_NVIDIA}/afhqwild.pkl", "AFHQ"),
        "brecahad": ("Breast cancer histology", 512, f"{_NVIDIA}/brecahad.pkl", "BreCaHAD"),
        "ffhq256": ("Faces", 256, f"{_SOURCES}/ffhq-res256-mirror-paper256-noaug.pkl", "FFHQ"),
        "ffhq512": ("Faces", 512, f"{_SOURCES}/ffhq-res512-mirror-stylegan2-noaug.pkl", "FFHQ"),
        "celebahq256": (
            "Faces of celebrities",
            256,
            f"{_SOURCES}/celebahq-res256-mirror-paper256-kimg100000-ada-target0.5.pkl",
            "CelebA-HQ",
        ),
        "lsundog256": (
            "Dogs",
            256,
            f"{_SOURCES}/lsundog-res256-paper256-kimg100000-noaug.pkl",
            "LSUN",
        ),
    }
    measured = {
        "ffhq1024": "FID 2.76, as the README of clean-fid has it",
        "cifar10": "FID 2.42 and Inception score 10.14 in the paper, for the best of its trainings",
        "metfaces": "FID 18.22 and KID 0.00241 in the paper",
        "afhqdog": "FID 7.40 and KID 0.00116 in the paper",
        "afhqwild": "FID 3.05 and KID 0.00045 in the paper",
        "brecahad": "FID 15.71 and KID 0.00288 in the paper",
        "ffhq256": "FID 3.66 in the paper",
    }
    protocol = "; 50,000 images against all training images"
    return [
        Preset(
            f"stylegan2_ada_{name}",
            f"StyleGAN2: {title}, {side} px",
            "NVIDIA Source Code License, non-commercial research and evaluation",
            url,
            "stylegan2-ada-pytorch",
            *hashes.get(name, ()),
            arguments={} if name in hashes else _styled(side),
            data=data,
            metrics=f"{measured[name]}{protocol}" if name in measured else None,
        )
        for name, (title, side, url, data) in files.items()
    ]


def _styled(side: int) -> dict:
    """The published networks of StyleGAN2: half as wide up to 256 pixels."""
    return {
        "image_size": side,
        "channels": 3,
        "num_classes": 0,
        "latent_dim": 512,
        "style_dim": 512,
        "mapping_layers": 8,
        "channel_base": 16384 if side <= 256 else 32768,
        "channel_max": 512,
        "generator_architecture": "skip",
    }


def _cyclegan() -> list[Preset]:
    paintings = "photos of Flickr, and paintings of WikiArt"
    trained_on = {
        "apple2orange": "ImageNet",
        "orange2apple": "ImageNet",
        "summer2winter_yosemite": "photos of Yosemite from Flickr",
        "winter2summer_yosemite": "photos of Yosemite from Flickr",
        "horse2zebra": "ImageNet",
        "zebra2horse": "ImageNet",
        "monet2photo": paintings,
        "style_monet": paintings,
        "style_cezanne": paintings,
        "style_ukiyoe": paintings,
        "style_vangogh": paintings,
        "sat2map": "Google Maps",
        "map2sat": "Google Maps",
        "cityscapes_photo2label": "Cityscapes",
        "cityscapes_label2photo": "Cityscapes",
        "facades_photo2label": "CMP Facades",
        "facades_label2photo": "CMP Facades",
        "iphone2dslr_flower": "photos of flowers from Flickr",
    }
    measured = {
        "horse2zebra": "62.11",
        "zebra2horse": "138.65",
        "summer2winter_yosemite": "77.34",
        "winter2summer_yosemite": "72.63",
    }
    note = "by MMGeneration, which does not tell against which images"
    return [
        Preset(
            f"cyclegan_{name}",
            f"CycleGAN: {_in_words(name)}, 256 px",
            _UNSTATED,
            f"{_BERKELEY}/{name}.pth",
            "cyclegan-pytorch",
            arguments=_BERKELEYS
            | {"generator": "resnet", "num_blocks": 9, "normalization": "instance"},
            data=data,
            metrics=f"FID {measured[name]}, measured {note}" if name in measured else None,
        )
        for name, data in trained_on.items()
    ]


def _pix2pix() -> list[Preset]:
    trained_on = {
        "edges2shoes": "UT Zappos50K",
        "sat2map": "Google Maps",
        "map2sat": "Google Maps",
        "facades_label2photo": "CMP Facades",
        "day2night": "Transient Attributes",
    }
    return [
        Preset(
            f"pix2pix_{name}",
            f"pix2pix: {_in_words(name)}, 256 px",
            _UNSTATED,
            f"{_PIX2PIX}/{name}.pth",
            "pix2pix-pytorch",
            arguments=_BERKELEYS | {"generator": "unet", "normalization": "image"},
            data=data,
        )
        for name, data in trained_on.items()
    ]


def _srgan() -> list[Preset]:
    known = {
        "srresnet_x4_mmagic": (
            "MSRResNet: 4 times as large",
            "msrresnet_x4c64b16_1x16_300k_div2k_20200521-61556be5.pth",
            "Set5 30.23 dB, SSIM 0.849; Set14 26.78 dB, 0.737",
        ),
        "srgan_x4_mmagic": (
            "SRGAN with MSRResNet: 4 times as large",
            "srgan_x4c64b16_1x16_1000k_div2k_20200606-a1f0810e.pth",
            "Set5 27.95 dB, SSIM 0.785; Set14 24.74 dB, 0.649",
        ),
    }
    return [
        Preset(
            name,
            title,
            "Apache-2.0",
            f"{_OPENMMLAB}/{file}",
            "mmagic",
            file[-12:-4],
            data="DIV2K",
            metrics=f"{measured}; in RGB with a border of 4 pixels",
        )
        for name, (title, file, measured) in known.items()
    ]


def _in_words(name: str) -> str:
    """ "style_monet" -> "photo to painting in the style of monet"."""
    if name.startswith("style_"):
        return f"photo to painting in the style of {name.removeprefix('style_')}"
    return name.replace("_", " ").replace("2", " to ")


_SSGAN = Preset(
    "ssgan_cifar10_mimicry",
    "SSGAN: CIFAR-10, 32 px",
    "MIT",
    f"{_DRIVE}1sceT1tUPw2wRVqLcpg1EkWpz8Qa5j_fE",
    "mimicry",
    arguments={"image_size": 32, "channels": 3, "latent_dim": 128, "generator_width": 256},
    data="CIFAR-10",
    metrics="FID 14.65, Inception score 8.17; 50,000 images against the training images",
)
_ALL = (*_bundled(), *_cyclegan(), *_pix2pix(), *_srgan(), _SSGAN, *_stylegan2_ada())
TABLE = {preset.name: preset for preset in _ALL}
