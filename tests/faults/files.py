"""Point 6: ten thousand files, a hundred of them broken in twenty ways; and bombs."""

import io
import os
import struct
import time
import zipfile
import zlib

import numpy as np
from PIL import Image

from tests.faults.children import Child, command
from tests.faults.trying import Try

COUNT, EACH = 10_000, 5
LONGEST, LARGEST = 60.0, 2048.0  # seconds for one report, MiB for the process


def tries(context):
    """One folder with everything in it, then each bomb alone."""
    folder = context.fresh("files")
    broken = _fill(folder)
    start = time.monotonic()
    done = _check(f"folder:{folder}", context.fresh("report"))
    seconds = time.monotonic() - start
    missing = [name for name in broken if f" {name} " not in done.text]
    trouble = ""
    if done.code != 1 or "Traceback" in done.text or missing:
        trouble = f"{done.saw}; not named: {missing[:5]}"
    elif seconds > LONGEST:
        trouble = f"it took {seconds:.0f} s"
    summary = f"{done.text.strip().splitlines()[-1]} ({seconds:.0f} s, {done.peak:.0f} MiB)"
    fault = f"{COUNT:,} files, {len(broken)} of them broken in {len(BROKEN)} ways"
    yield Try(fault, not trouble, trouble or summary)
    for name, make in BOMBS.items():
        path = make(context.fresh("bomb"))
        done = _check(path, context.fresh("report"))
        survived = done.code in (1, 2) and "Traceback" not in done.text and done.peak < LARGEST
        lines = [line for line in done.text.splitlines() if "bad" in line or "error" in line]
        saw = f"{lines[0] if lines else done.saw} ({done.peak:.0f} MiB)"
        yield Try(f"a bomb: {name}", survived, saw)


def _check(dataset, output):
    return Child(output, command("data", "check", f"--dataset={dataset}")).finish()


def _fill(folder) -> list[str]:
    """Ten thousand files; the names of those that are broken."""
    rng, names = np.random.default_rng(0), []
    for group in range(100):
        (folder / f"{group:02d}").mkdir(parents=True)
    for index in range(COUNT - EACH * len(BROKEN)):
        pixels = rng.integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{index % 100:02d}" / f"{index:05d}.png")
    for kind, (suffix, make) in BROKEN.items():
        for number in range(EACH):
            name = f"{number:02d}/{kind.replace(' ', '-')}-{number}{suffix}"
            make(folder / name, rng)
            names.append(name)
    return names


def _encoded(rng, format, mode="RGB", side=64) -> bytes:
    shape = (side, side, 3) if mode == "RGB" else (side, side)
    stream = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, shape, np.uint8)).save(stream, format)
    return stream.getvalue()


def _raw(content):
    return lambda path, rng: path.write_bytes(content)


def _cut(format, part=0.5):
    def make(path, rng):
        content = _encoded(rng, format)
        path.write_bytes(content[: int(len(content) * part)])

    return make


def _wrong_checksum(path, rng):
    content = bytearray(_encoded(rng, "PNG"))
    content[45] ^= 255  # inside the first chunk of pixels
    path.write_bytes(content)


def _picture(array, format):
    return lambda path, rng: Image.fromarray(array).save(path, format)


def _png(width, height, data=b"\0" * 8) -> bytes:
    """A PNG whose header promises what its content need not keep."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


BROKEN = {
    "empty": (".jpg", _raw(b"")),
    "one byte": (".png", _raw(b"\x89")),
    "cut JPEG": (".jpg", _cut("JPEG")),
    "cut PNG": (".png", _cut("PNG")),
    "cut WebP": (".webp", _cut("WEBP")),
    "cut GIF": (".gif", _cut("GIF", 0.4)),
    "cut BMP": (".bmp", _cut("BMP")),
    "cut TIFF": (".tif", _cut("TIFF")),
    "header alone": (".jpg", _cut("JPEG", 0.05)),
    "wrong checksum": (".png", _wrong_checksum),
    "a web page": (".jpg", _raw(b"<!DOCTYPE html><html>404</html>")),
    "a text": (".png", _raw(b"this is no image")),
    "noise": (".jpg", lambda path, rng: path.write_bytes(rng.bytes(5000))),
    "zeros": (".png", _raw(b"\0" * 4096)),
    "an archive": (".jpg", _raw(b"PK\3\4" + b"\0" * 100)),
    "one pixel": (".png", _picture(np.zeros((1, 1, 3), np.uint8), "PNG")),
    "a line": (".png", _picture(np.zeros((2, 900, 3), np.uint8), "PNG")),
    "floats": (".tif", _picture(np.zeros((64, 64), np.float32), "TIFF")),
    "a link to nowhere": (".png", lambda path, rng: path.symlink_to("nowhere")),
    "a pipe": (".png", lambda path, rng: os.mkfifo(path)),
}


def _in_a_folder(content, name="bomb.png"):
    def make(folder):
        folder.mkdir()
        (folder / name).write_bytes(content)
        Image.new("RGB", (64, 64)).save(folder / "good.png")
        return f"folder:{folder}"

    return make


def _pixels(folder):
    """Really there: 400 megapixels in 1.2 MB."""
    stream = zlib.compressobj(9)
    row = b"\0" * (3 * 20_000 + 1)
    packed = b"".join(stream.compress(row) for _ in range(20_000)) + stream.flush()
    content = _png(20_000, 20_000)
    old = zlib.compress(b"\0" * 8)
    start = content.index(old) - 8
    checksum = struct.pack(">I", zlib.crc32(b"IDAT" + packed))
    new = struct.pack(">I", len(packed)) + b"IDAT" + packed + checksum
    content = content[:start] + new + content[start + 12 + len(old) :]
    return _in_a_folder(content)(folder)


def _archive(folder):
    """A gigabyte of zeros named as an image, in a megabyte of zip."""
    folder.mkdir()
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        with opened.open("bomb.png", "w", force_zip64=True) as member:
            for _ in range(1024):
                member.write(b"\0" * (1 << 20))
        stream = io.BytesIO()
        Image.new("RGB", (64, 64)).save(stream, "PNG")
        opened.writestr("good.png", stream.getvalue())
    return f"zip:{path}"


def _many(folder):
    """A table of contents that says one member is there 100,000 times."""
    folder.mkdir()
    path = folder / "overlap.zip"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("a.png", _png(64, 64))
        first = opened.infolist()[0]
        opened.filelist += [first] * 100_000
    return f"zip:{path}"


BOMBS = {
    "a PNG of 60,000 x 60,000 px": _in_a_folder(_png(60_000, 60_000)),
    "a PNG of 400 megapixels that are there": _pixels,
    "a GIF of 65,535 x 65,535 px": _in_a_folder(
        b"GIF89a" + b"\xff" * 4 + b"\0\0\0" + b"," + b"\0" * 4 + b"\xff" * 4 + b"\0\2\0;", "a.gif"
    ),
    "a gigabyte of zeros in a zip file": _archive,
    "a zip file that repeats a member": _many,
}
