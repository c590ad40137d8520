import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import config, models, trainer
from ganzoo.errors import UserError
from ganzoo.layers import batch_norm
from ganzoo.models.dcgan import DCGAN
from ganzoo.seeds import Random

pytestmark = pytest.mark.usefixtures("eager")

COUNT = 8
RANDOM = Random(0, step=3, scope="test/")
REAL = np.random.default_rng(0).uniform(-1, 1, (COUNT, 32, 32, 3)).astype(np.float32)
BATCH = {"image": tf.constant(REAL)}
BOTH = pytest.mark.parametrize("architecture", ["torch", "theano"])


def build(**kwargs):
    return models.build("dcgan", **(DCGAN.TINY | kwargs))


def watch(network, monkeypatch):
    """Records what a network is called with, and whether in training."""
    calls, original = [], network.call

    def call(inputs, training=None, **kwargs):
        calls.append((np.array(inputs), training))
        return original(inputs, training=training, **kwargs)

    monkeypatch.setattr(network, "call", call)
    return calls


def norms(network):
    return [x for x in network.layers if isinstance(x, keras.layers.BatchNormalization)]


# Networks.


@pytest.mark.parametrize(
    "arguments, generator, discriminator",
    [
        ({}, 3_576_704, 2_765_568),
        ({"width": 128}, 12_658_432, 11_036_160),
        ({"latent_dim": 120}, 3_740_544, 2_765_568),
        ({"architecture": "theano"}, 18_885_760, 17_232_768),
    ],
    ids=str,
)
def test_parameter_counts_are_the_published_ones(arguments, generator, discriminator):
    with tf.Graph().as_default():  # allocates nothing
        model = models.build("dcgan", **arguments)
    for network, count in [(model.generator, generator), (model.discriminator, discriminator)]:
        assert sum(int(np.prod(v.shape)) for v in network.trainable_variables) == count
        assert not any(getattr(layer, "use_bias", False) for layer in network.layers)


@BOTH
@pytest.mark.parametrize("size, bottom", [(28, 7), (32, 4), (64, 4), (128, 4)])
def test_sides_double_and_halve_between_bottom_and_image(architecture, size, bottom):
    model = build(image_size=size, channels=1, architecture=architecture, width=2)
    assert model.generate(2).shape == (2, size, size, 1)
    assert model.discriminator(tf.zeros([2, size, size, 1])).shape == (2, 1)
    sides = [bottom * 2**k for k in range(6) if bottom * 2**k <= size]
    up = [x.output.shape[1] for x in model.generator.layers if "conv" in x.name]
    down = [x.output.shape[1] for x in model.discriminator.layers if "conv" in x.name]
    assert (up, down) == (sides[1:], sides[-2::-1])


@BOTH
def test_weights_start_as_published(architecture):
    model = models.build("dcgan", architecture=architecture, width=64)
    for layer in [*model.generator.layers, *model.discriminator.layers]:
        for variable in layer.trainable_variables:
            mean = 1.0 if variable.name == "gamma" else 0.0
            deviation = 0.0 if variable.name == "beta" else 0.02
            count = np.prod(variable.shape)
            assert np.mean(variable) == pytest.approx(mean, abs=5 * deviation / count**0.5)
            assert np.std(variable) == pytest.approx(deviation, rel=4 / count**0.5)


def test_layers_follow_the_rules_of_the_paper():
    """Normalization everywhere but next to images; ReLU against leaky ReLU of slope 0.2."""
    model = build(image_size=64)
    kinds = [
        [type(x).__name__ for x in network.layers]
        for network in (model.generator, model.discriminator)
    ]
    up = ["CroppedConv2DTranspose", "BatchNormalization", "ReLU"]
    down = ["PaddedConv2D", "BatchNormalization", "LeakyReLU"]
    assert kinds == [
        ["Dense", "Reshape", *up[1:], *3 * up, up[0], "Activation"],
        [down[0], down[2], *3 * down, "Flatten", "Dense"],
    ]
    slopes = [x.negative_slope for x in model.discriminator.layers if "leaky" in x.name]
    assert slopes == [0.2] * 4


def test_theano_normalizes_each_feature_of_the_first_layer():
    first = [norms(build(architecture=a).generator)[0] for a in ("torch", "theano")]
    assert [tuple(norm.gamma.shape) for norm in first] == [(32,), (4 * 4 * 32,)]


def test_moving_variance_is_the_biased_one():
    """PyTorch would keep 0.9 + 0.1 * 1.234299 * 64 / 63 = 1.025389."""
    values = np.random.default_rng(0).normal(size=(64, 1))
    values *= (1.234299 / values.var()) ** 0.5
    norm = batch_norm()
    norm(values.astype(np.float32), training=True)
    assert float(norm.moving_variance[0]) == pytest.approx(1.023430, abs=1e-6)
    assert (norm.momentum, norm.epsilon) == (0.9, 1e-5)


def test_a_batch_and_its_moving_averages_give_different_images():
    """Inference uses moving averages: an image does not depend on the others of its batch."""
    model = build()
    latents = RANDOM.normal("latents", [COUNT, 100])
    np.testing.assert_allclose(model(latents)[:2], model(latents[:2]), atol=1e-5)
    assert abs(model(latents, training=True) - model(latents)).numpy().max() > 0.01


# Latents.


@pytest.mark.parametrize("architecture, deviation", [("torch", 1.0), ("theano", 3.0**-0.5)])
def test_latents_are_normal_or_uniform(architecture, deviation, monkeypatch):
    model = build(architecture=architecture)
    latents = model.draw_latents(RANDOM, 100).numpy()
    assert latents.std() == pytest.approx(deviation, rel=0.03)
    assert (abs(latents).max() < 1) == (architecture == "theano")

    of_inference = model.draw_latents(Random(7, step=0, scope="generate/"), 64)
    np.testing.assert_allclose(model.generate(4, seed=7), model(of_inference)[:4], atol=1e-5)
    of_training = watch(model.generator, monkeypatch)
    loss = model.discriminator_loss(BATCH, RANDOM)
    model.generator_loss(BATCH | loss.reuse, RANDOM)
    for inputs, training in of_training:
        np.testing.assert_array_equal(inputs, model.draw_latents(RANDOM, COUNT))
        assert training


# Losses and updates.


def test_undecided_discriminators(monkeypatch):
    """The loss of logits: of probabilities that go through a second sigmoid, it would be 1.69."""
    for loss, logit, expected in [
        ("non_saturating", 0.0, (1.386294, 0.693147)),
        ("least_squares", 0.5, (0.25, 0.25)),
    ]:
        model = build(loss=loss)
        monkeypatch.setattr(
            model.discriminator, "call", lambda x, c=logit, **_: tf.fill([len(x), 1], c)
        )
        discriminator = model.discriminator_loss(BATCH, RANDOM)
        generator = model.generator_loss(BATCH | discriminator.reuse, RANDOM)
        for value, number in zip((discriminator.value, generator.value), expected, strict=True):
            np.testing.assert_allclose(value, np.full(COUNT, number), rtol=1e-6)


def test_real_and_fake_are_judged_apart_and_the_same_fakes_twice(monkeypatch):
    model = build()
    judged = watch(model.discriminator, monkeypatch)
    model.compile({p: keras.optimizers.SGD(0.01) for p in model.players()}, COUNT, seed=5)
    model.train_step(BATCH)
    (real, *_), (fake, *_), (again, *_) = judged
    np.testing.assert_array_equal(real, REAL)
    np.testing.assert_array_equal(fake, again)
    assert len(fake) == COUNT and all(training for _, training in judged)
    model.train_step(BATCH)
    assert abs(judged[3][0] - real).max() == 0 < abs(judged[4][0] - fake).max()


def test_the_discriminator_normalizes_three_batches_a_step(monkeypatch):
    model = build()
    norm, means = norms(model.discriminator)[0], []
    original = norm.call

    def call(inputs, training=None, **kwargs):
        means.append(np.mean(inputs, axis=(0, 1, 2)))
        return original(inputs, training=training, **kwargs)

    monkeypatch.setattr(norm, "call", call)
    model.compile({p: keras.optimizers.SGD(0.0) for p in model.players()}, COUNT)
    model.train_step(BATCH)
    real, fake, again = means
    expected = 0.1 * (0.81 * real + 0.9 * fake + again)
    np.testing.assert_allclose(norm.moving_mean, expected, atol=1e-6)
    assert abs(real - fake).max() > 1e-4


@BOTH
def test_the_averaged_generator_draws_with_moments_of_its_own(architecture):
    model = build(architecture=architecture, ema_half_life_images=8)
    model.build()
    model.compile({p: keras.optimizers.Adam(1e-2) for p in model.players()}, batch_size=COUNT)
    model.step.assign(1000)  # the half-life is a small part of the images seen
    source, average = model.generator.layers[0], model.averaged_generator
    project, norm = average.layers[0], norms(average)[0]
    expected = {"kernel": project.kernel.numpy(), "mean": norm.moving_mean.numpy()}
    np.testing.assert_array_equal(expected["kernel"], source.kernel)
    for step in range(1000, 1003):
        model.train_step(BATCH)
        expected["kernel"] = 0.5 * (expected["kernel"] + source.kernel.numpy())
        latents = model.draw_latents(Random(0, step, scope="average/"), COUNT)
        features = project(latents).numpy().reshape(-1, norm.moving_mean.shape[0])
        expected["mean"] = 0.9 * expected["mean"] + 0.1 * features.mean(axis=0)
    np.testing.assert_allclose(project.kernel, expected["kernel"], atol=1e-6)
    np.testing.assert_allclose(norm.moving_mean, expected["mean"], atol=1e-6)
    latents = model.draw_latents(RANDOM, 4)
    np.testing.assert_array_equal(model(latents), average(latents, training=False))
    assert np.abs(model(latents) - model.generator(latents, training=False)).max() > 1e-3


def test_adam_is_the_published_one_in_the_form_of_keras():
    """PyTorch corrects the bias before it adds epsilon: its first step would be 0.5."""
    adam = trainer.optimizers(config.load("dcgan"), "float32")["generator"]
    assert float(adam.learning_rate) == pytest.approx(2e-4)
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.5, 0.999, 1e-8)
    weight = keras.Variable([0.0])
    adam.learning_rate = 1.0
    adam.apply([tf.constant([1e-8])], [weight])
    assert float(weight[0]) == pytest.approx(-0.0307, abs=1e-4)


# Mistakes.


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"image_size": 48}, "image_size 48: DCGAN has networks for 28, 32, 64, 128 pixels"),
        ({"architecture": "pytorch"}, "Unknown architecture 'pytorch'. Did you mean torch?"),
        ({"loss": "least_square"}, "Unknown loss 'least_square'. Did you mean least_squares?"),
        ({"width": 0}, "a width of 0 channels; expected 1 or more, or None"),
    ],
    ids=str,
)
def test_mistakes_name_what_was_meant(arguments, message):
    with pytest.raises(UserError, match=message):
        models.build("dcgan", **arguments)
