"""Folders and zip files of images, nested as they come."""

from __future__ import annotations

import functools
import json
import os
import posixpath
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from PIL import Image

from ganzoo.data.collection import OUTSIDE, Item
from ganzoo.errors import UserError


class FileCollection:
    """Files in the order of their names, with the first folder of each as its class.

    Hidden files are left out. A leading folder that everything shares, as in most zip files, is
    no class, and neither is a folder without a single image.
    """

    native_shape = None

    def __init__(self, name: str, items: list[Item], stamps: list[tuple], labels: bool):
        if not items:
            raise UserError(f"{name} is empty. Expected image files, in folders or not.")
        if not any(map(_is_image, items)):
            listed = ", ".join(item.path for item in items[:3])
            raise UserError(
                f"{name} holds no image: none of its {len(items):,} files ({listed}, ...) is one."
            )
        self.name = name
        self.class_names, self._items = _with_classes(name, items) if labels else ((), items)
        self._stamps = stamps

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def sample(self, count: int) -> list[Item]:
        return self._items[:: max(1, len(self._items) // count)][:count]

    def identity(self) -> str:
        return json.dumps([self.name, *self._stamps])


def _with_classes(name: str, items: list[Item]) -> tuple[tuple[str, ...], list[Item]]:
    parents = [PurePosixPath(item.path).parent for item in items]
    folders = [parent.parts for parent in parents]
    shared = len(PurePosixPath(posixpath.commonpath(map(str, parents))).parts)
    if all(len(parts) == shared for parts in folders):
        shared -= 1  # all files lie in one folder: it is the one class
    names = [parts[shared] if 0 <= shared < len(parts) else None for parts in folders]
    members: dict[str, list[Item]] = {}
    for item, folder in zip(items, names, strict=True):
        if folder is not None:
            members.setdefault(folder, []).append(item)
    classes = tuple(sorted(c for c, found in members.items() if any(map(_is_image, found))))
    if not classes:
        raise UserError(
            f"{name} has no class folders, which labels are taken from. "
            "Put the images of each class into a folder, or set labels to False."
        )
    label = {c: i for i, c in enumerate(classes)}
    labeled = [
        item._replace(label=label.get(folder, OUTSIDE))
        for item, folder in zip(items, names, strict=True)
    ]
    return classes, labeled


def _is_image(item: Item) -> bool:
    """By content; only the header is read."""
    try:
        with item.open() as stream, Image.open(stream):
            return True
    except Exception:  # Pillow's readers raise nearly everything on broken files
        return False


def open_folder(path: str, labels: bool) -> FileCollection:
    """The images below a folder; links to folders are not followed."""
    root = Path(path).expanduser()
    if not root.exists():
        raise UserError(f"There is no folder {path!r}.{_nearest_parent(root)}")
    if not root.is_dir():
        raise UserError(f"{path!r} is a file, expected a folder or a .zip file.")
    items, stamps = [], []
    for file in sorted(_visible_files(root)):
        item, changed = _item(file, file.relative_to(root).as_posix())
        items.append(item)
        stamps.append((item.path, item.size, changed))
    return FileCollection(f"folder:{root.resolve()}", items, stamps, labels)


def _item(file: Path, name: str) -> tuple[Item, int]:
    """A file, and when it was changed.

    A link to nowhere, a pipe and the like have to be listed with the bad images: they tell what
    they are when they are read.
    """
    try:
        status = file.stat()
        reason = "" if stat.S_ISREG(status.st_mode) else "not a file"
    except OSError:
        reason = "a link to nowhere"
    if not reason:
        opening = functools.partial(open, file, "rb")
        return Item(name, 0, status.st_size, opening), status.st_mtime_ns

    def refuse() -> BinaryIO:
        raise OSError(reason)

    return Item(name, 0, 0, refuse), 0


def _nearest_parent(path: Path) -> str:
    parent = next(p for p in path.absolute().parents if p.exists())
    return f" The nearest folder that exists is {str(parent)!r}."


def _visible_files(root: Path) -> Iterator[Path]:

    def unreadable(error: OSError) -> None:
        raise UserError(
            f"The folder {error.filename!r} cannot be read: {error.strerror}."
        ) from error

    for folder, folders, files in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if not _hidden(name)]
        yield from (Path(folder, name) for name in files if not _hidden(name))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def open_zip(path: str, labels: bool) -> FileCollection:
    """The images in a zip file, read where they are; nothing is extracted."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise UserError(f"There is no zip file {path!r}.{_nearest_parent(file)}")
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise UserError(f"{path!r} is not a zip file, or damaged: {error}.") from error
    infos = [info for info in archive.infolist() if not info.is_dir()]
    _require_safe(path, infos)
    infos = [i for i in infos if not any(map(_hidden, PurePosixPath(i.filename).parts))]
    infos.sort(key=lambda info: PurePosixPath(info.filename))
    items = [Item(i.filename, 0, i.file_size, functools.partial(archive.open, i)) for i in infos]
    stamps = [(info.filename, info.file_size, info.CRC) for info in infos]
    return FileCollection(f"zip:{file.resolve()}", items, stamps, labels)


def _require_safe(path: str, infos: list[zipfile.ZipInfo]) -> None:
    for info in infos:
        # Windows' rules cover both kinds of slash, drives, and POSIX's absolute paths.
        parts = PureWindowsPath(info.filename)
        if parts.anchor or ".." in parts.parts:
            raise UserError(
                f"{path!r} holds the path {info.filename!r}, which leads outside of it. "
                "Such a file is broken or an attack; pack the images again."
            )
        if info.flag_bits & 1:
            raise UserError(f"{path!r} is encrypted ({info.filename!r}); pack it without password.")
