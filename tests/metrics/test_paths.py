import json

import numpy as np
import pytest
import tensorflow as tf

from ganzoo.metrics import paths

SIZE, COUNT, DIM = 512, 3, 4

# Made by PPLSampler of NVlabs/stylegan2-ada-pytorch on PyTorch 2.13 in float64, with the generator,
# distance, latents and places below.
GOLDEN = json.loads("""{
"zfull": [6388.480996853041, 37965.19925767852, 44392.06811879498],
"zfull_crop": [1024.9473955633848, 12573.252787854257, 11751.176228896535],
"zend": [10288.776857580413, 16276.658566805621, 81660.33216245499],
"zend_crop": [1811.8968722284617, 4055.0218548756143, 23877.56310107567],
"wfull": [36942.05809536692, 34796.923388144794, 16048.386968016539],
"wfull_crop": [10807.728827316869, 10746.479153976581, 4697.560271914243],
"wend": [32295.801594901102, 30454.76407490731, 16375.74671581597],
"wend_crop": [7572.377620171775, 8055.843083427639, 4846.687661208978]
}""")


class Waves:
    """A generator by a formula: products of waves, one for each dimension of its style."""

    num_classes = 0

    def draw_latents(self, random, count):
        return tf.reshape(tf.sin(tf.range(2.0 * COUNT * DIM) * 1.7 + 0.3), [count, DIM])

    def styles(self, latents, labels=None):
        return tf.tanh(latents * tf.range(1.0, DIM + 1))[:, None]

    def synthesize(self, styles, noise, random):
        number, place = np.arange(1, DIM + 1)[:, None], np.arange(SIZE) / SIZE
        waves = np.cos(3 * number * place), np.sin(5 * number * place + number)
        rows, columns = map(np.float32, waves)
        return tf.tanh(tf.einsum("nk,ki,kj->nij", styles[:, 0], rows, columns))[..., None]


class Places:
    """What a path length draws besides latents."""

    def integers(self, name, shape, high):
        return tf.zeros(shape, tf.int32)

    def uniform(self, name, shape):
        return tf.constant([[0.2], [0.5], [0.9]])


def of_squares(images, others):
    return tf.reduce_sum(tf.square(images**2 - others**2), axis=[1, 2, 3])


@pytest.mark.parametrize("name", GOLDEN)
def test_distances_are_those_of_the_official_code(name, monkeypatch):
    monkeypatch.setattr(paths, "BATCH_SIZE", COUNT)
    walk, _, crop = name.partition("_")
    found = paths._distances(Waves(), of_squares, Places(), walk[0], walk[1:], bool(crop))
    np.testing.assert_allclose(found, GOLDEN[name], rtol=0.01)  # steps of 1e-4 in float32
