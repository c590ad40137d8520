"""Point 7: processes that want the same run directory, prepared data or download at once."""

import contextlib
import functools
import hashlib
import http.server
import multiprocessing
import os
import signal
import threading
import time

import numpy as np

from ganzoo import data, errors
from ganzoo.runs import RunDirectory
from ganzoo.weights import download
from tests.faults.trying import Try

FORK = multiprocessing.get_context("fork")
RACES = 100


def tries(context):
    """Each race a hundred times, between two to six processes."""
    with _server() as (url, requests):
        races = {
            "at once in one run directory": _run_directory,
            "at once in one run directory, one is killed": functools.partial(
                _run_directory, killed=True
            ),
            "at once prepare the same data": _cache,
            "at once prepare the same data, one is killed": functools.partial(_cache, killed=True),
            "at once download the same file": functools.partial(_download, url, requests),
        }
        for _ in range(RACES):
            for fault, race in races.items():
                count = context.random.randrange(2, 7)
                yield Try(f"processes that are {fault}", *race(context, count))


def _together(count, work, killed=False) -> list:
    """What `work` returns in each of some processes that begin at the same moment; one of them may
    be killed soon after."""
    barrier, results = FORK.Barrier(count), FORK.SimpleQueue()

    def body():
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        barrier.wait()
        try:
            results.put(work())
        except errors.UserError as error:
            results.put(str(error))

    processes = [FORK.Process(target=body) for _ in range(count)]
    for process in processes:
        process.start()
    if killed:
        time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.kill(processes[0].pid, signal.SIGKILL)
    for process in processes:
        process.join(120)
        process.kill()
    found = []
    while not results.empty():
        found.append(results.get())
    return found


def _run_directory(context, count, killed=False):
    """One is in, the others are refused; whoever comes next gets in."""
    run, inside = RunDirectory(context.fresh("race")), FORK.Value("i", 0)

    def work():
        with run.locked():
            with inside.get_lock():
                inside.value += 1
            time.sleep(0.3)
            return "in"

    found = _together(count, work, killed)
    refused = [text for text in found if "Another trainer is at work" in text]
    survived = inside.value == 1 and len(refused) >= count - 1 - killed
    with run.locked():
        pass
    return survived, refused[0] if refused else f"{inside.value} were in: {found}"


def _cache(context, count, killed=False):
    """All get the same images, prepared once, and nothing is left but them."""
    home = context.fresh("race")

    def work():
        options = {"image_size": 16, "channels": 3, "split": "train", "progress": False}
        source = data.open_source(f"folder:{context.images}", cache_dir=home, **options)
        return hashlib.sha256(source.read(np.arange(len(source)))["image"].tobytes()).hexdigest()

    found = _together(count, work, killed)
    left = sorted(path.suffix for path in (home / "data").iterdir())
    enough = len(found) >= count - killed
    survived = enough and len(set(found)) == 1 and left in ([""], ["", ".lock"], [".lock", ""])
    return survived, "all get the same images" if survived else f"{found}; {left}"


def _download(url, requests, context, count):
    """The file comes once, and all have it."""
    home, before = context.fresh("race"), len(requests)

    def work():
        os.environ["GANZOO_HOME"] = str(home)
        return hashlib.sha256(download.fetch(f"{url}/{home.name}").read_bytes()).hexdigest()

    found = _together(count, work)
    right = [hashlib.sha256(CONTENT).hexdigest()] * count
    asked = len(requests) - before
    return found == right and asked == 1, f"{asked} download, {len(set(found))} content"


CONTENT = bytes(range(256)) * 4096


@contextlib.contextmanager
def _server():
    """A server of one file that is slow, and what it was asked for."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            for start in range(0, len(CONTENT), len(CONTENT) // 4):
                self.wfile.write(CONTENT[start : start + len(CONTENT) // 4])
                time.sleep(0.02)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
