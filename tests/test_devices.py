import keras
import pytest

from ganzoo import devices


@pytest.mark.parametrize("name", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_a_precision_that_is_named_is_taken(name):
    assert devices.resolve_precision(name) == name


@pytest.mark.parametrize("flag", ["avx512_bf16", "amx_bf16"])
def test_auto_is_bfloat16_where_tensorflow_and_the_processor_have_it(tmp_path, monkeypatch, flag):
    cpuinfo = tmp_path / "cpuinfo"
    monkeypatch.setattr(devices, "Path", lambda path: cpuinfo)
    assert devices.resolve_precision("auto") == "float32"
    cpuinfo.write_text("flags: fpu avx2")
    assert devices.resolve_precision("auto") == "float32"
    cpuinfo.write_text(f"flags: fpu {flag}")
    assert devices.resolve_precision("auto") == "mixed_bfloat16"
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    assert devices.resolve_precision("auto") == "float32"
