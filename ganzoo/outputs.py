"""Which files a command writes, decided before it works, so that nothing that exists is lost."""

import collections
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from ganzoo import images as pictures
from ganzoo.data.decode import is_image, named_as_image
from ganzoo.data.files import open_folder
from ganzoo.data.sources import Item
from ganzoo.errors import UserError

_SHOWN = 10  # names of files in a line


class Conversion(NamedTuple):
    """A file, and the one that it becomes."""

    source: Path
    result: Path


def plan(source: Path, out: str, overwrite: bool, skip_existing: bool = False) -> list[Conversion]:
    """What a file becomes, or every image of a folder.

    A folder is read as training data are, and what is left out is printed: hidden files, and those
    that neither are images nor are named so. Its images become PNGs.

    Args:
        source: the file or folder.
        out: of a folder a folder; of a file a file, or a folder that exists or ends with a slash.
        overwrite: whether files that exist may be replaced; originals may not.
        skip_existing: whether what exists stays, and is no error; the others are returned.

    Raises:
        UserError: when a file would be lost, or results would lie among the originals.
    """
    if source.is_dir():
        conversions = _of_folder(source, Path(out))
    else:
        into_folder = Path(out).is_dir() or out.endswith(("/", os.sep))
        result = Path(out, f"{source.stem}.png") if into_folder else Path(out)
        conversions = [Conversion(source, result)]
    sources, results = zip(*conversions, strict=True)
    require_free(results, overwrite or skip_existing, originals=sources)
    if not skip_existing:
        return conversions
    left = [conversion for conversion in conversions if not conversion.result.exists()]
    print(f"Skipped {len(conversions) - len(left):,} images, whose results exist")
    return left


def require_free(
    results: Collection[Path], overwrite: bool, originals: Collection[Path] = ()
) -> None:
    """Raises UserError when files would be replaced that must not be.

    Args:
        results: the files to write.
        overwrite: whether those that exist may be replaced.
        originals: what they are made from, which is never replaced.
    """
    existing = [path for path in results if path.exists()]
    read = {_identity(path) for path in originals if path.exists()}
    lost = [path for path in existing if _identity(path) in read]
    if lost:
        raise UserError(f"{lost[0]} is an original, which would be replaced; name another --out")
    if existing and not overwrite:
        others = f" and {len(existing) - 1:,} more exist" if existing[1:] else " exists"
        raise UserError(
            f"{existing[0]}{others} already: name another --out, replace what exists with"
            " --overwrite, or, of a folder that is converted, keep it with --skip_existing"
        )


def others_in(folder: Path, results: Collection[Path]) -> str:
    """What to say of the files in a folder that were not written now."""
    count = sum(path.is_file() for path in folder.rglob("*")) - len(results)
    return f", which holds {count:,} other files, too" if count else ""


def _identity(path: Path) -> tuple[int, int]:
    """The same for all names of a file."""
    status = path.stat()
    return status.st_dev, status.st_ino


def _of_folder(source: Path, out: Path) -> list[Conversion]:
    if out.is_file():
        raise UserError(f"--out={out} is a file, and --input={source} a folder; name a folder")
    if source.resolve() in (out.resolve(), *out.resolve().parents):
        raise UserError(
            f"--out={out} is the folder --input={source}, or lies in it: results would replace"
            " originals, or be converted the next time. Name a folder outside of it"
        )
    files = [path.relative_to(source).as_posix() for path in images_in(source)]
    return [Conversion(source / p, out / name) for p, name in zip(files, _png(files), strict=True)]


def images_in(folder: Path) -> list[Path]:
    """The images of a folder, read as training data are; what is left out is printed."""
    items = list(open_folder(folder))
    files, seen = [i.path for i in items if _is_meant(i)], {i.path for i in items}
    every = (path for path in folder.rglob("*") if path.is_file())
    _say_left_out("hidden", {path.relative_to(folder).as_posix() for path in every} - seen)
    _say_left_out("no images", seen - set(files))
    return [folder / file for file in files]


def _is_meant(item: Item) -> bool:
    """Whether a file is an image, or has the name of one and is worth an error."""
    raw = Path(item.path).suffix.lower() in pictures.RAW
    return raw or named_as_image(item.path) or is_image(item)


def _say_left_out(why: str, names: set[str]) -> None:
    if names:
        shown = ", ".join(sorted(names)[:_SHOWN])
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        print(f"Left out, since they are {why}: {shown}{more}")


def _png(names: list[str]) -> list[Path]:
    """What PNGs of some files are called: a.png, or a.jpg.png where another file is a.webp."""
    paths = [Path(name) for name in names]
    short = [path.with_suffix(".png") for path in paths]
    long = [path.with_name(f"{path.name}.png") for path in paths]
    count = collections.Counter(map(_folded, short))
    chosen = [b if count[_folded(a)] > 1 else a for a, b in zip(short, long, strict=True)]
    count = collections.Counter(map(_folded, chosen))
    same = [name for name, path in zip(names, chosen, strict=True) if count[_folded(path)] > 1]
    if same:
        raise UserError(f"{' and '.join(same)} would become the same file; rename one of them")
    return chosen


def _folded(path: Path) -> str:
    """The same for names that are the same on a Mac or on Windows."""
    return path.as_posix().casefold()
