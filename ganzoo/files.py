"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ganzoo.errors import UserError


def home() -> Path:
    """Where prepared data and downloads are kept: GANZOO_HOME, or the user's cache."""
    return Path(os.environ.get("GANZOO_HOME") or Path.home() / ".cache" / "ganzoo").expanduser()


@contextlib.contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Turns what a full disk raises into a UserError that says how to go on."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        # HDF5 and TensorFlow have the reason in words only.
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        if not full and "No space left" not in str(error):
            raise
        raise UserError(
            f"No space left on the disk of {folder}. Free some and run the same command"
            " again: training goes on from the last checkpoint."
        ) from error


def write_atomically(target: Path, write: Callable[[Path], None]) -> None:
    """Calls `write` with a temporary path beside `target` and moves the result there.

    The suffixes stay, since writers go by them. A kill leaves at most a temporary file, which the
    next call replaces.

    Raises:
        UserError: when the disk is full; what was there before stays.
    """
    temporary = target.with_name(f"unfinished-{target.name}")
    with full_disk_told(target.parent):
        try:
            write(temporary)
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def write_text(target: Path, text: str) -> None:
    """Writes a text file, whole or not at all."""
    write_atomically(target, lambda path: path.write_text(text, encoding="utf-8"))
