"""Files that are there whole or not at all."""

import contextlib
import errno
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ganzoo.errors import UserError, first_line

_CHUNK = 1 << 16  # bytes that are read at once
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_GONE = (errno.ENOENT, errno.EIO, errno.ESTALE, errno.ENODEV, errno.ENOTCONN, errno.ETIMEDOUT)
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


def home() -> Path:
    """Where prepared data and downloads are kept: GANZOO_HOME, or the user's cache.

    Raises:
        UserError: when GANZOO_HOME is not set and the user has no home directory.
    """
    if chosen := os.environ.get("GANZOO_HOME"):
        return expanded(chosen)
    try:
        return Path.home() / ".cache" / "ganzoo"
    except RuntimeError as error:
        raise UserError(
            "There is no home directory to keep prepared data and downloads in. Set GANZOO_HOME to"
            " a folder that can be written."
        ) from error


def expanded(path: str | Path) -> Path:
    """The path, with the home directory that `~` or `~user` at its start stands for.

    Raises:
        UserError: when there is no such user, or the user has no home directory.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"{path}: {Path(path).parts[0]} stands for no home directory here. Write the path out,"
            " or set HOME."
        ) from error


@contextlib.contextmanager
def explain_write_errors(folder: Path, advice: str = "choose another folder") -> Iterator[None]:
    """Turns what a full disk, a read-only folder or one that is gone raises into a UserError that
    says what to do.

    Args:
        folder: where is written.
        advice: what else can be done when it is read-only.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        again = "run the same command again: training resumes from the last checkpoint."
        if _is_due_to(error, *_FULL):
            raise UserError(
                f"No space left on the disk of {folder} ({first_line(error)}). Free some and"
                f" {again}"
            ) from error
        if _is_due_to(error, *_UNWRITABLE):
            raise UserError(
                f"{folder} cannot be written ({first_line(error)}). Make it writable, or {advice}."
            ) from error
        if _is_due_to(error, *_GONE):
            raise UserError(
                f"{folder} is gone, or its disk fails ({first_line(error)}). Bring it back and"
                f" {again}"
            ) from error
        raise


def _is_due_to(error: Exception, *codes: int) -> bool:
    """Whether an error has one of these codes; TensorFlow and HDF5 have them in words only."""
    words = map(os.strerror, codes)
    return getattr(error, "errno", None) in codes or any(word in str(error) for word in words)


@contextlib.contextmanager
def explain_damage(path: Path, advice: str) -> Iterator[None]:
    """Turns what readers raise on a damaged file, or folder of files, into a UserError with advice
    on what to do."""
    try:
        yield
    except (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged ({error}). {advice}") from error


def hash_of(*paths: Path, algorithm: str = "sha256") -> str:
    """The hash of files, one after the other, which may be larger than what memory has room for;
    hexadecimal."""
    digest = hashlib.new(algorithm)
    for path in paths:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def make_folder(folder: Path, advice: str = "choose another folder") -> None:
    """Creates a folder, if it is not there, before the work whose results go into it.

    Raises:
        UserError: when it cannot be written, with `advice`.
    """
    with explain_write_errors(folder, advice):
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def write_atomically(target: Path, write: Callable[[Path], None]) -> None:
    """Calls `write` with a temporary path beside `target` and moves the result there.

    The suffixes stay, since writers go by them. A kill leaves at most a temporary file, which the
    next call replaces.

    Raises:
        UserError: when the disk is full or the folder read-only; what was there before stays.
    """
    temporary = target.with_name(f"unfinished-{target.name}")
    with explain_write_errors(target.parent):
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
