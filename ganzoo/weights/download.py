"""Files from elsewhere: fetched once, resumed, verified before anything reads them."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import filelock
import requests
from tqdm import tqdm

from ganzoo import files
from ganzoo.errors import UserError

TRIES, TIMEOUT, REDIRECTS = 5, 30.0, 10  # the timeout in seconds
LARGEST = 4 << 30  # bytes, of files whose size is not known
_CHUNK = 1 << 16  # bytes; what is lost when a connection breaks


def fetch(url: str, sha256: str | None = None, size: int | None = None) -> Path:
    """The file behind a URL, from the cache or downloaded into it.

    An interrupted download goes on where it stopped. Where no hash is known, that of the first
    download is pinned in `pins.json` beside the file, and later ones must have the same. Two
    processes that want the same file at once download it once. Proxies are those of the
    environment; with GANZOO_OFFLINE=1 nothing is downloaded.

    Args:
        url: of https, http or file.
        sha256: of the content, hexadecimal, or its first 8 digits or more.
        size: of the content, in bytes.

    Raises:
        UserError: when the file cannot be had, or is not the one that was expected.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        if not path.is_file():
            raise UserError(f"There is no file {path}")
        _verify(path, url, sha256, size)
        return path
    if parts.scheme not in ("https", "http"):
        raise UserError(f"{url}: expected a URL of https, http or file")
    target = place_of(url)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(target.with_name(f"{target.name}.lock")):
            if not target.exists():
                _download(url, target, sha256, size)
    except OSError as error:
        raise UserError(
            f"{url} cannot be kept in {target.parent} ({error}). Free some space, or set"
            " GANZOO_HOME to a folder elsewhere."
        ) from error
    return target


def place_of(url: str) -> Path:
    """Where the file behind a URL is kept."""
    name = Path(unquote(urlsplit(url).path)).name or "file"
    key = hashlib.sha256(url.encode()).hexdigest()[:12]
    return files.home() / "downloads" / f"{key}-{name}"


def _download(url: str, target: Path, sha256: str | None, size: int | None) -> None:
    if os.environ.get("GANZOO_OFFLINE", "0") not in ("", "0"):
        raise UserError(
            f"GANZOO_OFFLINE is set, and {url} was not downloaded yet. Fetch it elsewhere and put"
            f" it at {target}"
        )
    partial = target.with_name(f"{target.name}.partial")
    for attempt in range(TRIES):
        try:
            _transfer(url, partial, size)
            break
        except requests.RequestException as error:
            if attempt == TRIES - 1 or _is_final(error):
                raise UserError(
                    f"{url} could not be downloaded ({error}). Try again: what arrived is kept. Or"
                    f" fetch it elsewhere and put it at {target}"
                ) from error
            time.sleep(2**attempt)
    try:
        _verify(partial, url, sha256, size)
    except UserError:
        partial.unlink()
        raise
    os.replace(partial, target)


def _is_final(error: requests.RequestException) -> bool:
    """Whether the server has said no, which another try would not change."""
    status = getattr(error.response, "status_code", 500)
    return 400 <= status < 500 and status not in (408, 429)


def _transfer(url: str, partial: Path, size: int | None) -> None:
    """Appends to `partial` what is missing of it."""
    done = partial.stat().st_size if partial.exists() else 0
    if size is not None and done >= size:
        return
    headers = {"Range": f"bytes={done}-", "Accept-Encoding": "identity"}
    with _open(url, headers) as response:
        if response.status_code == 416:  # nothing is left, or the file has changed
            return
        response.raise_for_status()
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise UserError(f"{url} gives a web page, not a file: see it in a browser")
        goes_on = response.status_code == 206
        done = done if goes_on else 0
        length = response.headers.get("Content-Length")
        total = size or (done + int(length) if length else None)
        if (total or 0) > LARGEST and size is None:
            raise UserError(f"{url} has {total:,} bytes, more than the {LARGEST:,} allowed")
        bar = tqdm(
            desc=Path(urlsplit(url).path).name,
            total=total,
            initial=done,
            unit="B",
            unit_scale=True,
            disable=not sys.stderr.isatty(),
        )
        with bar, partial.open("ab" if goes_on else "wb") as file:
            for chunk in response.iter_content(_CHUNK):
                done += len(chunk)
                if done > (size or LARGEST):
                    raise UserError(f"{url} sends more than the {size or LARGEST:,} bytes expected")
                file.write(chunk)
                bar.update(len(chunk))
        if total is not None and done < total:
            raise requests.ConnectionError(f"{done:,} of {total:,} bytes arrived")


def _open(url: str, headers: dict[str, str]) -> requests.Response:
    """The response after redirections, which must not leave https, nor http but for https."""
    for _ in range(REDIRECTS):
        response = requests.get(
            url, headers=headers, stream=True, timeout=TIMEOUT, allow_redirects=False
        )
        if not response.is_redirect:
            return response
        response.close()
        following = urljoin(url, response.headers["Location"])
        scheme, before = urlsplit(following).scheme, urlsplit(url).scheme
        if scheme != "https" and scheme != before:
            raise UserError(f"{url} leads to {following}: from {before} to {scheme} is refused")
        url = following
    raise UserError(f"{url}: more than {REDIRECTS} redirections")


def _verify(path: Path, url: str, sha256: str | None, size: int | None) -> None:
    found = path.stat().st_size
    if size is not None and found != size:
        raise UserError(f"{url} has {found:,} bytes, expected {size:,}: it is another file")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    expected = sha256 or _pinned(url, digest.hexdigest())
    if len(expected) < 8 or not digest.hexdigest().startswith(expected):
        raise UserError(
            f"{url} has the SHA-256 {digest.hexdigest()}, expected {expected}: it is another file,"
            " and was not read"
        )


def _pinned(url: str, sha256: str) -> str:
    """The hash that the file had when it was first seen, which is now unless there is another."""
    path = files.home() / "downloads" / "pins.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path.with_name("pins.lock")):
        pins = json.loads(path.read_text()) if path.exists() else {}
        if url not in pins:
            pins[url] = sha256
            files.write_text(path, json.dumps(pins, indent=2) + "\n")
        return pins[url]
