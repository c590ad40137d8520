"""Inference under Keras' other backends, where they are installed: the same images."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from ganzoo import models

TRAINED = ("cyclegan", "dcgan", "srgan", "ssgan", "stylegan2_ada")
CODE = """
import sys
import keras
import numpy as np
from ganzoo import models

for name in sys.argv[2:]:
    folder = f"{sys.argv[1]}/{name}"
    model = models.load(folder)
    images = keras.ops.convert_to_numpy(model(np.load(f"{folder}/inputs.npy")))
    np.save(f"{folder}/{keras.backend.backend()}.npy", images)
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_models_give_the_same_images(tmp_path, backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    rng, expected = np.random.default_rng(0), {}
    for name in TRAINED:
        arguments = dict(models.model_class(name).TINY)
        model = models.build(name, **arguments)
        models.save(model, name, arguments, tmp_path / name / "model")
        latent = getattr(model, "latent_dim", None)
        shape = (2, latent) if latent else (2, 32, 32, model.channels)
        inputs = rng.uniform(-1, 1, shape).astype(np.float32)
        np.save(tmp_path / name / "inputs.npy", inputs)
        expected[name] = np.asarray(model(inputs))
    environment = os.environ | {"KERAS_BACKEND": backend}
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(tmp_path), *TRAINED]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, images in expected.items():
        found = np.load(tmp_path / name / f"{backend}.npy")
        np.testing.assert_allclose(found, images, atol=1e-4, err_msg=name)
