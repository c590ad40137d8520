"""Pairs of image domains, such as horses and zebras."""

from pathlib import Path

from ganzoo.data import catalog, drawn
from ganzoo.data.catalog import Info
from ganzoo.data.collection import Collection
from ganzoo.data.files import open_folder, path_of
from ganzoo.data.tfds import open_tfds
from ganzoo.errors import UserError, unknown

TFDS_PAIRS = (
    "apple2orange",
    "cezanne2photo",
    "cityscapes",
    "facades",
    "horse2zebra",
    "iphone2dslr_flower",
    "maps",
    "monet2photo",
    "summer2winter_yosemite",
    "ukiyoe2photo",
    "vangogh2photo",
)


def find_domains(
    dataset: str, data_dir: str | None = None, split: str = "train"
) -> tuple[Collection, Collection]:
    """The domains a and b that `unpaired:PATH` or the name of a pair of TFDS stands for."""
    if dataset.partition(":")[0] == "unpaired":
        return tuple(open_folder(f, labels=False) for f in _folders(path_of(dataset), split))
    name = dataset.removeprefix("cycle_gan/")
    if name not in TFDS_PAIRS:
        raise _no_pair(dataset)
    return tuple(
        open_tfds(f"cycle_gan/{name}", data_dir, f"{split}{domain}", labels=False)
        for domain in "AB"
    )


def _folders(root: Path, split: str) -> list[Path]:
    if root.is_file():
        raise UserError(
            f"{str(root)!r} is a file. Expected a folder that holds {split}A and {split}B: unpack"
            " the file, and name its folder."
        )
    folders = [root / f"{split}{domain}" for domain in "AB"]
    for folder in folders:
        if root.is_dir() and not folder.is_dir():
            found = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
            raise UserError(
                f"{str(root)!r} has no folder {folder.name}. Expected {folders[0].name} and"
                f" {folders[1].name}, with the images of either domain. Folders found:"
                f" {', '.join(found) or 'none'}."
            )
    return folders


def _no_pair(dataset: str) -> UserError:
    kind, _, path = dataset.partition(":")
    if kind in ("folder", "zip") or Path(dataset).exists():
        return UserError(
            f"{dataset} is one set of images, and this model needs two. Put them into folders"
            f" trainA and trainB, and write --dataset=unpaired:{path or dataset}"
        )
    error = unknown("pair of data sets", dataset, [*TFDS_PAIRS, "solid2striped"])
    return UserError(f"{error} For your own images: --dataset=unpaired:PATH")


def inspect(
    dataset: str, *, data_dir: str | None = None, split: str = "train", labels: bool = False
) -> Info:
    """Both domains at a glance: the smaller size, RGB if either is, the larger count."""
    if dataset == "solid2striped":
        return Info(dataset, None, 3, 0, drawn.solid2striped.COUNT)
    a, b = map(catalog.describe, find_domains(dataset, data_dir, split))
    size = min(a.size, b.size, key=min)
    return Info(dataset, size, max(a.channels, b.channels), 0, max(a.count, b.count))
