"""CycleGAN: sizes, wiring, weights of its terms, and the traps of its re-implementations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import config, models, trainer
from ganzoo.errors import UserError
from ganzoo.images import to_uint8
from ganzoo.layers import InstanceNorm
from ganzoo.models import cyclegan
from ganzoo.schedules import value_at

pytestmark = pytest.mark.usefixtures("eager")

RANDOM = np.random.default_rng(0)
TINY = dict(cyclegan.CycleGAN.TINY)


def parameters(network, channels=3):
    """Counted in a graph, which allocates nothing."""
    with tf.Graph().as_default():
        network.build((None, None, None, channels))
    return trainer.trainable_parameters(network)


def tiny(**changes):
    return models.build("cyclegan", **{**TINY, "pool_size": 0, **changes})


def filled(value, count=1, size=32):
    return tf.fill([count, size, size, 3], np.float32(value))


def answering(network, value):
    """The network, made to answer one value everywhere."""
    last = [layer for layer in network.layers if hasattr(layer, "kernel")][-1]
    last.kernel.assign(tf.zeros_like(last.kernel))
    last.bias.assign(tf.fill(last.bias.shape, np.float32(value)))


@pytest.mark.parametrize("blocks, expected", [(6, 7_837_699), (9, 11_378_179)])
def test_parameters_of_the_residual_generators(blocks, expected):
    """With the biases before normalizations, which have no effect, as the authors have them."""
    assert parameters(cyclegan.resnet_generator(3, 64, blocks, "generator")) == expected


@pytest.mark.parametrize("halvings, expected", [(7, 41_825_667), (8, 54_409_603)])
def test_parameters_of_the_unets(halvings, expected):
    assert parameters(cyclegan.UNetGenerator(3, 64, halvings)) == expected


@pytest.mark.parametrize(
    "layers, channels, expected",
    [
        (1, 3, 136_385),
        (2, 3, 662_977),
        (3, 3, 2_764_737),
        (3, 6, 2_767_809),
        (4, 3, 6_959_553),
        (5, 3, 11_154_369),
        (6, 3, 15_349_185),
    ],
)
def test_parameters_of_the_discriminators(layers, channels, expected):
    network = cyclegan.patch_discriminator(64, layers, "discriminator")
    assert parameters(network, channels) == expected


@pytest.mark.parametrize("size, side", [(128, 14), (256, 30), (286, 33), (512, 62)])
def test_the_discriminators_map_has_the_official_size(size, side):
    network = cyclegan.patch_discriminator(4, 3, "discriminator")
    network.build((None, None, None, 3))
    assert network.compute_output_shape((1, size, size, 3)) == (1, side, side, 1)


def test_a_patch_is_70_pixels_wide():
    """Without the normalization, through which everything depends on everything."""
    network = cyclegan.patch_discriminator(4, 3, "discriminator")
    network.build((None, None, None, 3))
    images = tf.Variable(RANDOM.normal(size=(1, 256, 256, 3)).astype(np.float32))
    with tf.GradientTape() as tape:
        x = images
        for layer in network.layers:
            x = x if isinstance(layer, InstanceNorm) else layer(x)
        value = x[0, 15, 15, 0]
    touched = np.abs(tape.gradient(value, images)[0]).max(axis=-1) > 0
    for axis in (0, 1):
        assert np.flatnonzero(touched.any(axis=axis))[[0, -1]].tolist() == [97, 166]


def test_nine_blocks_from_256_pixels_on():
    for size, blocks in ((252, 6), (256, 9)):
        model = models.construct("cyclegan", image_size=size, generator_width=4)
        found = [x for x in model.a2b.layers if isinstance(x, cyclegan.ResidualBlock)]
        assert len(found) == blocks


@pytest.mark.parametrize("generator, size", [("resnet", (20, 36)), ("unet", (64, 32))])
def test_generators_take_images_of_other_sizes(generator, size):
    model = tiny(generator=generator)
    image = RANDOM.uniform(-1, 1, (*size, 3)).astype(np.float32)
    assert model.multiple == {"resnet": 4, "unet": 32}[generator]
    for direction in model.directions:
        assert model.convert(image, direction).shape == (*size, 3)
        assert model.convert(image[:-3, :-1], direction).shape == (size[0] - 3, size[1] - 1, 3)


def test_tiles_at_once_are_translated_each_by_itself():
    model = tiny()
    image = RANDOM.uniform(-1, 1, (100, 170, 3)).astype(np.float32)
    one, several = (model.convert(image, tile=120, batch=batch) for batch in (1, 4))
    np.testing.assert_allclose(one, several, atol=1e-4)


def test_no_relu_follows_the_sum_of_a_residual_block():
    block = cyclegan.ResidualBlock()
    x = RANDOM.normal(size=(1, 6, 6, 8)).astype(np.float32)
    block.build(x.shape)
    for layer in block.branch.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.assign(tf.zeros_like(layer.kernel))
    np.testing.assert_allclose(block(x), x, atol=1e-6)


def test_first_and_last_convolutions_have_no_normalization():
    model = tiny()
    discriminator = [type(layer).__name__ for layer in model.discriminator_a.layers]
    assert discriminator[:2] == ["PaddedConv2D", "LeakyReLU"]
    assert discriminator[-2:] == ["LeakyReLU", "PaddedConv2D"]
    assert [type(layer).__name__ for layer in model.a2b.layers][-2:] == [
        "PaddedConv2D",
        "Activation",
    ]
    slopes = {x.negative_slope for x in model.discriminator_a.layers if "leaky" in x.name}
    assert slopes == {0.2}


def test_weights_begin_normal_and_biases_at_zero():
    for layer in models.construct("cyclegan").a2b.layers[:1]:
        layer.build((None, None, None, 3))
        assert float(np.std(layer.kernel)) == pytest.approx(0.02, rel=0.05)
        assert (np.asarray(layer.bias) == 0).all()


def test_undecided_discriminators_cost_a_quarter_each():
    """Half of the squared errors for discriminators, all of it for generators."""
    model = tiny()
    answering(model.discriminator_a, 0.5)
    answering(model.discriminator_b, 0.5)
    batch = {"a": filled(0.1, 2), "b": filled(-0.3, 2)}
    translated = model.generator_loss(batch, None)
    assert float(translated.logs["adversarial_a2b"]) == pytest.approx(0.25)
    assert float(translated.logs["adversarial_b2a"]) == pytest.approx(0.25)
    judged = model.discriminator_loss(batch | dict(translated.reuse), None)
    np.testing.assert_allclose(judged.value, [0.5, 0.5], rtol=1e-6)
    assert float(judged.logs["loss_a"]) == pytest.approx(0.25)


def test_a_difference_of_one_costs_ten_in_the_cycle_and_five_in_the_identity():
    model = tiny(cycle_weight_b=8.0)
    half = np.arctanh(0.5)
    answering(model.a2b, -half)
    answering(model.b2a, -half)
    loss = model.generator_loss({"a": filled(0.5), "b": filled(0.5)}, None)
    terms = {name: float(value) for name, value in loss.logs.items()}
    assert terms["cycle_a"] == pytest.approx(10.0)
    assert terms["cycle_b"] == pytest.approx(8.0)
    assert terms["identity_a2b"] == pytest.approx(4.0)  # compares in b
    assert terms["identity_b2a"] == pytest.approx(5.0)
    assert float(loss.value[0]) == pytest.approx(sum(terms.values()), rel=1e-6)


def test_without_its_weight_the_identity_is_not_computed():
    model, calls = tiny(identity_weight=0.0), []
    generate = model.a2b
    model.a2b = lambda x, training: calls.append(x.shape[0]) or generate(x)
    loss = model.generator_loss({"a": filled(0.5), "b": filled(0.5)}, None)
    assert calls == [1, 1] and "identity_a2b" not in loss.logs


def test_batch_normalization_averages_and_sees_one_domain_at_a_time():
    model, calls = tiny(normalization="batch"), []
    judge = model.discriminator_a
    before = [variable.numpy() for variable in model.a2b.non_trainable_variables]
    batch = {"a": filled(0.5), "b": filled(-0.5)}
    fakes = model.generator_loss(batch, None).reuse
    after = model.a2b.non_trainable_variables
    assert before and all(
        (old != new.numpy()).any() for old, new in zip(before, after, strict=True)
    )
    model.discriminator_a = lambda x, training: (
        calls.append(x.shape[0]) or judge(x, training=training)
    )
    model.discriminator_loss(batch | dict(fakes), None)
    assert calls == [1, 1]


def test_discriminators_judge_the_images_of_their_own_domain():
    """D_b sees b and what was translated to b; only then does this cost nothing."""
    model = tiny()
    model.discriminator_a = lambda x, training: tf.where(x[..., :1] > 0, 1.0, 0.0)
    model.discriminator_b = lambda x, training: tf.where(x[..., 1:2] > 0, 1.0, 0.0)
    real_a, real_b = (np.full((1, 32, 32, 3), -1, np.float32) for _ in "ab")
    real_a[..., 0] = real_b[..., 1] = 1
    nothing = filled(-1.0)
    batch = {"a": real_a, "b": real_b, "fake_a": nothing, "fake_b": nothing}
    assert float(model.discriminator_loss(batch, None).value[0]) == 0.0
    batch = {"a": real_b, "b": real_a, "fake_a": nothing, "fake_b": nothing}
    assert float(model.discriminator_loss(batch, None).value[0]) == pytest.approx(1.0)


@pytest.mark.slow
def test_the_pool_is_filled_by_training_and_shown_to_the_discriminators():
    model = tiny(pool_size=2, image_size=32)
    model.compile({player: keras.optimizers.SGD(0.0) for player in model.players()}, batch_size=1)
    stored = []
    for step in range(4):
        batch = {"a": filled(step / 4), "b": filled(-step / 4)}
        model.train_step(batch)
        stored.append(int(model.pool_a.filled))
    assert stored == [1, 2, 2, 2]
    fakes = [model.a2b(filled(step / 4))[0] for step in range(4)]
    for image in model.pool_b.images.numpy():
        assert min(np.abs(image - fake).max() for fake in fakes) < 1e-5
    paths = [v.path for v in model.variables if "pool" in v.path]
    assert len(paths) == 4  # two pools, in the checkpoint


def test_the_learning_rate_is_constant_and_then_falls_as_officially():
    """The official one falls by 1/101 after each epoch from the 100th on, ours with each image."""
    recipe = config.load("cyclegan_horse2zebra")
    rate = recipe.optimizers.generators.learning_rate
    epoch = recipe.total_images // 200
    for number in (1, 50, 99, 100, 101, 150, 200):
        official = 1.0 - max(0, number - 100) / 101
        assert value_at(rate, int((number - 0.5) * epoch)) / 2e-4 == pytest.approx(
            official, abs=1 / 101
        )
    assert value_at(rate, 100 * epoch) == 2e-4 and value_at(rate, 200 * epoch) == 0.0


def test_bytes_are_rounded_where_the_official_code_truncates():
    assert to_uint8(np.float32([-1, 1, 0, 0.5])).tolist() == [0, 255, 128, 191]
    official = ((np.float32([-1, 1, 0, 0.5]) + 1) / 2 * 255).astype(np.uint8)
    assert official.tolist() == [0, 255, 127, 191]


def test_the_preview_shows_both_cycles():
    model = tiny()
    batch = {name: RANDOM.uniform(-1, 1, (6, 32, 32, 3)).astype(np.float32) for name in "ab"}
    strips = np.asarray(model.preview(batch, 12))
    assert strips.shape == (4, 32, 96, 3)
    np.testing.assert_array_equal(strips[0, :, :32], batch["a"][0])
    np.testing.assert_array_equal(strips[2, :, :32], batch["b"][0])
    np.testing.assert_allclose(strips[0, :, 32:64], model.a2b(batch["a"][:1])[0], atol=1e-5)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"image_size": 30}, "image_size 30: the generator 'resnet' needs a multiple of 4"),
        ({"generator": "unet", "image_size": 48}, "'unet' needs a multiple of 32"),
        ({"generator": "unt"}, "Unknown generator 'unt'. Did you mean unet"),
        ({"discriminator": "patches"}, "Did you mean patch"),
        ({"discriminator_layers": 6}, "discriminator_layers = 6; expected 1 or more"),
        ({"loss": "lsgan"}, "Unknown loss 'lsgan'"),
    ],
)
def test_bad_arguments_are_told(changes, words):
    with pytest.raises(UserError, match=words):
        tiny(**changes)
