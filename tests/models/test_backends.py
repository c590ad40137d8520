"""Inference under Keras' other backends, where they are installed: the same images."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from ganzoo import devices, models, styles
from ganzoo.errors import UserError
from ganzoo.models import MODELS
from ganzoo.models.dcgan import DCGAN

CODE = """
import sys
import keras
import numpy as np
from ganzoo import models, styles
from ganzoo.backends import tensor

for name in sys.argv[2:]:
    folder = f"{sys.argv[1]}/{name}"
    model = models.load(folder)
    inputs = np.load(f"{folder}/inputs.npy")
    labels = (np.zeros(2, np.int32),) if getattr(model, "num_classes", 0) else ()
    images = keras.ops.convert_to_numpy(model(inputs, *labels))
    if hasattr(model, "styles"):
        used = styles.images_of(model, tensor(model.styles(inputs)))
    elif hasattr(model, "decode"):
        used = model.decode(inputs)
    else:
        used = np.stack([model.convert(one) for one in inputs])
    np.savez(f"{folder}/{keras.backend.backend()}.npz", images=images, used=used)
"""


@pytest.fixture(params=["jax", "torch"])
def backend(request):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.mark.slow
def test_models_give_the_same_images(tmp_path, backend):
    rng, expected = np.random.default_rng(0), {}
    for name in MODELS:
        arguments = dict(models.model_class(name).TINY)
        model = models.build(name, **arguments)
        models.save(model, name, arguments, tmp_path / name / "model")
        latent = getattr(model, "latent_dim", None)
        shape = (2, latent) if latent else (2, 32, 32, model.channels)
        inputs = rng.uniform(-1, 1, shape).astype(np.float32)
        np.save(tmp_path / name / "inputs.npy", inputs)
        labels = (np.zeros(2, np.int32),) if getattr(model, "num_classes", 0) else ()
        images = used = np.asarray(model(inputs, *labels))
        if not latent:  # converters may draw random numbers, others were asked for none
            used = np.stack([model.convert(one) for one in inputs])
        expected[name] = images, used
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(tmp_path), *MODELS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, (images, used) in expected.items():
        found = np.load(tmp_path / name / f"{backend}.npz")
        np.testing.assert_allclose(found["images"], images, atol=1e-4, err_msg=name)
        np.testing.assert_allclose(found["used"], used, atol=1e-4, err_msg=name)


@pytest.mark.slow
def test_a_command_draws(tmp_path, backend):
    command = [sys.executable, "-W", "ignore", "-m", "ganzoo.generate", "--model=dcgan_mnist"]
    command += ["--num=2", "--format=npz", f"--out={tmp_path / 'digits.npz'}"]
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = np.round((models.load("dcgan_mnist").generate(2) + 1) * 127.5)
    np.testing.assert_allclose(np.load(tmp_path / "digits.npz")["images"], expected, atol=1)


@pytest.mark.parametrize(
    "use",
    [
        lambda model, out: devices.strategy(),
        lambda model, out: model.compile({}, batch_size=4),
        lambda model, out: models.export(model, out / "x.tflite"),
        lambda model, out: styles.project(model, None, distance=None),
    ],
    ids=["command", "compile", "export", "project"],
)
def test_what_needs_tensorflow_says_so_under_another_backend(tmp_path, monkeypatch, use):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UserError, match=r"runs on jax.*KERAS_BACKEND=tensorflow"):
        use(DCGAN(image_size=32, width=8), tmp_path)
