"""Point 13: the demo is for this machine alone, serves nothing but what it made, and survives fifty
users at once with bad files. That nothing in the tree executes what it reads is a test of its own,
in `tests/test_package.py`.
"""

import contextlib
import functools
import importlib.util
import itertools
import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import requests
from PIL import Image

from tests.faults.children import Child, command
from tests.faults.trying import Try

USERS, MODEL = 50, "srresnet_x4"
TOO_LARGE = 65 << 20  # bytes; the demo takes 64 MB


def tries(context):
    """A demo, and what people try on it."""
    if importlib.util.find_spec("gradio") is None:
        yield Try("the demo", None, "needs gradio, the extra demo")
        return
    secret = context.folder / "secret.txt"
    secret.write_text("nobody may read this")
    with _demo(context) as (child, address):
        yield Try("who is not on this machine asks the demo", *_bound(child))
        for fault, path in _PATHS.items():
            yield Try(f"the demo is asked for {fault}", *_asked(address, path(secret)))
        yield Try("an upload above the limit", *_too_large(address))
        yield Try("another page on the web calls the demo", *_foreign(address))
        yield Try(f"{USERS} users at once with bad files", *_crowd(address, context))


@contextlib.contextmanager
def _demo(context):
    """Its process and its address, of a model that converts photos."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    work = command("demo", f"--model={MODEL}", f"--port={port}", f"--runs={context.folder}")
    child = Child(context.fresh("demo"), work)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if child.wait(0.2):
                raise RuntimeError(child.finish().text)
            with contextlib.suppress(requests.ConnectionError):
                requests.get(address, timeout=5)
                break
        yield child, address
    finally:
        child.kill()
        child.finish()


def _bound(child):
    """All places that it listens at."""
    listening = [c for c in psutil.Process(child.pid).net_connections() if c.status == "LISTEN"]
    places = sorted({c.laddr.ip for c in listening})
    return places == ["127.0.0.1"], f"it listens at {', '.join(places)}"


_PATHS = {
    "a file by its path": lambda secret: f"/gradio_api/file={secret}",
    "a file of the system": lambda secret: "/gradio_api/file=/etc/passwd",
    "its own source": lambda secret: f"/gradio_api/file={Path(__file__).resolve()}",
    "a file by way of dots": lambda secret: "/static/..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd",
    "a file of the folder it runs in": lambda secret: "/gradio_api/file=setup.py",
}


def _asked(address, path):
    answer = requests.get(address + path, timeout=30)
    return answer.status_code >= 400, f"HTTP {answer.status_code}"


def _too_large(address):
    files = {"files": ("large.png", b"\0" * TOO_LARGE)}
    answer = requests.post(f"{address}/gradio_api/upload", files=files, timeout=120)
    return answer.status_code in (400, 413), f"HTTP {answer.status_code}: {answer.text[:80]}"


def _foreign(address):
    """A browser sends where a page is from, and obeys what comes back."""
    headers = {"Origin": "https://elsewhere.example"}
    answer = requests.get(f"{address}/config", headers=headers, timeout=30)
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    return allowed in (None, "null"), f"Access-Control-Allow-Origin: {allowed}"


def _crowd(address, context):
    """Each user uploads something broken, and asks for it to be converted; then a good photo must
    still come back."""
    from tests.faults.files import BOMBS, BROKEN

    folder = context.fresh("crowd")
    folder.mkdir()
    uploads = []
    for index, (suffix, make) in enumerate(BROKEN.values()):
        path = folder / f"{index}{suffix}"
        make(path, np.random.default_rng(index))
        if path.is_file() and not path.is_symlink():
            uploads.append(path)
    bomb = BOMBS["a PNG of 60,000 x 60,000 px"](context.fresh("bomb")).removeprefix("folder:")
    uploads.append(Path(bomb) / "bomb.png")
    good = folder / "good.png"
    Image.new("RGB", (80, 50), (200, 30, 30)).save(good)
    start = time.monotonic()
    users = itertools.islice(itertools.cycle(uploads), USERS)
    with ThreadPoolExecutor(USERS) as pool:
        answers = list(pool.map(functools.partial(_convert, address), users))
    seconds = time.monotonic() - start
    wrong = [a for a in answers if "no image, or damaged" not in a and '"success": true' not in a]
    survived = not wrong and '"success": true' in _convert(address, good)
    answer = next((a for a in answers if "no image" in a), "")
    words = answer[max(0, answer.find('"error"')) :][:120]
    saw = f"{len(wrong)} got another answer, such as {wrong[0][:300]}" if wrong else words
    return survived, f"in {seconds:.0f} s: {saw}"


def _convert(address, path) -> str:
    """What the page answers to a photo that is dropped, by the way that the page itself goes."""
    with path.open("rb") as file:
        answer = requests.post(f"{address}/gradio_api/upload", files={"files": file}, timeout=300)
    if answer.status_code != 200:
        return f"HTTP {answer.status_code}"
    stored = {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}
    session = os.urandom(5).hex()
    controls = _call(address, session, 0, [MODEL])["output"]["render_config"]["dependencies"]
    (function,) = (f["id"] for f in controls if any(t[1] == "upload" for t in f["targets"]))
    return json.dumps(_call(address, session, function, [stored, 64]))


def _call(address, session, function, values) -> dict:
    """What a listener of the page answers."""
    body = {"data": values, "fn_index": function, "session_hash": session}
    requests.post(f"{address}/gradio_api/queue/join", json=body, timeout=300).raise_for_status()
    url = f"{address}/gradio_api/queue/data?session_hash={session}"
    with requests.get(url, stream=True, timeout=300) as stream:
        for line in stream.iter_lines():
            if b"process_completed" in line:
                return json.loads(line.removeprefix(b"data: "))
    raise RuntimeError("the demo did not answer")
