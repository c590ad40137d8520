"""Coverage-guided fuzzing of the readers of pickles, with atheris (not a dependency of ganzoo).

    pip install atheris numpy h5py safetensors
    python tests/fuzz/readers.py CORPUS -max_total_time=1800 -timeout=100 -rss_limit_mb=1024

CORPUS is a folder that exists; files as PyTorch and NVIDIA's code write them are put into it first.
What follows are options of libFuzzer. An input is a byte, which tells how the rest is read: as a
whole file, as the pickle in PyTorch's archive, as the object in its older format, or as a list of
instructions, one per byte, of which such pickles are put together. It has to give arrays or a
`RefusedFile`, within the limits of time and memory, and nothing may be executed, imported or opened
for writing. To see what an input does: python tests/fuzz/readers.py FILE.
"""

import io
import pickle
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))

with atheris.instrument_imports(include=["ganzoo.weights", "pickletools"]):
    from ganzoo import weights
    from ganzoo.weights.pytorch import LEGACY_MAGIC

import numpy as np

from tests.weights import writers

FILE = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").exists() else None)) / "net"
STORED = np.arange(16, dtype=np.float32)
HEAD = b"".join(
    pickle.dumps(part, protocol=2) for part in (LEGACY_MAGIC, 1001, {"little_endian": True})
)
TAIL = pickle.dumps(["0"], protocol=2) + (16).to_bytes(8, "little") + STORED.tobytes()
LONGEST = 5.0  # seconds of this process for one input; libFuzzer's limit is by the clock
HARMLESS = ("faulthandler",)  # atheris imports it when time is up
CODECS = ("raw_unicode_escape", "cp437")  # of pickletools and zipfile, imported when first used
FORBIDDEN = ("exec", "import", "os.", "subprocess.", "socket.", "shutil.", "ctypes.", "pickle.")


def archive(program: bytes) -> bytes:
    """PyTorch's archive around a pickle, with one storage."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        opened.writestr("net/data.pkl", program)
        opened.writestr("net/data/0", STORED.tobytes())
    return stream.getvalue()


def assembled(raw: bytes) -> bytes:
    """A pickle of instructions that readers know, which chance would hardly find."""
    return b"\x80\x04" + b"".join(PARTS[code % len(PARTS)] for code in raw) + b"."


NAMES = (
    *("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "torch FloatStorage"),
    *("torch BFloat16Storage", "torch.storage _load_from_bytes", "collections OrderedDict"),
    *("numpy.core.multiarray _reconstruct", "numpy.core.multiarray scalar", "numpy dtype"),
    *("numpy ndarray", "_codecs encode", "torch Size", "dnnlib.util EasyDict"),
    *("torch_utils.persistence _reconstruct_persistent_obj", "dnnlib.tflib.network Network"),
)
WORDS = (
    *("storage", "0", "cpu", "state", "_modules", "_parameters", "_buffers", "variables", "f4"),
    *("components", "resolution", "<", "latin1", "abcdabcd"),
)
FILE_INSIDE = writers.legacy(writers.Storage(STORED))
PARTS = (
    *(b"c%b\n" % name.replace(" ", "\n").encode() for name in NAMES),
    *(b"\x8c" + bytes([len(word)]) + word.encode() for word in WORDS),
    *(b"K" + bytes([number]) for number in (0, 1, 2, 4, 16, 64)),
    *(b"J\xff\xff\xff\xff", b"\x8a\x09" + b"\xff" * 8 + b"\x00", b"G?\xf0\0\0\0\0\0\0"),
    *(b"C\x04abcd", b"B" + len(FILE_INSIDE).to_bytes(4, "little") + FILE_INSIDE),
    *(
        opcode.encode("latin-1")
        for opcode in "()]}tlde0122as\x85\x86\x87RbuQ\x81\x88\x89N\x8f\x90\x91"
    ),
    *(b"\x94", *(b"h" + bytes([place]) for place in range(6)), *(b"q%c" % p for p in range(6))),
    # Whole tensors and arrays, to have a part of.
    b"ctorch._utils\n_rebuild_tensor_v2\n(\x8c\x07storagectorch\nFloatStorage\n"
    b"\x8c\x010\x8c\x03cpuK\x10tQK\x00K\x10\x85K\x01\x85\x89}tR",
    b"((\x8c\x07storagectorch\nFloatStorage\n\x8c\x010\x8c\x03cpuK\x10tQ",
    b"cnumpy\ndtype\n\x8c\x02f4\x89\x88\x87R(K\x03\x8c\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
)
WRAPPINGS = (
    *(bytes, archive, lambda raw: HEAD + raw + TAIL),
    *(assembled, lambda raw: archive(assembled(raw)), lambda raw: HEAD + assembled(raw) + TAIL),
)


def test_one_input(raw: bytes):
    """What libFuzzer calls."""
    if not raw:
        return
    FILE.write_bytes(WRAPPINGS[raw[0] % len(WRAPPINGS)](raw[1:]))
    GUARD.armed, start = True, time.process_time()
    try:
        found = weights.read(FILE, ("resolution",))
    except weights.RefusedFile:
        return
    finally:
        GUARD.armed = False
        assert time.process_time() - start < LONGEST
    total = sum(array.nbytes for array in found.values())
    assert all(type(array) is np.ndarray and array.dtype.kind in "biuf" for array in found.values())
    assert sum(map(len, found)) < 1 << 26 and total < 1 << 40


class Guard:
    """Raises when a reader does more than reading, as Python's audit hooks report it."""

    armed = False

    def __call__(self, event, arguments):
        if not self.armed or not event.startswith((*FORBIDDEN, "open")):
            return
        if event == "open" and arguments[1] in (None, "r", "rb"):
            return
        if event == "import" and arguments[0].startswith(HARMLESS):
            return
        self.armed = False
        raise AssertionError(f"{event} {arguments}")


GUARD = Guard()


def seeds():
    """Inputs that are well-formed."""
    base = np.arange(12, dtype=np.float32)
    storage = writers.Storage(base)
    tensors = {
        "a": writers.tensor(base.reshape(3, 4), storage),
        "b": writers.tensor(base[2:6], storage, offset=2, strides=(1,)),
        "c": writers.tensor(np.array([True])),
    }
    part = writers.network({"weight": base}, {"w_avg": np.float16([1, 2])})
    whole = {"G_ema": writers.network(modules={"b4": part}), "kwargs": {"n": [1, (2.5, None)]}}
    yield b"\0" + writers.legacy(tensors)
    yield b"\0" + pickle.dumps(whole, protocol=4)
    yield b"\0" + pickle.dumps({"x": base, "y": np.float64(2), "z": b"12"}, protocol=2)
    yield b"\0" + pickle.dumps({"x": base, "s": {1, 2}, "f": frozenset((3,))}, protocol=4)
    yield b"\0" + pickle.dumps({"x": base, "n": 10**30, "m": "text"}, protocol=0)
    yield b"\0" + writers.write_zip(FILE, tensors).read_bytes()
    for wrapping in (1, 2):
        stream = io.BytesIO()
        writers.Writer(stream, legacy=wrapping == 2).dump({"a": tensors["a"], "b": tensors["b"]})
        yield bytes([wrapping]) + stream.getvalue()


def main():
    """The command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder is not None and folder.is_dir():
        for index, raw in enumerate(seeds()):
            (folder / f"seed{index}").write_bytes(raw)
            test_one_input(raw)
    for codec in CODECS:
        "".encode(codec)
    sys.addaudithook(GUARD)
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
