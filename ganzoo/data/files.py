"""Folders and zip files of images, nested as they come."""

import contextlib
import functools
import json
import os
import stat
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from ganzoo import files
from ganzoo.data.decode import read_header
from ganzoo.data.sources import Item
from ganzoo.data.tables import flags_of, unreadable, with_columns
from ganzoo.errors import UserError

# How zip files are compressed: what Python reads, and the names of what it may not.
_COMPRESSIONS = ("ZIP_STORED", "ZIP_DEFLATED", "ZIP_BZIP2", "ZIP_LZMA", "ZIP_ZSTANDARD")
_READABLE = {getattr(zipfile, name) for name in _COMPRESSIONS if hasattr(zipfile, name)}
_UNREADABLE = {9: "Deflate64", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_FOLLOWED = "a link to a folder, followed"
_CIRCLE = "a link to a folder that it lies in, left out"
_UTF8 = 0x800  # the flag of a member whose name is UTF-8


class FileCollection:
    """Files in the order of their names, with what is known of them; hidden files are left out.

    Args:
        name: "folder:PATH", "zip:PATH" or the like, with an absolute path.
        items: the files, without their values.
        stamps: what shows whether a file was changed.
        columns: which ones to read; see `with_columns`.
        flags: as `Collection` has them, besides those of the name and of the columns.
        notices: as `Collection` has them.
    """

    native_shape = None

    def __init__(
        self,
        name: str,
        items: list[Item],
        stamps: list[tuple],
        columns: Sequence[str] = (),
        flags: tuple[str, ...] = (),
        notices: Sequence[tuple[str, str]] = (),
    ):
        _require_an_image(name, items)
        self.name, self.notices, self._stamps = name, tuple(notices), stamps
        self.flags = (f"--dataset={name}", *flags, *flags_of(columns))
        self.columns, self._items = with_columns(name, items, columns)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def sample(self, count: int) -> list[Item]:
        return self._items[:: max(1, len(self._items) // count)][:count]

    def identity(self) -> str:
        return json.dumps([self.name, *self._stamps])


def _require_an_image(name: str, items: list[Item]) -> None:
    if not items:
        raise UserError(f"{name} is empty. Expected image files, in folders or not.")
    errors = []
    for item in items:
        header = read_header(item)
        if not isinstance(header, str):
            return
        errors.append(f"{item.path}: {header}")
    listed = "; ".join(errors[:3])
    raise UserError(
        f"{name} holds no image: none of its {len(items):,} files is one"
        f" ({listed}{'; ...' if len(errors) > 3 else ''})."
    )


def path_of(dataset: str) -> Path:
    """The path in "folder:PATH" and the like.

    Raises:
        UserError: when there is none, which would be the current folder, or for the home folder
            of an unknown user.
    """
    kind, _, path = dataset.partition(":")
    if not path.strip():
        raise UserError(
            f"--dataset={dataset} names no path; is a variable of the shell unset? Expected"
            f" --dataset={kind}:PATH, and for the current folder --dataset={kind}:."
        )
    return files.expanded(path)


def is_archive(path: Path) -> bool:
    """Whether it is a zip file, or was one before it was damaged."""
    return path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


def open_folder(root: Path, columns: Sequence[str] = ()) -> FileCollection:
    """The images below a folder, also behind links to other folders."""
    items, stamps, links = read_folder(root)
    return FileCollection(f"folder:{root.resolve()}", items, stamps, columns, notices=links)


def read_folder(root: Path) -> tuple[list[Item], list[tuple], list[tuple[str, str]]]:
    """The files below a folder, a stamp of each, and the links to folders among them."""
    require_folder(root)
    items, stamps, links = [], [], []
    for file in sorted(_visible_files(root, links)):
        item, changed = _item(file, file.relative_to(root).as_posix())
        items.append(item)
        stamps.append((item.path, item.size, changed))
    return items, stamps, sorted(links)


def require_folder(root: Path) -> None:
    """Raises UserError for what is no folder."""
    if not root.exists():
        raise UserError(f"There is no folder {str(root)!r}.{_nearest_parent(root)}")
    if not root.is_dir():
        raise UserError(
            f"{str(root)!r} is a file, expected a folder or a .zip file. Unpack other archives."
        )


def _item(file: Path, name: str) -> tuple[Item, int]:
    """A file, and when it was changed.

    A link to nowhere, a pipe and the like have to be listed with the bad images: reading them
    raises what they are.
    """
    try:
        status = file.stat()
        reason = "" if stat.S_ISREG(status.st_mode) else "not a file"
    except OSError:
        reason = "a link to nowhere"
    if reason:
        return unreadable(name, reason), 0
    return Item(name, status.st_size, functools.partial(open, file, "rb")), status.st_mtime_ns


def _nearest_parent(path: Path) -> str:
    parent = next(p for p in path.absolute().parents if p.is_dir())
    return f" The nearest folder that exists is {str(parent)!r}."


def _visible_files(root: Path, links: list[tuple[str, str]]) -> Iterator[Path]:
    """Follows links to folders, but for those that lead in a circle; notes both in `links`."""

    def unreadable(error: OSError) -> None:
        raise UserError(
            f"The folder {error.filename!r} cannot be read: {error.strerror}."
        ) from error

    above = {str(root): frozenset()}  # the real paths of the folders on the way to each
    for folder, folders, names in os.walk(root, onerror=unreadable, followlinks=True):
        way = above.pop(folder) | {os.path.realpath(folder)}
        entered = []
        for inner in (Path(folder, name) for name in folders if not _hidden(name)):
            circle = os.path.realpath(inner) in way
            if inner.is_symlink():
                note = _CIRCLE if circle else _FOLLOWED
                links.append((inner.relative_to(root).as_posix(), note))
            if not circle:
                entered.append(inner.name)
                above[str(inner)] = way
        folders[:] = entered
        yield from (Path(folder, name) for name in names if not _hidden(name))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def open_zip(file: Path, columns: Sequence[str] = ()) -> FileCollection:
    """The images in a zip file, read where they are; nothing is extracted."""
    if not file.is_file():
        raise UserError(f"There is no zip file {str(file)!r}.{_nearest_parent(file)}")
    archive = _open_archive(file)
    members = [(_member_name(info), info) for info in archive.infolist()]
    members = [(name, info) for name, info in members if not name.endswith("/")]
    for name, _ in members:
        _require_inside(file, name)
    members = [(n, info) for n, info in members if not any(map(_hidden, PurePosixPath(n).parts))]
    members.sort(key=lambda member: PurePosixPath(member[0]))
    for name, info in members:
        _require_readable(file, name, info)
    items = [Item(n, i.file_size, functools.partial(archive.open, i)) for n, i in members]
    stamps = [(name, info.file_size, info.CRC) for name, info in members]
    return FileCollection(f"zip:{file.resolve()}", items, stamps, columns)


def _open_archive(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except OSError as error:
        raise UserError(f"{str(file)!r} cannot be read: {error.strerror}.") from error
    except zipfile.BadZipFile as error:
        with file.open("rb") as stream:
            if stream.read(4) != b"PK\3\4":
                raise UserError(f"{str(file)!r} is not a zip file: {error}.") from error
        raise UserError(
            f"{str(file)!r} is cut off or damaged: it begins as a zip file does, but its table of"
            f" contents, which is at the end, cannot be read ({error}). Copy or download it again."
        ) from error


def _member_name(info: zipfile.ZipInfo) -> str:
    """With slashes where Windows wrote backslashes, and in UTF-8 where a Mac left out the flag."""
    name = info.filename
    if not info.flag_bits & _UTF8:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")  # zipfile reads unflagged names as cp437
    return name.replace("\\", "/")


def _require_inside(file: Path, name: str) -> None:
    # Windows' rules cover both kinds of slash, drives, and POSIX's absolute paths.
    parts = PureWindowsPath(name)
    if parts.anchor or ".." in parts.parts:
        raise UserError(
            f"{str(file)!r} holds the path {name!r}, which leads outside of it. "
            "Such a file is broken or an attack; pack the images again."
        )


def _require_readable(file: Path, name: str, info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 1:
        raise UserError(f"{str(file)!r} is encrypted ({name!r}); pack it without password.")
    if info.compress_type not in _READABLE:
        method = _UNREADABLE.get(info.compress_type, f"method {info.compress_type}")
        raise UserError(
            f"{str(file)!r} is compressed with {method} ({name!r}), which Python cannot read."
            " Unpack it, and write --dataset=folder:PATH of the folder."
        )
