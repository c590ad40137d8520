"""Point 12: data larger than memory, of which most is a hole in a file.

Twenty gigabytes of prepared images are opened and read at both ends. What is looked at whole, file
by file, has GANZOO_LARGE gigabytes: two by default, since twenty take minutes.
"""

import json
import os
import struct
import time
import zipfile
from pathlib import Path

import numpy as np

from ganzoo import data
from ganzoo.data import cache
from tests.faults.children import Child, as_command, command
from tests.faults.trying import Try

PREPARED = 20 << 30  # bytes
GIGABYTES = float(os.environ.get("GANZOO_LARGE", "2"))
SIDE = 64
LARGEST = 2048  # MiB of a process that reads them
WIDTH, HEIGHT = 1900, 1766  # of a BMP of ten megabytes
STARTS, QUICK = (0, 10**12), 2.0  # positions to begin at; seconds for a batch


def tries(context):
    """Prepared images, an archive and a folder."""
    yield Try("20 GB of prepared images", *_prepared(context))
    for kind, dataset in (("zip file", "zip:{}"), ("folder", "folder:{}")):
        path = (_archive if kind == "zip file" else _folder)(context.fresh("large"))
        yield Try(f"a {kind} of {GIGABYTES:g} GB", *_checked(context, dataset.format(path)))


def _prepared(context):
    """They are prepared for a small folder, then their file grows."""
    home = context.fresh("home")
    options = {"image_size": SIDE, "channels": 3, "split": "train", "progress": False}

    def opened():
        return data.open_source(f"folder:{context.images}", cache_dir=home, **options)

    def grow():
        opened()
        (images,) = home.glob("data/*/images.npy")
        rows = PREPARED // (SIDE * SIDE * 3)
        with images.open("r+b") as file:
            cache._write_header(file, (rows, SIDE, SIDE, 3))
            file.truncate(file.tell() + rows * SIDE * SIDE * 3)
        np.save(images.with_name("labels.npy"), np.zeros(rows, np.int32))

    def read():
        start = time.monotonic()
        stream = data.ImageStream(opened())
        found = {"images": len(stream), "open": time.monotonic() - start}
        for position in STARTS:
            start = time.monotonic()
            for number in range(100):
                stream.read(0, position + 64 * number, 64)
            found[str(position)] = (time.monotonic() - start) / 100
        print(json.dumps(found))

    Child(context.fresh("grow"), as_command(grow)).finish()
    done = Child(context.fresh("read"), as_command(read)).finish()
    if done.code:
        return False, done.saw
    found = json.loads(done.text.strip().splitlines()[-1])
    survived = done.peak < LARGEST and max(found["open"], *(found[str(p)] for p in STARTS)) < QUICK
    return survived, (
        f"{found['images']:,} images open in {found['open']:.2f} s; a batch of 64 takes"
        f" {found['0'] * 1000:.0f} ms at the start and {found[str(STARTS[1])] * 1000:.0f} ms at"
        f" example 10^12; {done.peak:.0f} MiB"
    )


def _checked(context, dataset):
    start = time.monotonic()
    done = Child(context.fresh("check"), command("data", "check", f"--dataset={dataset}")).finish()
    seconds = time.monotonic() - start
    survived = done.code == 0 and done.peak < LARGEST
    last = done.text.strip().splitlines()[-1]
    return survived, f"{last} ({seconds:.0f} s, {done.peak:.0f} MiB)"


def _bmp_header() -> bytes:
    size = 54 + 3 * WIDTH * HEIGHT
    return b"BM" + struct.pack(
        "<IHHIIiiHHIIiiII", size, 0, 0, 54, 40, WIDTH, HEIGHT, 1, 24, 0, size - 54, 0, 0, 0, 0
    )


def _folder(folder: Path) -> Path:
    """Files of black pixels, which take no space."""
    folder.mkdir()
    size = 54 + 3 * WIDTH * HEIGHT
    for index in range(int(GIGABYTES * 2**30) // size):
        with (folder / f"{index:05d}.bmp").open("wb") as file:
            file.write(_bmp_header())
            file.truncate(size)
    return folder


class _Holes:
    """A file in which zeros are holes."""

    def __init__(self, file):
        self.file = file

    def write(self, content):
        if len(content) > 4096 and not content[:64].strip(b"\0"):
            self.file.seek(len(content), 1)
            return len(content)
        return self.file.write(content)

    def __getattr__(self, name):
        return getattr(self.file, name)


def _archive(path: Path) -> Path:
    """The same as members of an archive that are not compressed."""
    path = path.with_suffix(".zip")
    rest = bytes(3 * WIDTH * HEIGHT)
    with path.open("wb") as file, zipfile.ZipFile(_Holes(file), "w", zipfile.ZIP_STORED) as opened:
        for index in range(int(GIGABYTES * 2**30) // len(rest)):
            with opened.open(f"{index:05d}.bmp", "w") as member:
                member.write(_bmp_header())
                member.write(rest)
    return path
