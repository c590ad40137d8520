import importlib.util

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.models import exports

CASES = [(name, {}) for name in models.MODELS]
CASES += [("srgan", {"architecture": "msrresnet"})]


@pytest.mark.slow
@pytest.mark.parametrize("name, extra", CASES[-1:])
def test_files_compute_what_the_model_does(tmp_path, name, extra):
    """As the conformance suite has it of each model."""
    model = models.build(name, **models.model_class(name).TINY, **extra)
    assert models.export(model, tmp_path / "saved") < 1e-5
    served = tf.saved_model.load(tmp_path / "saved").signatures["serving_default"]
    names = {each.spec.name for each in model.mode().inputs}
    assert set(served.structured_input_signature[1]) == names
    assert models.export(model, tmp_path / "model.keras") == 0


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    "name, extra",
    [
        ("cyclegan", {}),
        ("cyclegan", {"generator": "unet"}),
        ("srgan", {}),
        ("ssgan", {"num_classes": 3, "architecture": "sngan"}),
        ("stylegan2_ada", {}),
    ],
)
def test_keras_saves_a_generator_by_itself(tmp_path, name, extra):
    model = models.construct(name, **models.model_class(name).TINY, **extra)
    model.build_for_inference()
    model.generator.save(tmp_path / "net.keras")
    loaded = keras.saving.load_model(tmp_path / "net.keras")
    specs = [each.spec for each in model.mode().inputs]
    inputs = [tf.ones([1, *(n or 32 for n in s.shape[1:])], s.dtype) for s in specs]
    np.testing.assert_allclose(loaded(*inputs), model.generator(*inputs), atol=1e-6)


def test_keras_exports_and_saves_a_model(tmp_path):
    model = models.load("dcgan_mnist")
    model.export(tmp_path / "served", verbose=False)
    served, latents = tf.saved_model.load(tmp_path / "served"), model.latents_of([1])
    np.testing.assert_allclose(served.serve(latents), model(latents), atol=1e-5)
    with pytest.raises(UserError, match=r"m\.h5: ganzoo's models are saved as \.keras"):
        model.save(tmp_path / "m.h5")


@pytest.mark.parametrize("suffix", [".onnx", ".tflite"])
@pytest.mark.parametrize("name, extra", CASES)
def test_files_for_other_runtimes(tmp_path, suffix, name, extra):
    model = models.build(name, **models.model_class(name).TINY, **extra)
    packages = {".onnx": ("tf2onnx", "onnxruntime"), ".tflite": ("ai_edge_litert",)}[suffix]
    if all(map(importlib.util.find_spec, packages)):
        assert models.export(model, tmp_path / f"model{suffix}") < 1e-4
    else:
        with pytest.raises(UserError, match=r"pip install '\.\[export\]'"):
            models.export(model, tmp_path / f"model{suffix}")


def test_a_file_that_computes_something_else_is_refused(tmp_path, monkeypatch):
    model = models.build("dcgan", **models.model_class("dcgan").TINY)
    monkeypatch.setitem(
        exports._WRITERS,
        ".keras",
        lambda *_: {"generate": lambda latents: np.full(model(latents).shape, np.nan)},
    )
    with pytest.raises(UserError, match="differs by nan"):
        models.export(model, tmp_path / "model.keras")
