import json
import pickle
import struct
import sys

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from ganzoo import models, weights
from ganzoo.weights import RefusedFile

from . import writers
from .writers import Storage, legacy, network, tensor, write_zip

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
    attributes = ("resolution", "training", "absent")  # numbers alone: `training` is a truth value
    found = weights.read(path, attributes)
    assert found.pop("G_ema.resolution") == found.pop("G_ema.b4.resolution") == 4
    assert_same(found, expected)


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


def write_safetensors(path, header, numbers, length=64):
    path.write_bytes(struct.pack("<Q", length) + json.dumps(header).encode().ljust(length))
    with path.open("ab") as file:
        file.write(numbers)


@pytest.mark.parametrize("length", [0x80, int.from_bytes(b"PK", "little")])
def test_safetensors_that_begin_like_other_files(tmp_path, length):
    header = {"x": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}}
    write_safetensors(tmp_path / "net.safetensors", header, b"abc", length)
    assert_same(weights.read(tmp_path / "net.safetensors"), {"x": np.frombuffer(b"abc", np.uint8)})


def test_bfloat16_of_safetensors(tmp_path):
    header = {"x": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}
    write_safetensors(tmp_path / "net.safetensors", header, b"\x80\x3f\x00\xc0")
    assert_same(weights.read(tmp_path / "net.safetensors"), {"x": np.float32([1.0, -2.0])})


def test_files_of_keras(tmp_path):
    model = models.build("dcgan", **models.model_class("dcgan").TINY)
    model.generator.save_weights(tmp_path / "net.weights.h5")
    model.generator.save(tmp_path / "net.keras")
    expected = sorted(v.numpy().sum() for v in model.generator.variables)
    for name in ("net.weights.h5", "net.keras"):
        found = weights.read(tmp_path / name)
        sums = sorted(a.sum() for name, a in found.items() if ".vars." in name)
        np.testing.assert_allclose(sums, expected, rtol=1e-5)


def test_files_without_arrays_say_how_to_export(tmp_path):
    np.savez(tmp_path / "net.npz")
    weights.write_pytorch({}, tmp_path / "net.pth")
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file.attrs["title"] = "nothing"
    source = {"G_ema": network(), "module_src": "class Generator: pass"}
    (tmp_path / "net.pkl").write_bytes(pickle.dumps(source, 4))
    for name in ("net.npz", "net.pth", "net.h5", "net.pkl"):
        with pytest.raises(RefusedFile, match=r"holds no arrays\. .*state_dict\(\)"):
            weights.read(tmp_path / name)


def test_missing_files_and_web_pages_are_told(tmp_path):
    with pytest.raises(RefusedFile, match="cannot be read as weights"):
        weights.read(tmp_path / "nowhere.pth")
    page = tmp_path / "page.pth"
    page.write_text("<!DOCTYPE html><title>Not found</title>")
    with pytest.raises(RefusedFile, match="it is a web page"):
        weights.read(page)
