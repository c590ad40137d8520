"""Two sets of images: of unpaired domains, such as horses and zebras, or of pairs."""

from pathlib import Path, PurePosixPath

from ganzoo.data import catalog, drawn
from ganzoo.data.catalog import Info
from ganzoo.data.decode import named_as_image
from ganzoo.data.drawn import DrawnSource
from ganzoo.data.files import FileCollection, open_folder, path_of, read_folder, require_folder
from ganzoo.data.sources import Collection, Item
from ganzoo.data.tfds import open_tfds
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
    return tuple(open_tfds(f"cycle_gan/{name}", data_dir, f"{split}{domain}") for domain in "AB")


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


def inspect_domains(
    dataset: str, *, data_dir: str | None = None, split: str = "train", labels: bool = False
) -> Info:
    """Both domains at a glance: the smaller size, RGB if either is, the larger count."""
    a, b = map(catalog.describe, find_domains(dataset, data_dir, split))
    size = min(a.size, b.size, key=min) if a.size else None
    return Info(dataset, size, max(a.channels, b.channels), 0, max(a.count, b.count))


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
        return open_tfds(dataset, data_dir, split, "paired")
    collection = _pairs_below(path_of(dataset), split)
    collection.flags += (f"--split={split}",)
    return collection


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
            name = f"paired:{root.resolve()}"
            return FileCollection(name, items, [folders, *stamps], notices=links)
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


def inspect_pairs(
    dataset: str, *, data_dir: str | None = None, split: str = "train", labels: bool = False
) -> Info:
    """Pairs at a glance: the size of one image, RGB if either is."""
    collection = find_pairs(dataset, data_dir, split)
    info = catalog.describe(collection)
    if info.size and collection.sample(1)[0].partner is None:  # side by side
        info = info._replace(size=(info.size[0], info.size[1] // 2))
    return info
