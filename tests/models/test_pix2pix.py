"""pix2pix: networks and losses give the numbers of the authors' code, dropout those of the seed."""

import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo import models, weights
from ganzoo.augment import make
from ganzoo.errors import UserError
from ganzoo.models.cyclegan import UNetGenerator, patch_discriminator
from ganzoo.programs import cyclegan_pytorch
from ganzoo.seeds import Random
from ganzoo.trainer import trainable_parameters
from ganzoo.weights import layouts

from .goldens import FOLDER, assert_golden, fill, hashed

TINY = dict(models.model_class("pix2pix").TINY)


def images(name, shape):
    return (2.0 * hashed(name, shape) - 1.0).transpose(0, 2, 3, 1).astype(np.float32)


def nchw(outputs):
    return np.transpose(outputs, (0, 3, 1, 2))


def batch(size=32, count=2, channels=(3, 3)):
    a, b = (images(n, (count, c, size, size)) for n, c in zip("ab", channels, strict=True))
    return {"a": tf.constant(a), "b": tf.constant(b)}


def compiled(model, rate=0.01, size=2):
    optimizers = {player: tf.keras.optimizers.SGD(rate) for player in model.players()}
    model.compile(optimizers, batch_size=size)
    return model


@pytest.fixture(scope="module")
def unet():
    network = UNetGenerator(3, 8, 8, "batch")
    network.build((None, None, None, 3))
    fill(cyclegan_pytorch.unet(network))
    return network


def test_generator(unet):
    image = images("input", (1, 3, 256, 256))
    before = [v.numpy() for v in unet.non_trainable_variables]
    outputs = unet(image, update_moments=False)
    assert_golden("pix2pix", "G.unet256.ngf8.batchstats", nchw(outputs))
    for old, variable in zip(before, unet.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, variable)
    np.testing.assert_allclose(unet(image, training=True), outputs, atol=1e-5)


@pytest.mark.parametrize("averages", [True, False])
def test_the_authors_files_are_pix2pix(unet, tmp_path, averages):
    """With the names of their code; some have no averages, which test.py does not use either."""
    arrays = layouts.export(cyclegan_pytorch.unet(unet))
    kept = {n: a for n, a in arrays.items() if averages or "running" not in n}
    weights.write_pytorch(kept, tmp_path / "latest_net_G.pth")
    model = models.load(tmp_path / "latest_net_G.pth")
    assert (type(model).__name__ == "Pix2Pix" and len(kept) < len(arrays)) or averages
    assert model.arguments == {
        "image_size": 256,
        "channels": 3,
        "out_channels": 3,
        "generator_width": 8,
        "dropout": "pytorch",
    }
    image = images("input", (1, 3, 256, 256))
    outputs = model.generator(image, update_moments=False)
    assert_golden("pix2pix", "G.unet256.ngf8.batchstats", nchw(outputs))
    one, other = (model.translate(image[0], seed=seed) for seed in (0, 1))  # with dropout
    assert np.abs(one - other).max() > 1e-3 and np.abs(one - outputs[0]).max() > 1e-3


@pytest.mark.parametrize("mode", ["eval", "train.real"])
def test_discriminator(mode):
    network = patch_discriminator(16, 3, "discriminator", "batch")
    network.build((None, None, None, 6))
    fill(cyclegan_pytorch.discriminator(network))
    pairs = tf.concat([*batch(128).values()], axis=-1)
    logits = network(pairs, training=mode == "train.real")
    assert_golden("pix2pix", f"D.ndf16.{mode}", nchw(logits))


def test_losses(monkeypatch):
    expected = json.loads((FOLDER / "pix2pix.json").read_text())["losses"]
    model = models.build("pix2pix", image_size=128, generator_width=1, discriminator_width=16)
    fill(cyclegan_pytorch.discriminator(model.discriminator))
    fake = images("fake", (2, 3, 128, 128))
    monkeypatch.setattr(model, "_generate", lambda *args, **options: fake)
    judged = model.discriminator_loss(batch(128), Random(0, 0))
    generated = model.generator_loss(batch(128), Random(0, 0))
    assert float(np.mean(judged.value)) == pytest.approx(expected["D"], rel=1e-5)
    assert float(generated.logs["adversarial"]) == pytest.approx(expected["G_GAN"], rel=1e-5)
    l1 = model.l1_weight * float(generated.logs["l1"])
    assert l1 == pytest.approx(expected["G_L1"], rel=1e-5)
    total = expected["G_GAN"] + expected["G_L1"]
    assert float(np.mean(generated.value)) == pytest.approx(total, rel=1e-5)


def test_parameters():
    with tf.Graph().as_default():
        model = models.build("pix2pix")
        assert trainable_parameters(model.generator) == 54_413_955
        assert trainable_parameters(model.discriminator) == 2_768_705
        small = models.build("pix2pix", image_size=128, generator_width=64)
        assert trainable_parameters(small.generator) == 41_828_995
        colors = models.build("pix2pix", channels=1, out_channels=2)
        assert trainable_parameters(colors.generator) == 54_409_858
        by_layers = {1: 139_585, 2: 666_433, 4: 6_964_033, 5: 11_159_361, 6: 15_354_689}
        for number, count in by_layers.items():
            model = models.build("pix2pix", generator_width=1, discriminator_layers=number)
            assert trainable_parameters(model.discriminator) == count


@pytest.mark.parametrize(
    ("size", "dropout", "levels"),
    [
        (256, "paper", (0, 1, 2)),
        (256, "pytorch", (1, 2, 3)),
        (128, "paper", (0, 1, 2)),
        (128, "pytorch", (1, 2)),
        (32, "pytorch", ()),
        (32, "none", ()),
    ],
)
def test_places_of_dropout(size, dropout, levels):
    model = models.construct("pix2pix", image_size=size, generator_width=1, dropout=dropout)
    assert model.generator.dropout_levels == levels


@pytest.mark.usefixtures("eager")
def test_both_updates_of_a_step_see_the_same_translation(monkeypatch):
    """The generator moves second, by the discriminator that has moved."""
    model, made = compiled(models.build("pix2pix", **TINY)), []
    generate = model._generate

    def kept(*args, **options):
        made.append(generate(*args, **options))
        return made[-1]

    monkeypatch.setattr(model, "_generate", kept)
    assert [update.player for update in model.updates()] == ["discriminator", "generator"]
    for _ in range(2):
        model.train_step(batch())
    first, again, second, _ = map(np.asarray, made)
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - second).max() > 1e-3  # another step has another dropout


@pytest.mark.usefixtures("eager")
def test_moving_averages_move_once_a_step():
    model = compiled(models.build("pix2pix", **TINY, dropout="none"))
    twin = UNetGenerator(3, 8, 5, "batch")
    twin.build((None, None, None, 3))
    twin.set_weights(model.generator.get_weights())
    twin(batch()["a"], training=True)
    expected = [v.numpy() for v in twin.non_trainable_variables]
    model.train_step(batch())
    for value, variable in zip(expected, model.generator.non_trainable_variables, strict=True):
        np.testing.assert_allclose(value, variable, atol=1e-6)


@pytest.mark.usefixtures("eager")
def test_a_discriminator_may_be_left_without_the_input():
    for conditional, channels in ((True, 6), (False, 3)):
        model = models.build("pix2pix", **TINY, conditional=conditional)
        assert model.discriminator.layers[0].kernel.shape[2] == channels
        a, b = batch().values()
        logits, others = (model._judge(x, b, Random(0, 0), "real") for x in (a, tf.reverse(a, [0])))
        assert np.array_equal(logits, others) != conditional
        assert model.discriminator_loss(batch(), Random(0, 0)).value.shape == [2]


@pytest.mark.usefixtures("eager")
def test_both_images_of_a_pair_are_augmented_alike(monkeypatch):
    model = models.build("pix2pix", make("bgc", strength=1.0), **TINY)
    seen = []
    monkeypatch.setattr(model, "discriminator", lambda images, training: seen.append(images))
    a = batch(count=8)["a"]
    model._judge(a, a, Random(0, 0), "real")
    left, right = np.split(np.asarray(seen[0]), 2, axis=-1)
    np.testing.assert_array_equal(left, right)
    assert np.abs(left - a).max() > 0.1


@pytest.mark.usefixtures("eager")
def test_other_channels_come_out():
    model = models.build("pix2pix", **TINY, channels=1, out_channels=3)
    grey = batch(channels=(1, 3))
    assert model.translate(np.asarray(grey["a"])).shape == (2, 32, 32, 3)
    assert model.preview(grey, 3).shape == (1, 32, 96, 3)
    logs = compiled(model).train_step(grey)
    assert all(np.isfinite(float(value)) for value in logs.values())


def test_translations_depend_on_seed_and_image_alone():
    model = models.build("pix2pix", **TINY)
    pair = np.asarray(batch()["a"])
    one, again, other = (model.translate(pair[0], seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 1e-3
    both = model.translate(pair, seed=1)
    np.testing.assert_array_equal(both[0], one)  # whatever it is translated with
    fixed = model.translate(pair[0], deterministic=True)
    np.testing.assert_array_equal(fixed, model.translate(pair[0], seed=9, deterministic=True))
    np.testing.assert_allclose(fixed, model(pair[:1])[0], atol=1e-6)
    picture = model.translate(Image.new("RGB", (50, 33), "red"), seed=1)
    assert picture.size == (50, 33)
    with pytest.raises(UserError, match="seed -1"):
        model.translate(pair, seed=-1)
    with pytest.raises(UserError, match="Unknown input 'seeds'"):
        model.convert(pair[0], seeds=1)


@pytest.mark.usefixtures("eager")
def test_l1_alone():
    model = models.build("pix2pix", **TINY, adversarial_weight=0.0)
    loss = model.generator_loss(batch(), Random(0, 0))
    assert float(np.mean(loss.value)) == pytest.approx(100.0 * float(loss.logs["l1"]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_size": 48}, "needs a multiple of 32"),
        ({"dropout": "papers"}, "Did you mean paper"),
        ({"discriminator": "patches"}, "Did you mean patch"),
        ({"image_size": 64, "discriminator_layers": 5}, "discriminator_layers = 5"),
        ({"generator_width": 0}, "expected 1 or more channels"),
    ],
)
def test_wrong_arguments(arguments, words):
    with pytest.raises(UserError, match=words):
        models.construct("pix2pix", **arguments)
