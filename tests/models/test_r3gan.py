"""R3GAN: networks, penalties and losses give the published numbers, and files are read."""

import pickle

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import config, convert, models, weights
from ganzoo.errors import UserError
from ganzoo.losses import r1
from ganzoo.models.r3gan import Discriminator, Generator, Stage
from ganzoo.programs import r3gan as layout
from ganzoo.schedules import value_at
from ganzoo.seeds import Random
from ganzoo.trainer import trainable_parameters
from ganzoo.weights import layouts
from tests.weights import writers

from .goldens import assert_golden, fill, hashed, inputs, parameter

STAGES = [Stage(4, 48, 4, 2), Stage(8, 48, 4, 1), Stage(16, 24, 2, 1)]
LATENTS = (3.0**0.5 * inputs((4, 16))).astype(np.float32)
IMAGES = tf.constant(inputs((4, 3, 16, 16)).transpose(0, 2, 3, 1), tf.float32)
LABELS = np.arange(4)
TINY = dict(models.model_class("r3gan").TINY)
RNG = np.random.default_rng(0)


def formula(name, shape, transposed):
    if name.endswith(".Basis"):
        return 3.0**0.5 * (2.0 * hashed(name, shape) - 1.0)
    return (0.3 if "LinearLayer3" in name else 1.0) * parameter(name, shape)


@pytest.fixture(params=["plain", "cond"])
def filled(request):
    """The name, and a model whose networks are those of the goldens."""
    classes = 10 if request.param == "cond" else 0
    model = models.construct("r3gan", **TINY | {"gamma": 1.0, "num_classes": classes})
    model.generator = Generator(STAGES, 3, classes, 8)
    model.discriminator = Discriminator(STAGES, classes, 48)
    model.generator.build((None, 16))
    model.discriminator.build((None, 16, 16, 3))
    fill(layout.generator(model.generator), formula)
    fill(layout.discriminator(model.discriminator), formula)
    return request.param, model


class Recorded(Random):
    """The latents of the recorded run."""

    def normal(self, stream, shape):
        return tf.constant(LATENTS)


def test_networks_and_penalties(filled):
    name, model = filled
    fake = model.generator(LATENTS, LABELS)
    assert_golden("r3gan", f"G.{name}", np.transpose(fake, (0, 3, 1, 2)))
    for key, images in (("r1", IMAGES), ("r2", fake)):
        penalty, logits = r1(lambda images: model.discriminator(images, LABELS), images)
        assert_golden("r3gan", f"{key}.{name}", 2.0 * penalty)
        if key == "r1":
            assert_golden("r3gan", f"D.{name}", logits[:, 0])


def test_losses(filled):
    name, model = filled
    batch = {"image": IMAGES, "label": tf.constant(LABELS)}
    for key, loss in (
        ("D_loss_gamma1", model.discriminator_loss),
        ("G_loss", model.generator_loss),
    ):
        assert_golden("r3gan", f"{key}.{name}", loss(batch, Recorded(0, 0)).value)


PUBLISHED = {
    "r3gan_cifar10": (20_781_952, 21_280_512),
    "r3gan_ffhq64": (22_429_824, 22_381_440),
    "r3gan_ffhq256": (23_057_952, 23_009_568),
    "r3gan_imagenet32": (82_914_304, 86_548_992),
    "r3gan_imagenet64": (103_570_432, 107_205_120),
}
CLASSES = {"r3gan_cifar10": 10, "r3gan_imagenet32": 1000, "r3gan_imagenet64": 1000}


FIRST_TIER = ("r3gan_cifar10",)
ALL = [pytest.param(n, marks=() if n in FIRST_TIER else pytest.mark.slow) for n in PUBLISHED]


@pytest.mark.parametrize("name", ALL)
def test_parameters_of_the_published_recipes(name):
    arguments = config.load(name).model.to_dict()
    arguments |= {"num_classes": CLASSES.get(name, 0), "ema_half_life_images": 0}
    with tf.Graph().as_default():
        model = models.build("r3gan", **arguments)
        networks = model.generator, model.discriminator
        assert tuple(map(trainable_parameters, networks)) == PUBLISHED[name]


def test_five_values_follow_schedules():
    recipe = config.load("r3gan_imagenet64")
    schedules = (
        (recipe.optimizers.generator.learning_rate, 2e-4, 5e-5),
        (recipe.optimizers.discriminator.beta_2, 0.9, 0.99),
        (recipe.model.gamma, 1.0, 0.1),
        (recipe.model.ema_half_life_images, 0.0, 50_000_000),
        (recipe.augment.strength, 0.0, 0.4),
    )
    for schedule, first, last in schedules:
        half = value_at(schedule, 100_000_000)
        assert (value_at(schedule, 0), half, value_at(schedule, 300_000_000)) == pytest.approx(
            (first, (first + last) / 2, last)
        )


def test_blocks_start_as_the_identity():
    model = models.build("r3gan", **TINY)
    for layer in model.generator.stack[:3]:
        if hasattr(layer, "grouped"):
            x = tf.constant(RNG.normal(size=(2, 4, 4, layer.reduce.filters)), tf.float32)
            np.testing.assert_array_equal(layer(x), x)
            gain = (2.0 / 1.04) ** 0.5 * 3**-0.25  # of three blocks
            for part, fan_in in ((layer.expand, 12), (layer.grouped, 9 * 8)):
                assert np.std(part.kernel) == pytest.approx(gain / fan_in**0.5, rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_size": 28}, "R3GAN has networks for 16, 32, 64, 128, 256 pixels"),
        ({"group_width": 7}, "group_width = 7, .* 12 channels at 4 pixels"),
        ({"group_width": 0}, "group_width = 0, .* expected 1 or more"),
        ({"channel_base": 8}, "channel_base = 8, .* 2 channels at 4 pixels"),
    ],
)
def test_networks_that_do_not_exist(arguments, words):
    with pytest.raises(UserError, match=words):
        models.construct("r3gan", **TINY | arguments)


def module(kind, arrays, **attributes):
    """A module of PyTorch as `pickle` has it, with parts where names have dots."""
    own = {name: writers.parameter(array) for name, array in arrays.items() if "." not in name}
    parts = {}
    for name, array in arrays.items():
        head, _, rest = name.partition(".")
        if rest:
            parts.setdefault(head, {})[rest] = array
    inner = {name: module("torch.nn.modules.container.ModuleList", p) for name, p in parts.items()}
    state = {"_parameters": own, "_buffers": {}, "_modules": inner, **attributes}
    return writers.Call(kind, state=state)


@pytest.mark.parametrize("num_classes", [0, 3])
def test_published_pickles_are_read(tmp_path, num_classes):
    model = models.build("r3gan", **TINY | {"num_classes": num_classes, "ema_half_life_images": 9})
    found = {"cur_nimg": 512}
    for name, entries in layout.R3GAN.networks(model).items():
        entries = list(entries)
        for entry in entries:
            entry.variable.assign(RNG.normal(size=entry.variable.shape))
        kind = "R3GAN.Networks.Discriminator" if name[0] == "D" else "R3GAN.Networks.Generator"
        bfloat16 = writers.names("torch.bfloat16")
        inner = module(kind, layouts.export(entries), DataType=bfloat16)
        state = {"_parameters": {}, "_buffers": {}, "_modules": {"Model": inner}, "z_dim": 8}
        found[name.partition(".")[0]] = writers.Call("training.networks.Generator", state=state)
    path = tmp_path / "network.pkl"
    path.write_bytes(pickle.dumps(found, 4))
    loaded = models.load(path, discriminator=True)
    for part in ("generator", "averaged_generator", "discriminator"):
        pairs = zip(getattr(model, part).variables, getattr(loaded, part).variables, strict=True)
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)
    np.testing.assert_array_equal(models.load(path).generate(2), model.generate(2))

    convert.export("r3gan", str(path), tmp_path / "net.pth")
    again = models.load(tmp_path / "net.pth")
    np.testing.assert_array_equal(again.generate(2), model.generate(2))
    kernel = weights.read(tmp_path / "net.pth")["Model.MainLayers.1.Layers.0.Resampler.Kernel"]
    assert kernel.shape == (4, 4) and kernel.sum() == 1
