import numpy as np
import pytest
import tensorflow as tf

from ganzoo import images as pictures
from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.evaluation.extraction import Extractor
from ganzoo.metrics import FeatureNetwork, open_network
from tests.evaluation.sources import noise, source_of

COUNT = 150  # two batches of one replica, and a part of a third


def means(images):
    """Means of patches: a network that is quick and sees every pixel."""
    pooled = tf.nn.avg_pool2d(tf.cast(images, tf.float32), 4, 4, "VALID")
    return tf.reshape(pooled, [tf.shape(images)[0], -1]), None


NETWORK = FeatureNetwork("means", "", means)


@pytest.fixture(scope="module")
def model(two_replicas):
    """Conditional, with noise in all of its layers."""
    with two_replicas.scope():
        model = models.build(
            "stylegan2_ada",
            **models.model_class("stylegan2_ada").TINY,
            num_classes=3,
        )
    for block in model.averaged_generator.synthesis.blocks:
        for layer in block.convolutions:
            layer.noise_strength.assign(0.5)
    return model


def inputs(model):
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(COUNT, model.latent_dim)).astype(np.float32)
    return latents, rng.integers(0, 3, COUNT).astype(np.int32)


def joined(batches):
    return [
        None if part[0] is None else np.concatenate(part) for part in zip(*batches, strict=True)
    ]


@pytest.mark.slow
def test_what_is_looked_at_is_what_is_drawn(model):
    latents, labels = inputs(model)
    images = model.decode(latents, labels, seed=4, noise="random")
    expected = NETWORK(pictures.to_uint8(images))[0]
    extractor = Extractor(NETWORK)
    features, _ = joined(extractor.of_model(model, latents, labels, seed=4, noise="random"))
    np.testing.assert_allclose(features, expected, atol=1.0 / 16)  # one step of one pixel


def test_two_replicas_draw_and_look_at_what_one_does(model, two_replicas):
    one, two = Extractor(NETWORK), Extractor(NETWORK, two_replicas)
    args, options = inputs(model), {"seed": 4, "noise": "random"}
    first, _ = joined(one.of_model(model, *args, **options))
    second, _ = joined(two.of_model(model, *args, **options))
    assert len(first) == COUNT
    np.testing.assert_allclose(second, first, atol=1e-4)


def test_two_replicas_look_at_images_as_one_does(two_replicas):
    network, source = open_network("convnet-shapes"), source_of(noise(200))
    indices = np.random.default_rng(0).permutation(200)[:COUNT]
    one, two = (
        joined(Extractor(network, strategy).of_source(source, indices))
        for strategy in (None, two_replicas)
    )
    for a, b in zip(one, two, strict=True):
        assert len(a) == COUNT
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(one[0], network(source.arrays["image"][indices])[0], atol=1e-4)


def test_generated_images_that_are_not_finite_are_refused():
    model = models.build("dcgan", **models.model_class("dcgan").TINY)
    for variable in model.generator.trainable_variables[-1:]:
        variable.assign(np.full(variable.shape, np.nan))
    latents = np.zeros([10, model.latent_dim], np.float32)
    with pytest.raises(UserError, match="not finite numbers: its training failed"):
        joined(Extractor(NETWORK).of_model(model, latents, np.zeros([10], np.int32), seed=0))
