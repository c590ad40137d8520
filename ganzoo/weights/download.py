"""Files from elsewhere: fetched once, resumed, verified before anything reads them."""

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

import filelock
import requests
from tqdm import tqdm

from ganzoo import files
from ganzoo.errors import UserError, choose

TRIES, TIMEOUT, REDIRECTS = 5, 30.0, 10  # the timeout in seconds
LARGEST = 4 << 30  # bytes, of files whose size is not known
_SWITCH = dict.fromkeys(("1", "true", "yes", "on"), True)
_SWITCH |= dict.fromkeys(("0", "false", "no", "off"), False)
_CHUNK = 1 << 16  # bytes; what is lost when a connection breaks


def fetch(
    url: str, sha256: str | None = None, size: int | None = None, md5: str | None = None
) -> Path:
    """The file behind a URL, from the cache or downloaded into it.

    An interrupted download is resumed where it stopped, if it is still the same file. What is in
    the cache is verified each time. Where no hash is known, that of the first download is pinned in
    `pins.json` beside the file, and later ones must have the same; a file of this machine may
    change. Two processes that want the same file at once download it once. Proxies are those of the
    environment; with GANZOO_OFFLINE=1 nothing is downloaded. GANZOO_MIRROR, a folder or a URL, has
    the files in place of their servers: under the names that the cache gives them, or their own.

    Args:
        url: of https, http or file.
        sha256: of the content, hexadecimal, or its first 8 digits or more.
        size: of the content, in bytes.
        md5: of the content, hexadecimal, for a file that is published with it alone.

    Raises:
        UserError: when the file cannot be had, or is not the one that was expected.
    """
    parts, checksum = urlsplit(url), f"md5:{md5}" if md5 else sha256
    if parts.scheme == "file":
        path = Path(unquote(parts.path))
        if not path.is_file():
            raise UserError(f"There is no file {path}")
        _verify(path, url, checksum, size)
        return path
    if parts.scheme not in ("https", "http"):
        raise UserError(f"{url}: expected a URL of https, http or file")
    target = place_of(url)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(target.with_name(f"{target.name}.lock")):
            if target.exists():
                _verify_kept(target, url, checksum, size)
            else:
                _download(url, target, checksum, size)
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


def is_offline() -> bool:
    """Whether GANZOO_OFFLINE forbids downloads; raises UserError for a value that says neither."""
    value = os.environ.get("GANZOO_OFFLINE") or "0"
    return choose("value of GANZOO_OFFLINE", value.strip().lower(), _SWITCH)


def _download(url: str, target: Path, checksum: str | None, size: int | None) -> None:
    mirror = os.environ.get("GANZOO_MIRROR", "")
    names = (target.name, target.name.partition("-")[2])  # as the cache has it, and its own
    partial = target.with_name(f"{target.name}.partial")
    if mirror and urlsplit(mirror).scheme not in ("https", "http"):
        _copy(mirror, names, url, partial)
    elif is_offline():
        raise UserError(
            f"GANZOO_OFFLINE is set, and {url} was not downloaded yet. Fetch it elsewhere and put"
            f" it at {target}"
        )
    else:
        addresses = [f"{mirror.rstrip('/')}/{quote(name)}" for name in names] if mirror else [url]
        _transfer_any(addresses, partial, checksum, size)
    try:
        _verify(partial, url, checksum, size)
        os.replace(partial, target)
    except UserError as error:
        partial.unlink()
        if mirror:
            raise UserError(f"{error}. It came from GANZOO_MIRROR, {mirror}") from error
        raise
    finally:
        _version_of(partial).unlink(missing_ok=True)


def _copy(mirror: str, names: Sequence[str], url: str, partial: Path) -> None:
    """Takes a file out of a folder that mirrors others."""
    folder = files.expanded(unquote(mirror.removeprefix("file://")))
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise UserError(
            f"{folder}, which GANZOO_MIRROR names, has no {' nor '.join(names)}. Put there what"
            f" {url} gives, or unset GANZOO_MIRROR to download it"
        )
    shutil.copyfile(found, partial)


def _transfer_any(addresses: Sequence[str], partial: Path, checksum, size: int | None) -> None:
    """Transfers the file from the first address that has it; a server that fails is asked again."""
    address, *others = addresses
    for attempt in range(TRIES):
        try:
            return _transfer(address, partial, checksum, size)
        except requests.RequestException as error:
            if others and getattr(error.response, "status_code", None) == 404:
                return _transfer_any(others, partial, checksum, size)
            if attempt == TRIES - 1 or _is_final(error):
                raise UserError(
                    f"{address} could not be downloaded ({error}). Try again: what arrived is kept."
                    f" Or fetch it elsewhere and put it at {partial.with_suffix('')}"
                ) from error
            time.sleep(2**attempt)


def _is_final(error: requests.RequestException) -> bool:
    """Whether the server has said no, which another try would not change."""
    status = getattr(error.response, "status_code", 500)
    return 400 <= status < 500 and status not in (408, 429)


def _transfer(url: str, partial: Path, checksum: str | None, size: int | None) -> None:
    """Appends to `partial` what it lacks, or starts over if the file may have changed."""
    kept = _version_of(partial)
    version = kept.read_text("utf-8") if kept.exists() else ""
    done = partial.stat().st_size if partial.exists() else 0
    if not (version or checksum) or done > (size or LARGEST):
        done = 0
    if size is not None and done == size:
        return
    headers = {"Accept-Encoding": "identity"}
    if done:
        headers |= {"Range": f"bytes={done}-"} | ({"If-Range": version} if version else {})
    with _open(url, headers) as response:
        if done and not _continues(response, done):
            partial.unlink()
            raise requests.ConnectionError(f"it does not go on at byte {done:,}")
        response.raise_for_status()
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise UserError(f"{url} gives a web page, not a file: see it in a browser")
        if response.status_code != 206:
            done = 0
            partial.unlink(missing_ok=True)  # first: its version must never be that of another
            kept.write_text(_version(response), "utf-8")
        _receive(response, url, partial, done, checksum, size)


def _continues(response: requests.Response, done: int) -> bool:
    """Whether an answer to the request for what follows `done` bytes is that, or the whole file."""
    if response.status_code == 206:
        return response.headers.get("Content-Range", "").startswith(f"bytes {done}-")
    return response.status_code != 416


def _version_of(partial: Path) -> Path:
    """Where it is kept of which version of the file a part is."""
    return partial.with_suffix(".version")


def _version(response: requests.Response) -> str:
    """What the server identifies this version of the file by; weak tags do not identify bytes."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _receive(response, url: str, partial: Path, done: int, checksum, size: int | None) -> None:
    """Writes what arrives, after the `done` bytes that are there."""
    length = response.headers.get("Content-Length")
    total = size or (done + int(length) if length else None)
    largest = size or LARGEST
    if (total or 0) > largest:
        raise UserError(f"{url} has {total:,} bytes, more than the {largest:,} allowed")
    chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
    if total is None and not (chunked or checksum):
        raise UserError(
            f"{url} comes without its length, and whether all of it has arrived would be unknown."
            f" Fetch it elsewhere and put it at {partial.with_suffix('')}"
        )
    bar = tqdm(
        desc=Path(urlsplit(url).path).name,
        total=total,
        initial=done,
        unit="B",
        unit_scale=True,
        disable=not sys.stderr.isatty(),
    )
    with bar, partial.open("ab" if done else "wb") as file:
        for chunk in response.iter_content(_CHUNK):
            done += len(chunk)
            if done > largest:
                break
            file.write(chunk)
            bar.update(len(chunk))
    if done > largest:
        partial.unlink()
        raise UserError(f"{url} sends more than the {largest:,} bytes expected")
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


def _verify_kept(target: Path, url: str, checksum: str | None, size: int | None) -> None:
    try:
        _verify(target, url, checksum, size)
    except UserError as error:
        raise UserError(f"{error}. It lies in {target}: delete it to download it again") from error


def _verify(path: Path, url: str, checksum: str | None, size: int | None) -> None:
    found = path.stat().st_size
    if size is not None and found != size:
        raise UserError(f"{url} has {found:,} bytes, expected {size:,}: it is another file")
    found, origin = files.hash_of(path), ""
    if checksum is None and urlsplit(url).scheme != "file":
        checksum, origin = _pinned(url, found), f" as in {_pins()}"
    if checksum is not None and checksum.startswith("md5:"):
        found = f"md5:{files.hash_of(path, algorithm='md5')}"
    if checksum is not None and (len(checksum) < 8 or not found.startswith(checksum)):
        raise UserError(
            f"{url} has the checksum {found}, expected {checksum}{origin}: it is another file, and"
            " was not read"
        )


def _pins() -> Path:
    return files.home() / "downloads" / "pins.json"


def _pinned(url: str, sha256: str) -> str:
    """The hash that the file had when it was first seen, which is now unless there is another."""
    path = _pins()
    with filelock.FileLock(path.with_name("pins.lock")):
        with files.explain_damage(path, "Delete it: what is downloaded is then pinned again"):
            pins = dict(json.loads(path.read_text())) if path.exists() else {}
        if url not in pins:
            pins[url] = sha256
            files.write_text(path, json.dumps(pins, indent=2) + "\n")
        return pins[url]
