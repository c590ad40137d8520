"""Files made to harm: they are refused, soon, with a reason, and nothing of them is executed."""

import io
import os
import pickle
import struct
import sys
import time
import tracemalloc
import zipfile
import zlib

import h5py
import numpy as np
import pytest

from ganzoo import weights
from ganzoo.weights import RefusedFile, archives, pickles, pytorch

from . import writers
from .writers import Call, Storage, legacy, nested, network, tensor, write_zip

ARRAYS = {"weight": np.arange(12, dtype=np.float32).reshape(3, 4), "half": np.float16([1, 2])}
TOUCHED = []


@pytest.fixture(autouse=True)
def _no_stand_ins_are_left():
    yield
    while writers.MADE:
        sys.modules.pop(writers.MADE.pop())


def touch(*arguments):
    """What no file may bring about."""
    TOUCHED.append(arguments)


class Reduce:
    """Pickles as a call of an existing function."""

    def __init__(self, function, *arguments, state=None):
        self.parts = (function, arguments, *([] if state is None else [state]))

    def __reduce__(self):
        return self.parts


def calls(name, argument="touch pwned"):
    """A pickle, by hand, that calls what `name` stands for: "module:attribute"."""
    module, attribute = name.split(":")
    text = b"X" + struct.pack("<I", len(argument)) + argument.encode()
    return f"c{module}\n{attribute}\n".encode() + text + b"\x85R"


SYSTEM = Reduce(os.system, "touch pwned")
PAYLOADS = {
    "os.system": SYSTEM,
    "a function of this file": Reduce(touch, 1),
    "eval": Reduce(eval, "1 + 1"),
    "exec": Reduce(exec, "raise SystemExit"),
    "compile": Reduce(compile, "1", "a", "eval"),
    "open": Reduce(open, "pwned", "w"),
    "import": Reduce(__import__, "os"),
    "getattr": Reduce(getattr, 1, "real"),
    "setattr": Reduce(setattr, Reduce(touch), "a", 1),
    "globals": Reduce(globals),
    "a large bytearray": Reduce(bytearray, 10**12),
    "as an argument": Reduce(print, SYSTEM),
    "in a list": [1, [2, SYSTEM]],
    "in a tuple": {"a": (Reduce(os.getcwd),)},
    "as the state": Reduce(io.StringIO, "a", state=(SYSTEM, 1)),
    "as a tensor's storage": Call("torch._utils._rebuild_tensor_v2", SYSTEM, 0, (1,), (1,)),
    "as a parameter": Call("torch._utils._rebuild_parameter", SYSTEM, True, {}),
    "as a network": Call("torch_utils.persistence._reconstruct_persistent_obj", SYSTEM),
    "numpy's load": Reduce(np.load, "a.npy"),
    "numpy's fromfile": Reduce(np.fromfile, "a"),
    "a pickle in a pickle": Reduce(pickle.loads, pickle.dumps(SYSTEM)),
    "torch.load": Call("torch.load", "other.pth"),
    "torch.hub": Call("torch.hub.load", "someone/repository", "model"),
    "torch's functions": Call("torch.nn.functional.relu", 1),
}
NAMES = """
posix:system nt:system os:popen os:execv subprocess:Popen pty:spawn builtins:eval
__builtin__:eval builtins:__import__ importlib:import_module runpy:run_path code:interact
marshal:loads types:FunctionType types:CodeType copyreg:_reconstructor copyreg:__newobj__
copyreg:add_extension copy_reg:_inverted operator:attrgetter operator:methodcaller
functools:partial pickle:loads ctypes:CDLL webbrowser:open socket:create_connection
shutil:rmtree torch.serialization:load torch.serialization:os.system torch._utils:os.system
torch.jit._script:load torch.storage:_os.system torch.utils.cpp_extension:load numpy:os.system
numpy.core.multiarray:os.system numpy.testing._private.utils:runstring
collections:OrderedDict.fromkeys dnnlib.util:get_obj_by_name dnnlib.util:open_url
"""


def assert_refused(path, words):
    with pytest.raises(RefusedFile, match=words):
        weights.read(path)
    assert not TOUCHED and not (path.parent / "pwned").exists()


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("container", ["pkl", "zip", "legacy"])
def test_nothing_is_called(tmp_path, monkeypatch, name, container):
    monkeypatch.chdir(tmp_path)
    path, item = tmp_path / "net.bin", PAYLOADS[name]
    if container == "zip":
        write_zip(path, item)
    else:
        path.write_bytes(pickle.dumps(item, 2) if container == "pkl" else legacy(item))
    assert_refused(path, "which is not part of any weights")


@pytest.mark.parametrize("name", NAMES.split())
def test_no_name_is_looked_up(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    module, attribute = (word.encode() for word in name.split(":"))
    text = b"".join(b"X" + struct.pack("<I", len(word)) + word for word in (module, attribute))
    by_stack = b"\x80\x04" + text + b"\x93" + b"X\x02\x00\x00\x00id\x85R."
    by_memo = b"\x80\x04" + text + b"\x94q\x050q\x060h\x06h\x05\x93" + b"X\x02\x00\x00\x00id\x85R."
    for program in (b"\x80\x02" + calls(name) + b".", by_stack, by_memo):
        (tmp_path / "net.pkl").write_bytes(program)
        assert_refused(tmp_path / "net.pkl", f"names {name.replace(':', '.')}, which is not part")


def test_source_code_in_a_file_is_not_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = "import os; os.system('touch pwned')"
    net = network({"weight": ARRAYS["weight"]})
    net.arguments[0]["module_src"] = source
    (tmp_path / "net.pkl").write_bytes(pickle.dumps({"G": net}, 4))
    assert set(weights.read(tmp_path / "net.pkl")) == {"G.weight"}
    with zipfile.ZipFile(write_zip(tmp_path / "net.pt", {"x": tensor([1.0])}), "a") as archive:
        archive.writestr("net/code/__torch__/net.py", source)
    assert set(weights.read(tmp_path / "net.pt")) == {"x"}
    np.savez(tmp_path / "net.npz", x=np.array([SYSTEM], object))
    assert_refused(tmp_path / "net.npz", "[Oo]bject arrays cannot be loaded")


def test_names_of_classes_stay_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = b"\x80\x02" + calls("torch.nn.modules.os:system") + b"."
    (tmp_path / "net.pkl").write_bytes(program)
    assert_refused(tmp_path / "net.pkl", "it holds no arrays")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "raw, words",
    [
        (b"\x80\x02cos\nsystem\nq\x00h\x00(X\x02\x00\x00\x00lstR.", "os.system"),  # by way of memo
        (b"\x80\x02(X\x02\x00\x00\x00lsios\nsystem\n.", "the operation INST"),
        (b"\x80\x02(cos\nsystem\nX\x02\x00\x00\x00lso.", "os.system"),
        (b"\x80\x02(X\x02\x00\x00\x00lsX\x02\x00\x00\x00lso.", "the operation OBJ"),
        (b"\x80\x02\x82\x01.", "the operation EXT1"),
        (b"\x80\x05\x97.", "the operation NEXT_BUFFER"),
        (b"\x80\x02K\x01K\x02R.", "a Name was expected"),
        (b"\x80\x02K\x01}b.", "changes an object of type int"),
        (b"\x80\x02h\x05.", "damaged pickle"),
        (b"\x80\x02e.", "without a mark"),
        (b"\x80\x02" + b"(" * 10, "does not end|damaged"),
        (b"\x80\x02]q\x00h\x00a.", "contains itself"),
        (b"\x80\x02\x8a\xff", "damaged pickle"),
        (b"\x80\x02P1\n.", "outside of the file"),
        (b"\x80\x02}]K\x01s.", "a key of type list"),
        (b"\x80\x02ctorch\n" + b"a" * 300 + b"\n.", "a name of more than 200"),
        (b"\x80\x04]" + b"\x85" * 100_000 + b".", "contains itself|too deeply"),
    ],
)
def test_broken_and_odd_pickles_are_refused(tmp_path, raw, words):
    (tmp_path / "net.pkl").write_bytes(raw)
    assert_refused(tmp_path / "net.pkl", words)


@pytest.mark.parametrize("opcode", ["T", "B", "X", "\x8d", "\x8e", "\x96", "\x8b"])
def test_lengths_that_lie_reserve_no_memory(tmp_path, opcode):
    size = struct.pack("<q" if opcode in "\x8d\x8e\x96" else "<i", 2_000_000_000)
    path = tmp_path / "net.pkl"
    path.write_bytes(b"\x80\x05" + opcode.encode("latin-1") + size + b"abc.")
    tracemalloc.start()
    assert_refused(path, "damaged pickle")
    assert tracemalloc.get_traced_memory()[1] < 1 << 24
    tracemalloc.stop()


SCALAR = b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n"
RECORD = b"ctorch.nn.modules.a\nB\n"
COLLIDING = [n * sys.hash_info.modulus for n in range(1, 30_000)]


def text(length):
    """A pickled text, of which there may be several that are alike and not the same."""
    return b"X" + struct.pack("<I", length) + b"a" * length


def doubled(times, start=b"]", close=b"\x86"):
    """A pickle of a pair of pairs of pairs ..., each of which is made once."""
    return start + b"".join(b"q%ch%c" % (n, n) + close for n in range(times))


@pytest.mark.parametrize(
    "program, words",
    [
        (doubled(60), "too many others"),
        (doubled(60, b"ctorch._utils\n_rebuild_parameter\n0]"), "too many others"),
        (b"}" + doubled(60) + b"K\x01s", "a key of type tuple"),
        (b"\x8f(" + doubled(60) + b"\x90", "a key of type tuple"),
        (b"(" + doubled(60) + b"\x91", "a key of type tuple"),
        (b"ccollections\nOrderedDict\n(]" + doubled(60) + b"K\x01\x86atR", "a key of type tuple"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n(" + doubled(60) + b"tR", "a tensor of a tuple"),
        (SCALAR + doubled(60) + b"\x85RK\x01\x86R", "numbers of the type"),
        (RECORD + b"q\x00(" + b"N" * 9999 + b"tq\x01" + b"h\x00h\x01R" * 9999, "over and over"),
        (b"N" + b"".join(b"p%d\n" % n for n in COLLIDING), "an object with the number 230"),
        (b"\x8b" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x00}h\x00Ns", "a int of"),
        (
            text(1 << 20) + b"q\x00" + text(1 << 20) + b"q\x01}" + b"h\x00Nsh\x01Ns" * 50_000,
            "a str of length 1,048,576",
        ),
    ],
)
def test_small_files_of_huge_structures(tmp_path, program, words):
    (tmp_path / "net.pkl").write_bytes(b"\x80\x04" + program + b".")
    assert_refused(tmp_path / "net.pkl", words)


def test_the_same_bytes_are_not_unpacked_over_and_over(tmp_path):
    head = b"\x80\x02" + text(100_000) + b"q\x00"
    encode = b"c_codecs\nencode\nq\x010X\x06\x00\x00\x00latin1q\x020"
    (tmp_path / "net.pkl").write_bytes(head + encode + b"h\x01h\x00h\x02\x86R" * 1000 + b".")
    assert_refused(tmp_path / "net.pkl", "same bytes over and over")
    array = b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01J\xa0\x86\x01\x00\x85"
    array += b"cnumpy\ndtype\n\x8c\x02u1\x85RNh\x00tb"
    (tmp_path / "net.pkl").write_bytes(head + b"(" + array * 1000 + b"l.")
    assert_refused(tmp_path / "net.pkl", "same bytes over and over")


def test_numbers_as_keys_do_not_collide(tmp_path):
    pairs = b"".join(b"\x8a\x0a" + n.to_bytes(10, "little") + b"N" for n in COLLIDING)
    (tmp_path / "net.pkl").write_bytes(b"\x80\x02}(" + pairs + b"u.")
    start = time.process_time()
    assert_refused(tmp_path / "net.pkl", "it holds no arrays")
    assert time.process_time() - start < 1


def test_files_in_files_in_files_are_refused(tmp_path):
    inner = legacy(Storage(np.zeros(3, np.float32)))
    outer = legacy(Call("torch.storage._load_from_bytes", inner))
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps(Call("torch.storage._load_from_bytes", outer), 4))
    assert_refused(path, "_load_from_bytes, which is not part")


def test_many_tensors_of_one_storage_need_no_memory(tmp_path):
    storage = Storage(np.zeros(1 << 16, np.float32))
    tensors = {str(n): tensor(storage.array, storage) for n in range(1000)}
    path = write_zip(tmp_path / "net.pth", tensors)
    tracemalloc.start()
    found = weights.read(path)
    assert tracemalloc.get_traced_memory()[1] < 1 << 24 < sum(a.nbytes for a in found.values())
    tracemalloc.stop()


def test_names_do_not_grow_without_end(tmp_path):
    item = {"a" * 300: {"b" * 300: {"c" * 500: tensor([1.0])}}}
    assert_refused(write_zip(tmp_path / "net.pth", item), "a name of more than 1000")


@pytest.mark.parametrize(
    "shape, strides, offset",
    [
        ((1000,), (1,), 0),
        ((4, 4), (4, 1), 1),
        ((10**9,), (0,), 0),
        ((2,), (-1,), 1),
        ((2,), (1,), -1),
        ((1,) * 100, (1,) * 100, 0),
        ((10**30,), (1,), 0),
        (7, 1, 0),
        ((True,), (1,), 0),
        ((2,), ("a",), 0),
        (None, None, None),
    ],
)
def test_tensors_beyond_their_storage_are_refused(tmp_path, shape, strides, offset):
    storage = Storage(np.zeros(16, np.float32))
    item = Call("torch._utils._rebuild_tensor_v2", storage, offset, shape, strides, False, {})
    assert_refused(write_zip(tmp_path / "net.pth", {"x": item}), "tensor of shape")


@pytest.mark.parametrize("shape", [(10**15,), ("a" * 1000, 10**9), 3, (2, -1), (3,)])
def test_arrays_of_absurd_shapes_are_refused(tmp_path, shape):
    program = (
        b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n)R(K\x01"
        + pickle.dumps(shape, 4)[2:-1].replace(b"\x94", b"")  # without frame and memo
        + b"cnumpy\ndtype\n\x8c\x02f4\x85RNC\x08aaaabbbbtb."
    )
    (tmp_path / "net.pkl").write_bytes(program)
    assert_refused(tmp_path / "net.pkl", "an array of shape|damaged")


def test_truncated_files_are_refused(tmp_path):
    tensors = {name: tensor(array) for name, array in ARRAYS.items()}
    whole_pkl = pickle.dumps({"G": network(ARRAYS)}, 4)
    whole_zip = write_zip(tmp_path / "a", tensors).read_bytes()
    for index, whole in enumerate((legacy(tensors), whole_zip, whole_pkl)):
        path = tmp_path / f"{index}.pth"
        for length in range(1, len(whole), 37):
            path.write_bytes(whole[:length])
            assert_refused(path, "read")


def rewritten(path, compression, **changed):
    """The archive once more, with its members compressed or replaced."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in (members | changed).items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"net/data.pkl": bytes((1 << 28) + 1)}, "bytes large"),
        *(
            pytest.param(
                {member: bytes(1 << 29)}, "that would become 536,8", marks=pytest.mark.slow
            )
            for member in ("net/byteorder", "net/data/0")
        ),
        ({}, "missing or compressed"),
        ({"net/byteorder": b"big"}, "big-endian"),
        ({"../../pwned": b""}, "an archive with the path '../../pwned'"),
        ({"/tmp/pwned": b""}, "an archive with the path"),
        ({"net\\..\\..\\pwned": b""}, "an archive with the path"),
    ],
)
def test_archives_made_to_harm_are_refused(tmp_path, changed, words):
    path = write_zip(tmp_path / "net.pth", {"x": tensor(ARRAYS["half"])})
    assert_refused(rewritten(path, zipfile.ZIP_DEFLATED, **changed), words)


def test_encrypted_archives_are_refused(tmp_path):
    path = write_zip(tmp_path / "net.pth", {"x": tensor(ARRAYS["half"])})
    raw = bytearray(path.read_bytes())
    for start, flags in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        raw[raw.index(start) + flags] |= 1
    path.write_bytes(raw)
    assert_refused(path, "an encrypted archive")


def test_storages_outside_of_their_folder_are_not_found(tmp_path):
    path = write_zip(tmp_path / "net.pth", {"x": tensor(ARRAYS["half"])})
    with zipfile.ZipFile(path) as archive:
        program = archive.read("net/data.pkl")
    program = program.replace(b"X\x01\x00\x00\x000", b"X\x0b\x00\x00\x00/etc/passwd")
    changed = {"net/data.pkl": program}
    assert_refused(rewritten(path, zipfile.ZIP_STORED, **changed), "passwd is missing")


def test_arrays_of_numpy_that_lie_about_their_shape(tmp_path):
    np.savez(tmp_path / "net.npz", x=np.zeros(8))
    header = np.lib.format.header_data_from_array_1_0(np.zeros(8)) | {"shape": (10**12,)}
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, header)
    changed = {"x.npy": stream.getvalue()}
    assert_refused(rewritten(tmp_path / "net.npz", 0, **changed), "would become 8,000,000,000,000")


def test_hdf5_that_lies_about_its_shape_or_leads_elsewhere(tmp_path):
    path = tmp_path / "net.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (10**6, 10**6), "f4")
    assert_refused(path, "would become 4,000,000,000,000")
    with h5py.File(path, "w") as file:
        file.create_dataset("x", 4, "u1", external=[("/etc/passwd", 0, 4)])
    assert_refused(path, "x lies in another file")
    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink("/etc/passwd", "y")
        file["loop"] = h5py.SoftLink("/")
    assert_refused(path, "it holds no arrays")


def test_hdf5_that_unpacks_to_more_than_its_arrays(tmp_path):
    path, content = tmp_path / "net.h5", zlib.compress(bytes(1 << 28))
    with h5py.File(path, "w") as file:
        item = file.create_dataset("x", 1 << 16, "f4", chunks=(1 << 16,), compression="gzip")
        item.id.write_direct_chunk((0,), content)
    assert_refused(path, "x is chunked or compressed")


def test_a_pickle_may_not_be_endless(monkeypatch):
    monkeypatch.setattr(pickles, "MOST_OPCODES", 100)
    with pytest.raises(RefusedFile, match="more than 100 operations"):
        pytorch.read_networks(io.BytesIO(pickle.dumps(list(range(200)), 2)))


def test_archives_may_grow_as_weights_do():
    archives.check_size("an archive", 25 << 28, 2 << 28)
    with pytest.raises(RefusedFile):
        archives.check_size("an archive", 50 << 28, 2 << 28)


def test_storages_of_a_network_are_read_once_each(tmp_path):
    parameters = {"a": nested(ARRAYS["weight"]), "b": nested(ARRAYS["half"])}
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(parameters, 4))
    found = weights.read(tmp_path / "net.pkl")
    np.testing.assert_array_equal(found["a"], ARRAYS["weight"])
    assert not found["a"].flags.writeable
