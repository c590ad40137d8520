from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import config, models, trainer
from ganzoo.errors import UserError
from ganzoo.seeds import Random

pytestmark = pytest.mark.usefixtures("eager")

# Of the official code: parameters of the generator, its mapping network, and the discriminator.
COUNTS = [
    ("stylegan2_ada", 32, {}, 19_947_539, 525_312, 21_507_073),
    ("stylegan2_ada", 64, {}, 22_243_608, 525_312, 23_407_361),
    ("stylegan2_ada_paper256", 256, {}, 24_767_458, 2_101_248, 24_001_089),
    ("stylegan2_ada_paper512", 512, {}, 30_276_583, 2_101_248, 28_982_849),
    ("stylegan2_ada_paper1024", 1024, {}, 30_370_060, 2_101_248, 29_012_513),
    ("stylegan2_ada_stylegan2", 256, {}, 30_034_338, 2_101_248, 28_864_129),
    ("stylegan2_ada_cifar10", 32, {}, 19_947_539, 525_312, 20_720_641),
    ("stylegan2_ada_cifar10", 32, {"num_classes": 10}, 20_215_315, 793_088, 23_089_664),
    (
        "stylegan2_ada_cifar10",
        32,
        {"num_classes": 10, "discriminator_mapping_layers": 0},
        20_215_315,
        793_088,
        20_988_416,
    ),
]


# Of the official code, train.py, but for the last: images in all, batch, group, channels times
# resolution, learning rate, gamma, half-life and ramp-up of the average, layers of the mapping.
OFFICIAL = {
    "paper256": (25_000_000, 64, 8, 16384, 0.0025, 1.0, 20_000, 0.0, 8),
    "paper512": (25_000_000, 64, 8, 32768, 0.0025, 0.5, 20_000, 0.0, 8),
    "paper1024": (25_000_000, 32, 4, 32768, 0.002, 2.0, 10_000, 0.0, 8),
    "stylegan2": (25_000_000, 32, 4, 32768, 0.002, 10.0, 10_000, 0.0, 8),
    "cifar10": (100_000_000, 64, 32, 16384, 0.0025, 0.01, 500_000, 0.05, 2),
    "emoji64": (528_000, 16, 4, 1024, 0.0025, 1.0, 100_000, 0.05, 2),
}


def tiny(**kwargs):
    return models.build("stylegan2_ada", **dict(models.model_class("stylegan2_ada").TINY) | kwargs)


def chosen(name, replicas=1, **model):
    """A config whose open values are filled."""
    recipe = config.load(name)
    recipe.data.dataset = "shapes"
    recipe.model.update({"channels": 3, "num_classes": 0} | model)
    return trainer.inferred(recipe, replicas)


@pytest.mark.slow
@pytest.mark.parametrize("name, size, arguments, generator, mapping, discriminator", COUNTS)
def test_parameter_counts(name, size, arguments, generator, mapping, discriminator):
    recipe = chosen(name, image_size=size, **arguments)
    with tf.Graph().as_default():  # allocates nothing
        model = models.build("stylegan2_ada", **recipe.model)
    count = trainer.trainable_parameters
    assert count(model.generator) == generator
    assert count(model.generator.mapping) == mapping
    assert count(model.discriminator) == discriminator


@pytest.mark.parametrize(
    "size, replicas, batch, group, base, rate, gamma, half_life",
    [
        (32, 1, 32, 4, 16384, 0.0025, 0.0064, 10_000),
        (64, 1, 32, 4, 16384, 0.0025, 0.0256, 10_000),
        (128, 1, 32, 4, 16384, 0.0025, 0.1024, 10_000),
        (256, 1, 16, 4, 16384, 0.0025, 0.8192, 5_000),
        (256, 8, 64, 4, 16384, 0.0025, 0.2048, 20_000),
        (1024, 8, 32, 4, 32768, 0.002, 6.5536, 10_000),
    ],
)
def test_auto_chooses_what_the_official_code_does(
    size, replicas, batch, group, base, rate, gamma, half_life
):
    recipe = chosen("stylegan2_ada", replicas, image_size=size)
    assert recipe.batch_size == batch
    assert recipe.model.minibatch_stddev_group == group
    assert recipe.model.channel_base == base
    assert recipe.model.r1_gamma == pytest.approx(gamma)
    assert recipe.model.ema_half_life_images == half_life
    generator, discriminator = recipe.optimizers.generator, recipe.optimizers.discriminator
    assert generator.learning_rate == pytest.approx(rate * 4 / 5)
    assert discriminator.learning_rate == pytest.approx(rate * 16 / 17)
    assert generator.beta_2 == pytest.approx(0.991992, abs=1e-6)
    assert discriminator.beta_2 == pytest.approx(0.990585, abs=1e-6)


@pytest.mark.parametrize("name", OFFICIAL)
def test_presets_have_the_official_values(name):
    size = {"image_size": 256} if name == "stylegan2" else {}
    recipe = chosen(f"stylegan2_ada_{name}", **size)
    total, batch, group, base, rate, gamma, half_life, ramp_up, layers = OFFICIAL[name]
    assert (recipe.total_images, recipe.batch_size) == (total, batch)
    model, cifar, narrow = recipe.model, name == "cifar10", name == "emoji64"
    assert (model.minibatch_stddev_group, model.channel_base) == (group, base)
    assert (model.r1_gamma, model.mapping_layers) == (gamma, layers)
    assert (model.ema_half_life_images, model.ema_ramp_up) == (half_life, ramp_up)
    assert (model.r1_every, model.path_length_every) == (16, 4)
    assert (model.path_length_weight, model.style_mixing) == ((0.0, 0.0) if cifar else (2.0, 0.9))
    assert model.generator_architecture == "skip"
    assert model.discriminator_architecture == ("orig" if cifar else "resnet")
    assert (model.latent_dim, model.style_dim, model.channel_max) == (
        (128, 128, 256) if narrow else (512, 512, 512)
    )
    assert model.num_half_precision == 4
    for player, lazy in (("generator", 4 / 5), ("discriminator", 16 / 17)):
        adam = recipe.optimizers[player]
        assert adam.learning_rate == pytest.approx(rate * lazy)
        assert (adam.beta_1, adam.epsilon) == (0.0, 1e-8)
        assert adam.beta_2 == pytest.approx(0.99**lazy)
    augment = dict(recipe.augment)
    assert augment.pop("speed_images") == (100_000 if narrow else 500_000)
    assert augment == {"pipe": "bgc", "strength": None, "target": 0.6, "interval": 4}


def test_what_was_chosen_by_hand_stays():
    recipe = config.load("stylegan2_ada")
    recipe.data.dataset, recipe.batch_size = "shapes", 8
    recipe.model.update({"image_size": 32, "r1_gamma": 5.0})
    recipe = trainer.inferred(recipe, 1)
    assert (recipe.batch_size, recipe.model.r1_gamma) == (8, 5.0)
    assert recipe.model.ema_half_life_images == 2500


def test_the_schedule_is_the_official_one():
    updates = tiny(path_length_every=4, r1_every=16).updates()
    names = [update.name or update.player for update in updates]
    assert names == ["generator", "path_length", "discriminator", "r1"]
    assert [update.every for update in updates] == [1, 4, 1, 16]
    assert [update.offset for update in updates] == [0] * 4
    bare = tiny(path_length_weight=0.0, r1_gamma=0.0).updates()
    assert [update.player for update in bare] == ["generator", "discriminator"]


class Streams(Random):
    """Remembers what was asked for."""

    asked: ClassVar = []

    def normal(self, stream, shape):
        self.asked.append((stream, tuple(shape)))
        return super().normal(stream, shape)


def test_path_lengths_are_of_half_a_batch_and_penalties_are_weighted():
    model = tiny(path_length_every=4, r1_every=16)
    batch = {"image": tf.zeros([8, 16, 16, 3]), "label": tf.zeros([8], tf.int32)}
    Streams.asked.clear()
    loss = model.path_length_loss(batch, Streams(0, 0))
    assert ("latents", (4, 16)) in Streams.asked and loss.value.shape == (4,)
    penalty = np.mean(loss.value) / (4 * 2.0)
    assert penalty == pytest.approx(float(loss.logs["penalty"]), rel=1e-5)
    loss = model.r1_loss(batch, Random(0, 0))
    assert np.mean(loss.value) == pytest.approx(16 * 1.0 * float(loss.logs["penalty"]), rel=1e-5)


def mixing_of(model, step):
    """The layers of the coarse latents' styles, and the others'."""
    labels = tf.zeros([4], tf.int32)
    random = Random(0, step)
    styles = np.asarray(model._styles(labels, random)[0])
    same = (styles == styles[:, :1]).all(axis=(0, 2))
    return same


@pytest.mark.slow
def test_a_batch_is_mixed_at_one_layer_nine_times_out_of_ten():
    model = tiny()
    mixed = [mixing_of(model, step) for step in range(100)]
    cut = [same.argmin() if not same.all() else len(same) for same in mixed]
    assert np.mean(np.array(cut) < 6) == pytest.approx(0.9, abs=0.1)
    assert set(cut) == {1, 2, 3, 4, 5, 6}
    assert all(not same[c:].any() for same, c in zip(mixed, cut, strict=True))
    assert mixing_of(tiny(style_mixing=0.0), 0).all()


def test_the_mean_style_follows_the_batches_and_not_the_mixed_ones():
    model = tiny()
    expected = np.zeros(16)
    for step in range(3):
        styles, _ = model._styles(tf.zeros([4], tf.int32), Random(0, step))
        expected += 0.005 * (np.asarray(styles)[:, 0].mean(0) - expected)
    np.testing.assert_allclose(model.generator.mean_style, expected, atol=1e-6)


@pytest.mark.slow
def test_labels_of_fakes_are_as_frequent_as_those_of_the_data():
    model = tiny(num_classes=3)
    labels = tf.constant([0] * 6 + [2] * 2)
    drawn = np.concatenate([model._styles(labels, Random(0, step))[1] for step in range(40)])
    assert np.mean(drawn == 2) == pytest.approx(0.25, abs=0.09) and not (drawn == 1).any()


def clamps_of(generator):
    return {layer.clamp for b in generator.synthesis.blocks for layer in b.convolutions}


@pytest.mark.slow
def test_the_clamp_of_the_training_stays_in_full_precision(tmp_path):
    keras.mixed_precision.set_global_policy("mixed_float16")
    arguments = dict(models.model_class("stylegan2_ada").TINY)
    model = models.build("stylegan2_ada", **arguments)
    models.save(model, "stylegan2_ada", arguments, tmp_path / "model")
    assert clamps_of(tiny(clamp=0.0).generator) == {None}
    assert clamps_of(tiny(num_half_precision=0).generator) == {None}
    keras.mixed_precision.set_global_policy("float32")
    loaded = models.load(tmp_path)
    loaded.save(tmp_path / "model.keras")
    for again in (loaded, keras.saving.load_model(tmp_path / "model.keras")):
        assert clamps_of(again.averaged_generator) == {256.0}
    assert clamps_of(tiny(clamp=8.0).generator) == {8.0}


@pytest.mark.parametrize(
    ("policy", "clamp"),
    [
        pytest.param("float32", None, marks=pytest.mark.slow),
        pytest.param("mixed_bfloat16", None, marks=pytest.mark.slow),
        ("mixed_float16", 256.0),
    ],
)
def test_precision_of_the_resolutions(policy, clamp):
    keras.mixed_precision.set_global_policy(policy)
    model = tiny(image_size=128)
    compute = [block.compute_dtype for block in model.generator.synthesis.blocks]
    half = policy.removeprefix("mixed_")
    assert compute == ["float32", "float32"] + [half] * 4  # 4, 8, then 16 to 128
    assert model.discriminator.conv.compute_dtype == "float32"
    assert model.generator.mapping.stack[0].compute_dtype == "float32"
    assert clamps_of(model.generator) == {clamp}
    assert model.averaged_generator(tf.zeros([1, 16]), tf.zeros([1], tf.int32)).dtype == tf.float32


def test_sizes_and_architectures_are_checked():
    with pytest.raises(UserError, match="image_size 48"):
        tiny(image_size=48)
    with pytest.raises(UserError, match="Did you mean skip"):
        tiny(generator_architecture="skipp")


@pytest.mark.slow
def test_batches_of_broken_groups_are_refused_before_training():
    recipe = chosen("stylegan2_ada", image_size=16, channel_max=8)
    recipe.batch_size = 6
    with pytest.raises(UserError, match=r"6 images, of .* do not make groups of 4"):
        trainer.prepare(recipe, tf.distribute.get_strategy())
