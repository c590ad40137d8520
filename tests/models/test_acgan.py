"""AC-GAN: networks and losses give the published numbers, and labels decide what is drawn."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.images import to_uint8
from ganzoo.losses import AdversarialLoss
from ganzoo.seeds import Random
from ganzoo.trainer import trainable_parameters
from ganzoo.weights.layouts import (
    Entry,
    convolution,
    dense,
    dense_of_maps,
    dense_to_maps,
    normalization,
    transposed,
)
from tests import commands

from .goldens import FOLDER, assert_golden, fill, inputs, normal, parameter

LABELS = np.array([1, 4, 7, 0], np.int32)
IMAGES = inputs((4, 3, 32, 32)).transpose(0, 2, 3, 1).astype(np.float32)
GOLDEN = json.loads((FOLDER / "acgan.json").read_text())
TINY = dict(models.model_class("acgan").TINY)


LATENTS = normal("z", (4, 110))[:, 10:]  # behind the one-hot class


def with_weights(sequence):
    return [layer for layer in sequence if layer.weights]


def paper_generator(network):
    first, *layers = with_weights(network.stack.layers)
    yield from dense_to_maps(first, "fc", side=4)
    for index, layer in enumerate(layers):
        if hasattr(layer, "gamma"):
            yield from normalization(layer, f"bn.{index // 2}")
        else:
            yield from transposed(layer, f"tconv.{index // 2}")


def clvrai_generator(network):
    """Its second layer is a transposed convolution of a single pixel."""
    embed, first, norm, *layers = with_weights(network.stack.layers)
    channels = norm.gamma.shape[0]
    yield from dense(embed, "fc1")
    yield Entry(
        first.kernel,
        "tconv2.0.weight",
        lambda a: a.transpose(0, 2, 3, 1).reshape(a.shape[0], -1),
        lambda a: a.reshape(a.shape[0], 4, 4, channels).transpose(0, 3, 1, 2),
        transposed=True,
    )
    yield from normalization(norm, "tconv2.1")
    for index, layer in enumerate(layers):
        make = normalization if hasattr(layer, "gamma") else transposed
        yield from make(layer, f"tconv{index // 2 + 3}.{index % 2}")


def clvrai_discriminator(network):
    pairs = zip(network.convolutions, network.norms, strict=True)
    for number, (layer, norm) in enumerate(pairs, 1):
        yield from convolution(layer, f"conv{number}.0")
        yield from normalization(norm, f"conv{number}.1") if norm.weights else ()
    yield from dense_of_maps(network.to_logit, "fc_dis", side=4)
    yield from dense_of_maps(network.to_classes, "fc_aux", side=4)


def paper_discriminator(network):
    """One layer has both heads, the source first."""
    for index, layer in enumerate(network.convolutions):
        yield from convolution(layer, f"conv.{index}")
    for index, norm in enumerate(network.norms[1:]):
        yield from normalization(norm, f"bn.{index}")
    weight, bias = parameter("fc.weight", (11, 8192)), parameter("fc.bias", (11,))
    for head, rows in ((network.to_logit, slice(1)), (network.to_classes, slice(1, 11))):
        kernel, _ = dense_of_maps(head, "fc", side=4)
        head.kernel.assign(kernel.to_ours(weight[rows]))
        head.bias.assign(bias[rows])


LAYOUTS = {
    "paper": (paper_generator, paper_discriminator),
    "clvrai": (clvrai_generator, clvrai_discriminator),
}


@pytest.fixture(params=LAYOUTS)
def filled(request):
    model = models.build("acgan", architecture=request.param)
    generator, discriminator = LAYOUTS[request.param]
    fill(generator(model.generator))
    fill(discriminator(model.discriminator))
    return request.param, model


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_networks(filled, mode):
    name, model = filled
    images = model.generator(LATENTS, LABELS, training=mode == "train")
    logits, classes, _ = model.discriminator(IMAGES, training=mode == "train")
    outputs = {
        f"{name}.G32.{mode}": np.transpose(images, (0, 3, 1, 2)),
        f"{name}.D32.source.{mode}": logits,
        f"{name}.D32.class.{mode}": classes,
    }
    known = outputs.keys() & GOLDEN.keys()
    assert f"{name}.D32.source.{mode}" in known
    for key in known:
        assert_golden("acgan", key, outputs[key])


@pytest.mark.parametrize(
    ("architecture", "size", "generator", "discriminator"),
    [
        ("clvrai", 32, 1_593_888, 1_663_867),
        ("paper", 32, 2_994_051, 1_664_875),
        ("paper", 128, 12_737_859, 3_016_555),
    ],
)
def test_parameters(architecture, size, generator, discriminator):
    with tf.Graph().as_default():
        model = models.build("acgan", architecture=architecture, image_size=size)
        counts = [trainable_parameters(n) for n in (model.generator, model.discriminator)]
    assert counts == [generator, discriminator]


def logits_of(source, classes):
    twin = 2.0 * normal("mi_classes", (8, 10))
    return 2.0 * normal(source, (8, 1)), 2.0 * normal(classes, (8, 10)), twin


REAL, FAKE = logits_of("real_logits", "real_classes"), logits_of("fake_logits", "fake_classes")
EIGHT = (3 * np.arange(8, dtype=np.int32) + 1) % 10


def losses_of(adversarial=None, **arguments):
    model = models.construct("acgan", **TINY, **arguments)
    model.adversarial = adversarial or model.adversarial
    both = (
        model.discriminator_terms(REAL, FAKE, EIGHT, EIGHT),
        model.generator_terms(FAKE, EIGHT),
    )
    return [{name: float(np.mean(term)) for name, term in terms.items()} for terms in both]


@pytest.mark.usefixtures("eager")
def test_losses():
    """Both players want images to be recognized; the signs differ in the source alone."""
    discriminator, generator = losses_of()
    assert discriminator["class_real"] == pytest.approx(GOLDEN["ce_real"])
    assert discriminator["class_fake"] == pytest.approx(GOLDEN["ce_fake"])
    assert sum(discriminator.values()) == pytest.approx(GOLDEN["loss.D"])
    assert sum(generator.values()) == pytest.approx(GOLDEN["loss.G"])


@pytest.mark.usefixtures("eager")
def test_weights_of_the_class_losses():
    """Those of Gulrajani et al., whose loss is the difference of means."""
    wasserstein = AdversarialLoss(lambda r, f: (f - r)[:, 0], lambda f: -f[:, 0])
    weights = {"fake_class_weight": 0.0, "generator_class_weight": 0.1}
    discriminator, generator = losses_of(wasserstein, **weights)
    assert sum(discriminator.values()) == pytest.approx(GOLDEN["wgan_gp_scales.D"])
    assert sum(generator.values()) == pytest.approx(GOLDEN["wgan_gp_scales.G"])


@pytest.mark.usefixtures("eager")
def test_the_generator_opposes_the_twin_classifier():
    discriminator, generator = losses_of(loss="hinge", twin_weight=1.0)
    assert sum(generator.values()) == pytest.approx(GOLDEN["tacgan.G"])
    assert discriminator["twin"] == pytest.approx(-generator["twin"])


@pytest.mark.usefixtures("eager")
def test_the_class_loss_takes_logits():
    """Published codes give it probabilities; then it cannot fall below a floor."""
    model = models.construct("acgan", **TINY)
    probabilities = (REAL[0], tf.nn.softmax(REAL[1]), None)
    wrong = np.mean(model.generator_terms(probabilities, EIGHT)["class"])
    assert wrong == pytest.approx(GOLDEN["wrong.double_softmax"])
    right = (REAL[0], 50.0 * tf.one_hot(EIGHT, 10), None)
    assert np.mean(model.generator_terms(right, EIGHT)["class"]) < 1e-6
    certain = (REAL[0], tf.one_hot(EIGHT, 10), None)
    floor = np.mean(model.generator_terms(certain, EIGHT)["class"])
    assert floor == pytest.approx(GOLDEN["wrong.double_softmax_floor"])


@pytest.mark.usefixtures("eager")
def test_dropout_and_noise_are_functions_of_the_random_numbers():
    images = IMAGES[:2]
    for options in ({}, {"dropout_rate": 0.0, "activation_noise": 0.2}):
        network = models.build("acgan", **TINY, **options).discriminator
        plain = network.features(images)
        one, again, other = (network.features(images, random=Random(seed, 0)) for seed in (1, 1, 2))
        np.testing.assert_array_equal(one, again)
        assert np.abs(one - other).max() > 0 and np.abs(one - plain).max() > 0
    network = models.build("acgan", **TINY, dropout_rate=0.0).discriminator
    np.testing.assert_array_equal(
        network.features(images), network.features(images, random=Random(1, 0))
    )


@pytest.mark.usefixtures("eager")
def test_the_class_decides_the_image():
    model = models.build("acgan", **TINY, num_classes=3)
    pair = model.decode(np.repeat(model.draw_latents(Random(0, 0), 1), 2, axis=0), [0, 2])
    assert np.abs(pair[0] - pair[1]).max() > 0.01 * np.abs(pair).max()
    with pytest.raises(UserError, match="label 3: the model has classes 0 to 2"):
        model.generate(1, label=3)


@pytest.fixture
def saved(tmp_path):
    """A model, and its folder."""
    arguments = TINY | {"num_classes": 3, "ema_half_life_images": 100}
    model = models.build("acgan", **arguments)
    model.class_names = ("circle", "heart", "star")
    models.save(model, "acgan", arguments, tmp_path / "model")
    return model, tmp_path / "model"


@pytest.mark.usefixtures("eager")
def test_classify(saved):
    model, folder = saved
    images = model.generate(70)
    found = model.classify(images)
    assert found.shape == (70, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)
    features = model.discriminator_features(images[:2])
    assert features.dtype == tf.float32
    logits = np.asarray(model.discriminator.to_classes(features))
    np.testing.assert_allclose(found[:2], tf.nn.softmax(logits), atol=1e-5)
    loaded = models.load(folder)
    np.testing.assert_allclose(loaded.classify(images), found, atol=1e-6)
    np.testing.assert_array_equal(loaded.mode("classify").run(images[:64]), found[:64])


@pytest.mark.usefixtures("eager")
def test_classify_takes_what_a_person_has(saved, tmp_path):
    model, _ = saved
    pixels = to_uint8(model.generate(1))[0]
    expected = model.classify(pixels)
    assert expected.shape == (3,)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    for given in (tmp_path / "one.png", str(tmp_path / "one.png"), Image.fromarray(pixels)):
        np.testing.assert_allclose(model.classify(given), expected, atol=1e-6)
    wide = Image.fromarray(pixels).resize((90, 60), Image.Resampling.NEAREST)
    assert model.classify(wide).shape == (3,)
    for wrong in (np.zeros((16, 16, 3)), np.zeros((0, 32, 32, 3)), np.zeros(3)):
        with pytest.raises(UserError, match="32 x 32 pixels"):
            model.classify(wrong)
    with pytest.raises(UserError, match=r"expected \[H, W, 3\]"):
        model.classify(np.zeros((32, 32, 1)))


@pytest.mark.usefixtures("eager")
def test_what_is_left_out_is_not_listed(saved):
    """As in folders of before, which hold the generator alone, and in files of one network."""
    model, folder = saved
    assert list(models.load(folder).modes()) == ["generate", "classify"]
    images = model.generate(2)
    described = folder / "config.json"
    described.write_text(
        json.dumps(json.loads(described.read_text()) | {"generators": ["generator"]})
    )
    old = models.load(folder)
    assert list(old.modes()) == ["generate"] and "classify" not in old.describe()
    np.testing.assert_array_equal(old.generate(2), images)
    with pytest.raises(UserError, match=r"without its discriminator.*discriminator=True"):
        old.classify(images)


@pytest.mark.usefixtures("eager")
def test_the_discriminator_alone_classifies(saved):
    model, folder = saved
    alone = models.load(folder / "discriminator.weights.h5")
    assert list(alone.modes()) == ["classify"]
    images = model.generate(2)
    np.testing.assert_allclose(alone.classify(images), model.classify(images), atol=1e-6)
    with pytest.raises(UserError, match="without its generator"):
        alone.generate(1)
    with pytest.raises(UserError, match="Did you mean generator"):
        models.construct("acgan", **TINY).keep_generators(["generators"])


@pytest.mark.usefixtures("eager")
def test_a_folder_of_images_is_classified(saved, tmp_path):
    model, folder = saved
    images = tmp_path / "images"
    images.mkdir()
    for number, pixels in enumerate(to_uint8(model.generate(2))):
        Image.fromarray(pixels).save(images / f"{number}.png")
    out = tmp_path / "classes.csv"
    flags = f"--model={folder.parent}", "--mode=classify", f"--input={images}", f"--out={out}"
    done = commands.run("generate", *flags)
    assert done.code == 0, done.err
    header, *rows = out.read_text().splitlines()
    assert header == "file,circle,heart,star" and len(rows) == 2
    found = [float(value) for value in rows[1].split(",")[1:]]
    np.testing.assert_allclose(found, model.classify(images / "1.png"), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_size": 64}, "paper has networks for 32, 128 pixels"),
        ({"num_classes": 0}, "2 or more classes"),
        ({"dropout_rate": 1.0}, "dropout_rate = 1.0"),
        ({"activation_noise": -0.1}, "activation_noise = -0.1"),
        ({"architecture": "clvra"}, "Did you mean clvrai"),
        ({"generator_width": 0}, "1 or more"),
    ],
)
def test_wrong_arguments(arguments, words):
    with pytest.raises(UserError, match=words):
        models.construct("acgan", **arguments)
