import io
import os
import pickle
import sys
import zipfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from ganzoo import models, weights
from ganzoo.weights import RefusedFile, pickles, pytorch

from . import writers
from .writers import Call, Storage, legacy, network, tensor, write_zip

ARRAYS = {
    "conv.weight": np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32),
    "half": np.arange(5, dtype=np.float16),
    "count": np.array(7),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3), np.float32),
}


@pytest.fixture(autouse=True)
def _no_stand_ins_are_left():
    yield
    while writers.MADE:
        sys.modules.pop(writers.MADE.pop())


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def state(prefix=""):
    return {f"{prefix}{name}": array for name, array in ARRAYS.items()}


@pytest.fixture(params=["zip", "legacy"])
def write(request, tmp_path):
    def write(item):
        path = tmp_path / "net.pth"
        if request.param == "zip":
            return write_zip(path, item)
        path.write_bytes(legacy(item))
        return path

    return write


def test_state_dicts_with_other_things_around_them(write):
    tensors = {name: tensor(array) for name, array in ARRAYS.items()}
    path = write({"state_dict": tensors, "epoch": 3, "name": "net", "betas": (0.5, 0.999)})
    assert_same(weights.read(path), state("state_dict."))


def test_views_share_a_storage(write):
    base = np.arange(12, dtype=np.float32)
    storage = Storage(base)
    turned = tensor(base.reshape(4, 3).T, storage, strides=(1, 3))
    part = tensor(base[2:6], storage, offset=2, strides=(1,))
    path = write({"turned": turned, "part": part})
    assert_same(weights.read(path), {"turned": base.reshape(4, 3).T, "part": base[2:6]})


def test_bfloat16_becomes_float32(tmp_path, monkeypatch):
    monkeypatch.setitem(writers.STORAGES, "u2", "BFloat16Storage")
    array = np.array([0x3F80, 0xC000, 0x4049], np.uint16)
    found = weights.read(write_zip(tmp_path / "a.pth", {"x": tensor(array)}))["x"]
    np.testing.assert_array_equal(found, np.array([1.0, -2.0, 3.140625], np.float32))


def test_networks_of_nvidia_and_their_source_code(tmp_path):
    conv = network({"weight": ARRAYS["conv.weight"]}, {"filter": ARRAYS["half"]})
    whole = network(buffers={"w_avg": ARRAYS["flags"]}, modules={"b4": conv})
    path = tmp_path / "net.pkl"
    path.write_bytes(pickle.dumps({"G_ema": whole, "training_set_kwargs": {"size": 3}}, 4))
    expected = {
        "G_ema.w_avg": ARRAYS["flags"],
        "G_ema.b4.weight": ARRAYS["conv.weight"],
        "G_ema.b4.filter": ARRAYS["half"],
    }
    assert_same(weights.read(path), expected)


def test_arrays_of_numpy_in_a_pickle(tmp_path):
    for protocol in (2, 4):
        path = tmp_path / f"{protocol}.pkl"
        path.write_bytes(pickle.dumps({"a": ARRAYS["half"], "b": np.float32(2.5)}, protocol))
        assert_same(weights.read(path), {"a": ARRAYS["half"], "b": np.float32(2.5)})


def test_files_of_other_programs(tmp_path):
    arrays = {name: array for name, array in ARRAYS.items() if array.size}
    save_file(arrays, tmp_path / "net.safetensors")
    np.savez(tmp_path / "net.npz", **arrays)
    for name in ("net.safetensors", "net.npz"):
        assert_same(weights.read(tmp_path / name), arrays)


def test_files_of_keras(tmp_path):
    model = models.build("dcgan", **models.model_class("dcgan").TINY)
    model.generator.save_weights(tmp_path / "net.weights.h5")
    model.generator.save(tmp_path / "net.keras")
    expected = sorted(v.numpy().sum() for v in model.generator.variables)
    for name in ("net.weights.h5", "net.keras"):
        found = weights.read(tmp_path / name)
        sums = sorted(a.sum() for name, a in found.items() if ".vars." in name)
        np.testing.assert_allclose(sums, expected, rtol=1e-5)


TOUCHED = []


def touch(*arguments):
    """What no file may bring about."""
    TOUCHED.append(arguments)


class Reduce:
    def __init__(self, function, *arguments, state=None, items=None):
        self.parts = (function, arguments, state, items)

    def __reduce__(self):
        return self.parts if self.parts[2:] != (None, None) else self.parts[:2]


class Nested:
    def __reduce__(self):
        return (Reduce, (touch, Reduce(os.system, "touch pwned")))


PAYLOADS = {
    "os.system": Reduce(os.system, "touch pwned"),
    "a function of this file": Reduce(touch, 1),
    "eval": Reduce(eval, "1 + 1"),
    "exec": Reduce(exec, "raise SystemExit"),
    "compile": Reduce(compile, "1", "a", "eval"),
    "open": Reduce(open, "pwned", "w"),
    "import": Reduce(__import__, "os"),
    "getattr": Reduce(getattr, 1, "real"),
    "setattr": Reduce(setattr, Reduce(touch), "a", 1),
    "globals": Reduce(globals),
    "print": Reduce(print, "hello"),
    "bytearray": Reduce(bytearray, 10**12),
    "nested": Nested(),
    "in a list": [1, [2, Reduce(os.system, "touch pwned")]],
    "in a tuple": {"a": (Reduce(os.getcwd),)},
    "in the state": Reduce(io.StringIO, "a", state=(Reduce(os.system, "touch pwned"), 1)),
    "numpy's load": Reduce(np.load, "a.npy"),
    "numpy's fromfile": Reduce(np.fromfile, "a"),
    "pickle's loads": Reduce(pickle.loads, pickle.dumps(Reduce(os.system, "touch pwned"))),
    "torch.load": Call("torch.load", "other.pth"),
    "torch.hub": Call("torch.hub.load", "someone/repository", "model"),
    "a storage class": Call("torch.nn.functional.relu", 1),
    "posix.system": Call("posix_other.system", "touch pwned"),
    "subprocess": Call("subprocess_other.Popen", ["touch", "pwned"]),
    "runpy": Call("runpy_other.run_path", "a.py"),
}


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("container", ["pkl", "zip", "legacy"])
def test_nothing_is_executed(tmp_path, monkeypatch, name, container):
    monkeypatch.chdir(tmp_path)
    path, item = tmp_path / "net.bin", PAYLOADS[name]
    if container == "zip":
        write_zip(path, item)
    else:
        path.write_bytes(pickle.dumps(item, 2) if container == "pkl" else legacy(item))
    with pytest.raises(RefusedFile, match="which is not part of any weights"):
        weights.read(path)
    assert not TOUCHED and not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    "raw, words",
    [
        (b"\x80\x02cos\nsystem\nq\x00h\x00(X\x02\x00\x00\x00lstR.", "os.system"),  # by way of memo
        (b"\x80\x02(X\x02\x00\x00\x00lsios\nsystem\n.", "the operation INST"),
        (b"\x80\x02\x82\x01.", "the operation EXT1"),
        (b"\x80\x02K\x01K\x02R.", "a Name was expected"),
        (b"\x80\x02K\x01}b.", "changes an object of type int"),
        (b"\x80\x02h\x05.", "damaged pickle"),
        (b"\x80\x02e.", "without a mark"),
        (b"\x80\x02" + b"(" * 10, "does not end|damaged"),
        (b"\x80\x02]q\x00h\x00a.", "contains itself"),
        (b"\x80\x02\x8a\xff", "damaged pickle"),
        (b"\x80\x02P1\n.", "outside of the file"),
    ],
)
def test_broken_and_odd_pickles_are_refused(tmp_path, raw, words):
    path = tmp_path / "net.pkl"
    path.write_bytes(raw)
    with pytest.raises(RefusedFile, match=words):
        weights.read(path)


@pytest.mark.parametrize(
    "shape, strides, offset",
    [
        ((1000,), (1,), 0),
        ((4, 4), (4, 1), 1),
        ((10**9,), (0,), 0),
        ((2,), (-1,), 1),
        ((2,), (1,), -1),
    ],
)
def test_tensors_beyond_their_storage_are_refused(tmp_path, shape, strides, offset):
    storage = Storage(np.zeros(16, np.float32))
    item = Call("torch._utils._rebuild_tensor_v2", storage, offset, shape, strides, False, {})
    with pytest.raises(RefusedFile, match="tensor of shape"):
        weights.read(write_zip(tmp_path / "net.pth", {"x": item}))


def test_truncated_files_are_refused(tmp_path):
    tensors = {name: tensor(array) for name, array in ARRAYS.items()}
    for index, whole in enumerate(
        (legacy(tensors), write_zip(tmp_path / "a", tensors).read_bytes())
    ):
        path = tmp_path / f"{index}.pth"
        for length in range(1, len(whole), 37):
            path.write_bytes(whole[:length])
            with pytest.raises(RefusedFile):
                weights.read(path)


def test_archives_that_lie_about_their_size_are_refused(tmp_path):
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", b"\0" * (1 << 28) + b"\0")
    with pytest.raises(RefusedFile, match="bytes large"):
        weights.read(path)


def test_compressed_storages_are_refused(tmp_path):
    path = write_zip(tmp_path / "net.pth", {"x": tensor(ARRAYS["half"])})
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(RefusedFile, match="missing or compressed"):
        weights.read(path)


def test_missing_files_and_web_pages_are_told(tmp_path):
    with pytest.raises(RefusedFile, match="cannot be read as weights"):
        weights.read(tmp_path / "nowhere.pth")
    page = tmp_path / "page.pth"
    page.write_text("<!DOCTYPE html><title>Not found</title>")
    with pytest.raises(RefusedFile, match="it is a web page"):
        weights.read(page)


def test_a_pickle_may_not_be_endless(monkeypatch):
    monkeypatch.setattr(pickles, "MOST_OPCODES", 100)
    with pytest.raises(RefusedFile, match="more than 100 operations"):
        pytorch.read_networks(io.BytesIO(pickle.dumps(list(range(200)), 2)))
