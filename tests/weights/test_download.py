"""Downloads, from a server on this machine that can be made to fail."""

import hashlib
import http.server
import multiprocessing
import threading

import pytest
import requests

from ganzoo.errors import UserError
from ganzoo.weights import download

CONTENT = bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; `asked` has the ranges, `cut` ends the first answers early."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.cut, self.content, self.version = [], 0, CONTENT, {}
        self.after_a_cut = lambda: None
        self.paths, self.has = [], lambda path: path != "/missing"

    def handle_error(self, *_):
        """Clients that have seen enough hang up."""

    def url(self, path="/net.pth"):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, start = self.server, 0
        server.asked.append(self.headers.get("Range"))
        server.paths.append(self.path)
        if not server.has(self.path):
            return self.send_error(404)
        if self.path in ("/to-file", "/again"):
            self.send_response(302)
            where = {"/to-file": "file:///etc/passwd", "/again": "/net.pth"}[self.path]
            self.send_header("Location", where)
            return self.end_headers()
        same = self.headers.get("If-Range") in (None, *server.version.values())
        if self.path != "/whole" and self.headers.get("Range") and same:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
        if start >= len(server.content):
            return self.send_error(416)
        start -= start % 1000 if self.path == "/elsewhere" else 0
        body = server.content[start:]
        self.send_response(206 if start else 200)
        kind = "text/html; charset=utf-8" if self.path == "/page" else "application/octet-stream"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/*")
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        elif self.path != "/no-length":
            self.send_header("Content-Length", str(len(body)))
        for header, value in server.version.items():
            self.send_header(header, value)
        self.end_headers()
        cut, server.cut = server.cut > 0, max(server.cut - 1, 0)
        self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True
            server.after_a_cut()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("GANZOO_MIRROR", raising=False)
    monkeypatch.setattr(download.time, "sleep", lambda seconds: None)
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_file_is_fetched_once(server):
    first = download.fetch(server.url(), SHA256, len(CONTENT))
    assert first.read_bytes() == CONTENT and first.name.endswith("-net.pth")
    assert download.fetch(server.url(), SHA256) == first and len(server.asked) == 1
    assert [path.suffix for path in sorted(first.parent.iterdir())] == [".pth", ".lock"]


def test_the_first_digits_of_a_hash_are_compared(server):
    assert download.fetch(server.url(), SHA256[:8]).exists()
    for wrong in ("00000000", SHA256[:4], ""):
        with pytest.raises(UserError, match="it is another file"):
            download.fetch(server.url("/whole"), wrong or "0")


def test_what_was_interrupted_goes_on(server):
    server.cut = 2
    assert download.fetch(server.url(), SHA256).read_bytes() == CONTENT
    first, *ranges = server.asked
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in ranges]
    half, lost = len(CONTENT) // 2, 1 << 16
    assert first is None and half - lost < starts[0] <= half < starts[1] < len(CONTENT)


def leave_a_part(server, content, path="/net.pth"):
    """As a killed process does."""
    place = download.place_of(server.url(path))
    place.parent.mkdir(parents=True)
    place.with_name(f"{place.name}.partial").write_bytes(content)


def test_what_a_killed_process_left_goes_on(server):
    leave_a_part(server, CONTENT[:1000])
    assert download.fetch(server.url(), SHA256).read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-"]


@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_a_file_that_changes_meanwhile_is_fetched_whole(server, header):
    changed = bytes(reversed(CONTENT))

    def change():
        server.content, server.version = changed, {header: '"2"'}

    server.cut, server.version, server.after_a_cut = 1, {header: '"1"'}, change
    path = download.fetch(server.url())
    assert path.read_bytes() == changed and len(server.asked) == 2
    assert server.asked[1] is not None  # it would have gone on


@pytest.mark.parametrize("version", [{}, {"ETag": 'W/"1"'}])
def test_what_could_be_of_two_files_begins_anew(server, version):
    server.cut, server.version = 1, version
    assert download.fetch(server.url()).read_bytes() == CONTENT
    assert server.asked == [None, None]


@pytest.mark.parametrize(
    "path, part", [("/net.pth", CONTENT + b"more"), ("/elsewhere", CONTENT[:1234])]
)
def test_a_part_that_does_not_fit_is_thrown_away(server, path, part):
    leave_a_part(server, part, path)
    assert download.fetch(server.url(path), SHA256).read_bytes() == CONTENT
    assert server.asked[1:] == [None]


def test_answers_without_a_length(server):
    server.cut = 1
    assert download.fetch(server.url("/chunked")).read_bytes() == CONTENT
    assert len(server.asked) == 2
    with pytest.raises(UserError, match="comes without its length"):
        download.fetch(server.url("/no-length"))
    assert download.fetch(server.url("/no-length"), SHA256).read_bytes() == CONTENT


def test_what_lies_in_the_cache_is_verified(server):
    path = download.fetch(server.url())
    path.write_bytes(CONTENT[:-1])
    for options in ({}, {"sha256": SHA256}, {"size": len(CONTENT)}):
        with pytest.raises(UserError, match=r"another file.*: delete it to download it again"):
            download.fetch(server.url(), **options)


def test_a_server_that_cannot_go_on_begins_anew(server):
    server.cut = 1
    assert download.fetch(server.url("/whole"), SHA256).read_bytes() == CONTENT


def test_redirections_are_followed_but_not_to_other_schemes(server):
    assert download.fetch(server.url("/again"), SHA256).read_bytes() == CONTENT
    with pytest.raises(UserError, match="from http to file is refused"):
        download.fetch(server.url("/to-file"))


@pytest.mark.parametrize(
    "path, options, words",
    [
        ("/net.pth", {"sha256": "0" * 64}, "it is another file, and was not read"),
        ("/net.pth", {"size": 7}, "has 1,280,000 bytes|sends more than the 7 bytes"),
        ("/page", {}, "gives a web page"),
        ("/missing", {}, "404"),
    ],
)
def test_what_is_not_the_file_is_refused_and_not_kept(server, path, options, words):
    with pytest.raises(UserError, match=words):
        download.fetch(server.url(path), **options)
    assert not download.place_of(server.url(path)).exists()
    assert len(server.asked) == 1  # another try would change nothing


def test_a_server_that_is_away_is_told_with_the_place_for_the_file(server):
    url = server.url()
    server.shutdown()
    server.server_close()
    with pytest.raises(UserError, match=r"could not be downloaded .* put it at .*net\.pth"):
        download.fetch(url)


def test_without_a_hash_that_of_the_first_download_is_pinned(server):
    path = download.fetch(server.url())
    path.unlink()
    server.content = CONTENT[::-1]
    with pytest.raises(UserError, match=f"expected {SHA256}"):
        download.fetch(server.url())


@pytest.mark.parametrize("text", ["{", "3"])
def test_damaged_pins_are_told(server, text):
    kept = download.fetch(server.url())
    kept.with_name("pins.json").write_text(text)
    with pytest.raises(UserError, match=r"pins\.json is damaged .* Delete it"):
        download.fetch(server.url())


@pytest.mark.parametrize("value", ["0", "false", "No", ""])
def test_online(server, monkeypatch, value):
    monkeypatch.setenv("GANZOO_OFFLINE", value)
    download.fetch(server.url())


@pytest.mark.parametrize("value", ["1", "True", "yes"])
def test_offline(server, monkeypatch, value):
    monkeypatch.setenv("GANZOO_OFFLINE", "perhaps")
    with pytest.raises(UserError, match=r"Unknown value of GANZOO_OFFLINE 'perhaps'.*true"):
        download.fetch(server.url())
    monkeypatch.setenv("GANZOO_OFFLINE", value)
    with pytest.raises(UserError, match="GANZOO_OFFLINE is set"):
        download.fetch(server.url())
    place = download.place_of(server.url())
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(CONTENT)
    assert download.fetch(server.url()) == place and not server.asked


def test_files_of_this_machine(server, tmp_path):
    path = tmp_path / "a b.pth"
    path.write_bytes(CONTENT)
    assert download.fetch(path.as_uri(), SHA256) == path
    with pytest.raises(UserError, match="it is another file"):
        download.fetch(path.as_uri(), "0" * 64)
    download.fetch(path.as_uri())
    path.write_bytes(CONTENT[1:])
    assert download.fetch(path.as_uri()) == path  # one's own file may change
    with pytest.raises(UserError, match="no file"):
        download.fetch((tmp_path / "missing").as_uri())
    with pytest.raises(UserError, match="expected a URL of https, http or file"):
        download.fetch("ftp://127.0.0.1/net.pth")


def test_two_processes_download_once(server):
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        paths = pool.map(download.fetch, [server.url()] * 2)
    assert paths[0] == paths[1] and paths[0].read_bytes() == CONTENT
    assert len(server.asked) == 1


def test_a_broken_connection_is_tried_again(server, monkeypatch):
    calls, get = [], requests.get

    def failing(*arguments, **options):
        calls.append(arguments)
        if len(calls) < 3:
            raise requests.ConnectionError("reset by peer")
        return get(*arguments, **options)

    monkeypatch.setattr(requests, "get", failing)
    assert download.fetch(server.url(), SHA256).read_bytes() == CONTENT and len(calls) == 3


@pytest.fixture
def mirror(server, monkeypatch):
    """The address of files that no server but the mirror has."""
    monkeypatch.setenv("GANZOO_MIRROR", f"{server.url('')}/")
    return "https://nowhere.invalid/weights/net.pth"


def test_a_mirror_is_asked_by_name_in_place_of_the_server(server, mirror, monkeypatch, tmp_path):
    server.has = lambda path: path == "/net.pth"
    assert download.fetch(mirror, SHA256).read_bytes() == CONTENT
    kept = download.place_of(mirror)
    assert server.paths == [f"/{kept.name}", "/net.pth"]
    kept.unlink()
    server.has = lambda path: path == f"/{kept.name}"  # a copy of another cache
    assert download.fetch(mirror, SHA256) == kept
    monkeypatch.delenv("GANZOO_MIRROR")
    assert download.fetch(mirror, SHA256) == kept  # verified again, and not asked for


def test_what_a_mirror_lacks_or_has_changed_is_an_error(server, mirror, monkeypatch):
    server.content = CONTENT[:-1]
    with pytest.raises(UserError, match=r"it is another file.* from GANZOO_MIRROR, http"):
        download.fetch(mirror, SHA256)
    assert not download.place_of(mirror).exists()
    server.has = lambda path: False
    with pytest.raises(UserError, match=r"127.0.0.1:\d+/net\.pth could not be downloaded.*404"):
        download.fetch(mirror, SHA256)
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    with pytest.raises(UserError, match="GANZOO_OFFLINE is set"):
        download.fetch(mirror, SHA256)


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize("by_key", [False, True])
def test_a_folder_is_a_mirror_without_a_network(mirror, monkeypatch, tmp_path, scheme, by_key):
    folder, kept = tmp_path / "mirror", download.place_of(mirror)
    folder.mkdir()
    monkeypatch.setenv("GANZOO_MIRROR", f"{scheme}{folder}")
    monkeypatch.setenv("GANZOO_OFFLINE", "1")
    with pytest.raises(UserError, match=rf"mirror, which .* has no {kept.name} nor net\.pth"):
        download.fetch(mirror)
    (folder / (kept.name if by_key else "net.pth")).write_bytes(CONTENT)
    with pytest.raises(UserError, match="it is another file"):
        download.fetch(mirror, "0" * 64)
    assert download.fetch(mirror) == kept and kept.read_bytes() == CONTENT
    kept.write_bytes(CONTENT[1:])
    with pytest.raises(UserError, match=rf"expected {SHA256} as in .*pins\.json"):
        download.fetch(mirror)


def test_files_that_are_published_with_an_md5_alone(server):
    path = download.fetch(server.url(), md5=hashlib.md5(CONTENT).hexdigest())
    assert path.read_bytes() == CONTENT
    with pytest.raises(UserError, match="expected md5:0000"):
        download.fetch(server.url(), md5="0" * 32)
