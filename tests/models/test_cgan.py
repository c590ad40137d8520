"""cGAN: both forms give the published numbers, and labels decide what is drawn and judged."""

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.layers import ConditionalBatchNorm
from ganzoo.seeds import Random
from ganzoo.trainer import trainable_parameters
from ganzoo.weights.layouts import convolution, dense, dense_to_maps, normalization, reordered, same

from .goldens import assert_golden, converge, fill, hashed, inputs, normal, parameter

LABELS = np.array([1, 4, 7, 0], np.int32)
IMAGES = inputs((4, 3, 32, 32)).transpose(0, 2, 3, 1).astype(np.float32)
TINY = dict(models.model_class("cgan").TINY)
SMALL = {"architecture": "projection", "image_size": 32, "generator_width": 8}
SMALL |= {"discriminator_width": 8, "latent_dim": 16, "loss": "hinge"}
FORMS = pytest.mark.parametrize(
    "form",
    [TINY, TINY | {"architecture": "pytorch_gan"}, SMALL],
    ids=["concat", "pytorch_gan", "projection"],
)


# Networks.


def concat_entries(network, names):
    for layer, name in names.items():
        yield from dense(getattr(network, layer), name)


def test_concatenation():
    """The paper's latents and pixels are in [0, 1]."""
    model = models.build("cgan")
    names = {"of_classes": "c", "joint": "joint"}
    fill(concat_entries(model.generator, names | {"of_latents": "z", "to_pixels": "out"}))
    fill(concat_entries(model.discriminator, names | {"of_images": "x", "to_logit": "out"}))
    latents = 2.0 * hashed("z", (4, 100)) - 1.0
    images = np.asarray(model.generator(latents.astype(np.float32), LABELS))
    assert_golden("cgan", "concat.G28", (images.reshape(4, 784) + 1.0) / 2.0)
    logits = model.discriminator(inputs((4, 28, 28, 1)).astype(np.float32), LABELS)
    assert_golden("cgan", "concat.D28", logits)


def embedding_entries(network, names, prefix):
    yield same(network.embed.embeddings, f"{prefix}.weight")
    layers = getattr(network, "stack", network).layers
    layers = [layer for layer in layers if layer.weights and layer is not network.embed]
    for layer, number in zip(layers, names, strict=True):
        make = normalization if hasattr(layer, "gamma") else dense
        yield from make(layer, f"model.{number}")


def embedding_parameter(name, shape, transposed=False):
    if name.startswith("label_emb"):
        return normal(name, shape)
    return parameter(name, shape, transposed)


def test_embeddings():
    model = models.build("cgan", architecture="pytorch_gan", image_size=32)
    numbers = (0, 2, 3, 5, 6, 8, 9, 11)
    fill(embedding_entries(model.generator, numbers, "label_emb"), embedding_parameter)
    entries = embedding_entries(model.discriminator, (0, 2, 5, 8), "label_embedding")
    fill(entries, embedding_parameter)
    for mode in ("eval", "train"):
        images = model.generator(normal("z", (4, 100)), LABELS, training=mode == "train")
        assert_golden("cgan", f"pytorch_gan.G32.{mode}", np.transpose(images, (0, 3, 1, 2)))
    images = inputs((4, 32, 32, 1)).astype(np.float32)
    assert_golden("cgan", "pytorch_gan.D32", model.discriminator(images, LABELS))


def projection_generator(network):
    """Scales and offsets are embeddings of the class, but for the last ones."""
    yield from dense_to_maps(network.stem, "l1", side=4)
    for number, block in enumerate(network.blocks, start=2):
        for layer, name in ((block.conv1, "c1"), (block.conv2, "c2"), (block.shortcut, "c_sc")):
            yield from convolution(layer, f"block{number}.{name}")
        for norm, name in ((block.norm1, "b1"), (block.norm2, "b2")):
            prefix = f"block{number}.{name}"
            yield same(norm.gamma.kernel, f"{prefix}.gammas.weight")
            yield same(norm.beta.kernel, f"{prefix}.betas.weight")
            yield same(norm.normalize.moving_mean, f"{prefix}.bn.running_mean")
            yield same(norm.normalize.moving_variance, f"{prefix}.bn.running_var")
    yield from normalization(network.norm, "b5")
    yield from convolution(network.to_image, "c5")


def projection_discriminator(network):
    for number, block in enumerate(network.blocks, start=1):
        for layer, name in ((block.conv1, "c1"), (block.conv2, "c2"), (block.shortcut, "c_sc")):
            yield from convolution(layer, f"block{number}.{name}", "weight_orig") if layer else ()
    yield reordered(network.to_logit.kernel, "l5.weight_orig", (1, 0))
    yield same(network.embed.kernel, "l_y.weight_orig")


def projection_parameter(name, shape, transposed=False):
    """Embeddings of scales lie around 1, those of offsets around 0."""
    if name.endswith("gammas.weight"):
        return 1.0 + 0.1 * normal(name, shape)
    if name.endswith("betas.weight"):
        return 0.1 * normal(name, shape)
    return parameter(name, shape, transposed) * (0.3 if name == "c5.weight" else 1.0)


@pytest.fixture(scope="module")
def projection():
    options = {"image_size": 32, "channels": 3, "latent_dim": 128}
    model = models.build("cgan", architecture="projection", **options)
    fill(projection_generator(model.generator), projection_parameter)
    fill(projection_discriminator(model.discriminator), projection_parameter)
    converge(model.discriminator)
    return model


@pytest.mark.parametrize("mode", ["eval", "train"])
def test_generator_of_projection(projection, mode):
    images = projection.generator(normal("z", (4, 128)), LABELS, training=mode == "train")
    assert_golden("cgan", f"projection.G32.{mode}", np.transpose(images, (0, 3, 1, 2)))


def test_projection(projection):
    """Another class changes a logit by <e_y' - e_y, h>."""
    critic = projection.discriminator
    logits = critic(IMAGES, LABELS)
    assert_golden("cgan", "projection.D32.logit", logits)
    others = (LABELS + 1) % 10
    embeddings = critic.embed(tf.one_hot(others, 10)) - critic.embed(tf.one_hot(LABELS, 10))
    expected = np.sum(embeddings * critic.features(IMAGES), axis=1, keepdims=True)
    np.testing.assert_allclose(critic(IMAGES, others) - logits, expected, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "generator", "discriminator"),
    [
        ({}, 2_413_984, 1_224_351),
        ({"architecture": "pytorch_gan", "image_size": 32}, 1_757_412, 1_055_845),
        (
            {"architecture": "projection", "image_size": 32, "channels": 3, "latent_dim": 128},
            4_304_387,
            1_055_104,
        ),
    ],
    ids=["concat", "pytorch_gan", "projection"],
)
def test_parameters(arguments, generator, discriminator):
    with tf.Graph().as_default():
        model = models.build("cgan", **arguments)
        counts = [trainable_parameters(n) for n in (model.generator, model.discriminator)]
    assert counts == [generator, discriminator]


# Classes.


@pytest.mark.usefixtures("eager")
@FORMS
def test_both_networks_see_the_class(form):
    model = models.build("cgan", **form, num_classes=3)
    fill_embeddings(model)
    latents = np.repeat(model.draw_latents(Random(0, 0), 1), 2, axis=0)
    first, second = model.decode(latents, [0, 2])
    assert np.abs(first - second).max() > 0.01 * np.abs(first).max()
    logits = model.discriminator(np.stack([first, first]), np.array([0, 2]))
    assert float(logits[0, 0]) != pytest.approx(float(logits[1, 0]), rel=1e-3)
    with pytest.raises(UserError, match="label 3: the model has classes 0 to 2"):
        model.generate(1, label=3)


def fill_embeddings(model):
    """Conditional scales start equal for all classes."""
    for layer in model.generator._flatten_layers():
        if isinstance(layer, ConditionalBatchNorm):
            layer.gamma.kernel.assign(1.0 + normal(layer.path, layer.gamma.kernel.shape))


@pytest.mark.usefixtures("eager")
@FORMS
def test_the_generator_draws_its_own_batches(form):
    """Of as many as it was asked for, with classes that it draws."""
    model = models.build("cgan", **form, num_classes=3, generator_batches=2)
    size, channels = model.image_size, model.channels
    batch = {"image": tf.zeros([4, size, size, channels]), "label": tf.zeros([4], tf.int32)}
    assert model.generator_loss(batch, Random(0, 0)).value.shape == (8,)
    loss = model.discriminator_loss(batch, Random(0, 0))
    assert loss.value.shape == (4,) and not loss.reuse
    images, labels = model._generate(Random(0, 0), 64)
    assert images.shape[0] == 64 and set(labels.numpy()) == {0, 1, 2}


@pytest.mark.usefixtures("eager")
def test_dropout_is_a_function_of_the_random_numbers():
    model = models.build("cgan", **TINY)
    pixels, labels = np.zeros([4, 32, 32, 1], np.float32), np.arange(4, dtype=np.int32)
    latents = model.draw_latents(Random(0, 0), 4)
    for network, given in ((model.generator, latents), (model.discriminator, pixels + 0.5)):
        plain = network(given, labels, training=True)
        one, again, other = (network(given, labels, random=Random(s, 0)) for s in (1, 1, 2))
        np.testing.assert_array_equal(one, again)
        assert np.abs(one - other).max() > 0 and np.abs(one - plain).max() > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_size": 64}, "concat has networks for 28, 32 pixels"),
        ({"architecture": "projection"}, "projection has networks for 32, 48, 64, 128 pixels"),
        ({"architecture": "concatenate"}, "Did you mean concat"),
        ({"num_classes": 1}, "2 or more classes"),
        ({"dropout_rate": 1.0}, "dropout_rate = 1.0"),
        ({"generator_batches": 0}, "generator_batches = 0"),
        ({"generator_width": 0}, "1 or more"),
        ({"loss": "hinges"}, "Did you mean hinge"),
    ],
    ids=str,
)
def test_wrong_arguments(arguments, words):
    with pytest.raises(UserError, match=words):
        models.construct("cgan", **arguments)
