"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from ganzoo.errors import UserError


def home() -> Path:
    """Where prepared data and downloads are kept: GANZOO_HOME, or the user's cache."""
    return Path(os.environ.get("GANZOO_HOME") or Path.home() / ".cache" / "ganzoo").expanduser()


def write_atomically(target: Path, write: Callable[[Path], None]) -> None:
    """Calls `write` with a temporary path beside `target` and moves the result there.

    The suffixes stay, since writers go by them. A kill leaves at most a temporary file, which the
    next call replaces.

    Raises:
        UserError: when the disk is full; what was there before stays.
    """
    temporary = target.with_name(f"unfinished-{target.name}")
    try:
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        # HDF5 has the reason in words only.
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
            raise UserError(
                f"No space left on the disk of {target.parent}. Free some and run the same command"
                " again: training goes on from the last checkpoint."
            ) from error
        raise


def write_text(target: Path, text: str) -> None:
    """Writes a text file, whole or not at all."""
    write_atomically(target, lambda path: path.write_text(text, encoding="utf-8"))
