"""Data sets by name: single images, pairs of them, or two domains without correspondence."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ganzoo.data import drawn
from ganzoo.data.decode import named_as_image
from ganzoo.data.drawn import DrawnSource
from ganzoo.data.files import (
    FileCollection,
    is_archive,
    open_folder,
    open_zip,
    path_of,
    read_folder,
    require_folder,
)
from ganzoo.data.sources import Collection, Item
from ganzoo.data.tables import COLUMNS
from ganzoo.data.tfds import TFDSCollection
from ganzoo.errors import UserError, unknown

TFDS_DOMAINS = (
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


def find(
    dataset: str,
    data_dir: str | None = None,
    split: str = "train",
    labels: bool = False,
    columns: Sequence[str] = (),
) -> Collection | DrawnSource:
    """The images that the name of a data set stands for; arguments as `open_source` has them."""
    columns = ("label", *columns) if labels else tuple(columns)
    if dataset == "shapes":
        return drawn.find_shapes(split, columns)
    others = [name for name in columns if name not in COLUMNS]
    if others:
        raise UserError(f"{dataset} has no column {others[0]!r}; shapes has it.")
    kind, _, path = dataset.partition(":")
    if kind not in ("folder", "zip"):
        if os.path.exists(dataset):
            raise UserError(f"For your own images write --dataset=folder:{dataset}")
        if path and kind.lower() in ("folder", "zip", "file", "dir", "path"):
            raise UserError(f"{dataset!r} is not known. Write --dataset=folder:{path}")
        return TFDSCollection(dataset, data_dir, split, columns)
    if split != "train":
        raise UserError(f"{dataset} has no split {split!r}, only 'train': all of its images.")
    file = path_of(dataset)
    return (open_zip if kind == "zip" or is_archive(file) else open_folder)(file, columns)


def find_domains(
    dataset: str, data_dir: str | None = None, split: str = "train"
) -> tuple[Collection | DrawnSource, ...]:
    """The domains a and b that `unpaired:PATH`, a bundled pair or one of TFDS stands for."""
    if dataset in drawn.DOMAINS:
        return drawn.find_domains(dataset, split)
    if dataset.partition(":")[0] == "unpaired":
        return tuple(map(open_folder, _folders(path_of(dataset), split)))
    name = dataset.removeprefix("cycle_gan/")
    if name not in TFDS_DOMAINS:
        raise _no_pair(dataset)
    return tuple(
        TFDSCollection(f"cycle_gan/{name}", data_dir, f"{split}{domain}") for domain in "AB"
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
    error = unknown("pair of data sets", dataset, [*TFDS_DOMAINS, *drawn.DOMAINS])
    return UserError(f"{error} For your own images: --dataset=unpaired:PATH")


def find_pairs(
    dataset: str, data_dir: str | None = None, split: str = "train"
) -> Collection | DrawnSource:
    """The pairs of a and b that `paired:PATH`, a bundled pair or a data set of TFDS stands for.

    The folder PATH holds two folders with the same names of files, A and B, or in the splits
    A/train and B/train or trainA and trainB; or images that have a on their left half and b on
    their right one, with splits in folders train, test and val.

    Raises:
        UserError: for files without a partner, and for a split that the folder does not have.
    """
    if dataset in drawn.DOMAINS:
        return drawn.find_pairs(dataset, split)
    kind, _, path = dataset.partition(":")
    if kind in ("folder", "zip", "unpaired"):
        raise UserError(
            f"{dataset} is no set of pairs. Expected a folder with folders A and B, or with images"
            f" that hold a and b side by side, as in --dataset=paired:{path}"
        )
    if kind != "paired":
        if dataset.removeprefix("cycle_gan/") in TFDS_DOMAINS:
            raise UserError(
                f"The true translations of {dataset} are not known: its domains are unpaired. Use"
                f" {' or '.join(drawn.DOMAINS)}, or --dataset=paired:PATH of pairs of your own."
            )
        return TFDSCollection(dataset, data_dir, split, pairs=True)
    return _pairs_below(path_of(dataset), split)


def _pairs_below(root: Path, split: str) -> FileCollection:
    if root.is_file():
        raise UserError(
            f"{str(root)!r} is a file. Expected a folder of pairs: unpack the file, and name its"
            " folder."
        )
    require_folder(root)
    choices = [(f"A/{split}", f"B/{split}"), (f"{split}A", f"{split}B"), (split,)]
    if split == "train" and not any((root / "A" / other).is_dir() for other in ("test", "val")):
        choices.append(("A", "B"))
    inner = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
    choices += [] if inner or split != "train" else [(".",)]
    for folders in choices:
        if all((root / folder).is_dir() for folder in folders):
            found = _matched(root, folders) if folders[1:] else read_folder(root / folders[0])
            items, stamps, links = found
            return FileCollection(
                f"paired:{root.resolve()}",
                items,
                [folders, *stamps],
                flags=(f"--split={split}",),
                notices=links,
            )
    raise UserError(
        f"{str(root)!r} has no split {split!r}. Expected folders A/{split} and B/{split},"
        f" {split}A and {split}B, or {split} with images side by side. Folders found:"
        f" {', '.join(inner) or 'none'}."
    )


def _matched(root: Path, folders: tuple[str, str]) -> tuple[list[Item], list, list]:
    """The files of two folders with the same names, whatever their formats; with their stamps and
    links."""
    (a, *known_a), (b, *known_b) = (read_folder(root / folder) for folder in folders)
    sides = [_by_name(items, name) for items, name in zip((a, b), folders, strict=True)]
    alone = [side[n].path for side, other in (sides, sides[::-1]) for n in side.keys() - other]
    if alone:
        raise UserError(
            f"{len(alone):,} images in {str(root)!r} have no partner of the same name in the other"
            f" folder: {', '.join(sorted(alone)[:5])}{', ...' if alone[5:] else ''}. Add the"
            " partners, or remove these images."
        )
    pairs = [
        item._replace(path=f"{item.path} and {sides[1][name].path}", partner=sides[1][name])
        for name, item in sides[0].items()
    ]
    return pairs, [*known_a[0], *known_b[0]], [*known_a[1], *known_b[1]]


def _by_name(items: list[Item], folder: str) -> dict[str, Item]:
    """Images by their paths without endings; files that are not named as images are left out."""
    found = {}
    for item in items:
        item, name = item._replace(path=f"{folder}/{item.path}"), PurePosixPath(item.path)
        if named_as_image(item.path) and found.setdefault(str(name.with_suffix("")), item) != item:
            raise UserError(
                f"{item.path} and {found[str(name.with_suffix(''))].path} differ in their endings"
                " alone, so their partners are not known. Rename one, or remove it."
            )
    return found
