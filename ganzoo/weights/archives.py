"""ZIP archives from elsewhere: looked at before anything in them is unpacked, always in memory."""

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ganzoo.weights.pickles import RefusedFile

# An archive may unpack to so many times its own size, beyond which it is made to fill the memory.
MOST_GROWTH, ALWAYS_ALLOWED = 20, 1 << 28  # the latter in bytes
_ENCRYPTED = 1


@contextlib.contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive that is safe to read.

    Raises:
        RefusedFile: for members with names that lead out of the archive, encrypted ones, or more
            data than the file can be expected to hold.
    """
    with zipfile.ZipFile(path) as archive:
        members, size = archive.infolist(), path.stat().st_size
        for member in members:
            name = PurePosixPath(member.filename.replace("\\", "/"))
            if name.is_absolute() or ".." in name.parts or ":" in name.parts[:1]:
                raise RefusedFile(f"an archive with the path {member.filename[:80]!r}")
            if member.flag_bits & _ENCRYPTED:
                raise RefusedFile("an encrypted archive")
        check_size("an archive", sum(member.file_size for member in members), size)
        yield archive


def check_size(what: str, unpacked: int, size: int) -> None:
    """Refuses what would become much larger than its file of `size` bytes."""
    if unpacked > MOST_GROWTH * size + ALWAYS_ALLOWED:
        raise RefusedFile(f"{what} of {size:,} bytes that would become {unpacked:,} bytes large")
