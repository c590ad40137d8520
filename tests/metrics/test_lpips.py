import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.errors import UserError
from ganzoo.metrics import LPIPS, open_lpips, path_distances, path_length
from tests.metrics import lpips_weights

# Made by the package lpips 0.1.4 on PyTorch 2.13 with these weights and images.
GOLDEN = json.loads("""{
"alex64": [0.9791550636291504, 1.016410231590271],
"alex75": [0.9935625195503235, 1.0013651847839355],
"vgg64": [0.7661598920822144, 0.7706356644630432],
"vgg75": [0.7696590423583984, 0.7569193840026855],
"squeeze64": [0.9160869717597961, 0.9710643887519836],
"squeeze75": [0.9441202878952026, 0.9055238366127014]
}""")


@pytest.mark.parametrize("net", ["alex", pytest.param("vgg", marks=pytest.mark.slow), "squeeze"])
def test_distances_are_those_of_the_official_code(net):
    distance = LPIPS(f"lpips-{net}", lpips_weights.trunk(net), lpips_weights.heads(net))
    for size in (64, 75):
        images, others = lpips_weights.images(size)
        np.testing.assert_allclose(distance(images, others), GOLDEN[f"{net}{size}"], rtol=1e-4)
        np.testing.assert_array_equal(distance(images, images), 0)


def test_weights_that_do_not_fit_are_told(tmp_path):
    files = [str(tmp_path / name) for name in ("trunk.npz", "heads.npz")]
    with pytest.raises(UserError, match="lpips-alex needs two files"):
        open_lpips("lpips-alex", files[:1])
    np.savez(files[0], **lpips_weights.trunk("alex"))
    np.savez(files[1], **lpips_weights.heads("alex"))
    assert len(open_lpips("lpips-alex", files).fingerprint) == 64
    with pytest.raises(UserError, match="not the weights of lpips-vgg"):
        open_lpips("lpips-vgg", files)
    with pytest.raises(UserError, match="lpips-squeeze"):
        open_lpips("lpips-squeez", files)


class Identity:
    """A StyleGAN whose styles are its latents, and whose images are its styles and some noise."""

    num_classes = 0
    size = 4

    def draw_latents(self, random, count):
        return random.normal("latents", [count, self.size**2])

    def styles(self, latents, labels=None):
        return latents[:, None]

    def synthesize(self, styles, noise, random):
        images = tf.reshape(styles, [-1, self.size, self.size, 1])
        return images + random.normal("noise", images.shape)


def squared(images, others):
    return tf.reduce_sum(tf.square(images - others), axis=[1, 2, 3])


def test_path_lengths_of_the_identity():
    """Between styles E|b - a|^2 = 2 D; between directions the mean of their squared angle."""
    end, full = (path_distances(Identity(), squared, 640, "w", s) for s in ("end", "full"))
    assert end.shape == (640,) and end.mean() == pytest.approx(2 * 16, rel=0.05)
    np.testing.assert_allclose(end, full, rtol=0.02)  # straight, hence alike everywhere
    angles = np.sqrt(path_distances(Identity(), squared, 640, "z", "full"))
    assert angles.mean() == pytest.approx(np.pi / 2, rel=0.02)
    assert angles.max() < np.pi


def test_two_replicas_find_the_path_lengths_of_one(two_replicas):
    args = (Identity(), squared, 150, "z", "full")  # two batches, and a part of a third
    one, two = (path_distances(*args, strategy=strategy) for strategy in (None, two_replicas))
    assert two.shape == (150,)
    np.testing.assert_allclose(two, one, rtol=1e-4)


def test_cropping_and_reducing(monkeypatch):
    seen = []

    def shapes(images, others):
        seen.append(images.shape[1:])
        return squared(images, others)

    model = Identity()
    model.size = 512
    monkeypatch.setattr("ganzoo.metrics.paths.BATCH_SIZE", 1)
    path_distances(model, shapes, 1, "w", "end")
    path_distances(model, shapes, 1, "w", "end", crop=True)
    assert seen == [(256, 256, 1), (128, 128, 1)]  # whole ones of 256 pixels, cropped
    model.size = 256
    path_distances(model, shapes, 1, "w", "end", crop=True)
    assert seen[-1] == (128, 128, 1)


def test_the_trimmed_mean():
    values = np.arange(1000.0)
    values[-1] = 1e9
    assert path_length(values) == np.mean(values[9:991])
