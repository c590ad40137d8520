"""SRGAN: its schedule, its losses by hand, and the traps of its many re-implementations."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from ganzoo import models, trainer
from ganzoo.errors import UserError
from ganzoo.layers import pixel_shuffle
from ganzoo.models import srgan
from ganzoo.seeds import Random

pytestmark = pytest.mark.usefixtures("eager")

RANDOM = np.random.default_rng(0)
TINY = dict(srgan.SRGAN.TINY)


def tiny(**changes):
    return models.build("srgan", **{**TINY, **changes})


@functools.cache
def published(scale=4):
    """Of the published size, in a graph, which allocates nothing."""
    with tf.Graph().as_default():
        return models.build("srgan", content_loss="mse", scale=scale)


def batch(count=4, size=32, scale=4, random=RANDOM):
    large = random.uniform(-1, 1, (count, size, size, 3)).astype(np.float32)
    return {"image": tf.constant(large), "low_res": tf.constant(large[:, ::scale, ::scale])}


@pytest.mark.slow
@pytest.mark.parametrize("scale, generator", [(2, 1_400_771), (4, 1_548_547), (8, 1_696_323)])
def test_parameters(scale, generator):
    """x4: the paper's network with a slope per channel and no bias before normalizations."""
    model = published(scale=scale)
    assert trainer.trainable_parameters(model.generator) == generator
    assert trainer.trainable_parameters(model.discriminator) == 23_563_649


@pytest.mark.slow
def test_parameters_of_the_other_layouts_follow():
    """33 convolutions of the generator and 7 of the discriminator stand before a normalization."""
    model = published()
    own = trainer.trainable_parameters(model.generator)
    layers = model.generator._flatten_layers()
    slopes = [layer.alpha for layer in layers if isinstance(layer, keras.layers.PReLU)]
    biases = [bias for network in model.layers for bias in biases_without_effect(network)]
    assert own + sum(biases[:33]) == 1_550_659  # biases everywhere, krasserm
    assert own - sum(int(np.prod(slope.shape)) - 1 for slope in slopes) == 1_547_350  # Lornatang
    moving = sum(int(np.prod(v.shape)) for v in model.generator.non_trainable_variables)
    assert own + sum(biases[:33]) + moving == 1_554_883
    judge = trainer.trainable_parameters(model.discriminator)
    assert len(biases) == 40 and judge + sum(biases[33:]) == 23_565_505


def biases_without_effect(network):
    """The channels of each convolution that has no bias, generator before discriminator."""
    return [
        layer.filters
        for layer in network._flatten_layers()
        if isinstance(layer, keras.layers.Conv2D) and not layer.use_bias
    ]


@pytest.mark.slow
def test_the_discriminator_reads_every_place():
    """No pooling: 512 * 6 * 6 inputs of the first dense layer for 96 pixels."""
    dense = [
        layer for layer in published().discriminator.layers if isinstance(layer, keras.layers.Dense)
    ]
    assert [tuple(layer.kernel.shape) for layer in dense] == [(18_432, 1024), (1024, 1)]


def test_slopes_are_shared_over_places_and_begin_at_a_quarter():
    slopes = [
        layer.alpha
        for layer in tiny().generator._flatten_layers()
        if isinstance(layer, keras.layers.PReLU)
    ]
    assert len(slopes) == 4
    for slope in slopes:
        assert tuple(slope.shape) == (1, 1, 8)
        np.testing.assert_array_equal(slope, 0.25)


def test_pixel_shuffle_has_pytorchs_order():
    """torch.nn.functional.pixel_shuffle(torch.arange(12.).reshape(1, 12, 1, 1), 2)."""
    x = np.arange(12, dtype=np.float32).reshape(1, 1, 1, 12)
    expected = [[[0, 4, 8], [1, 5, 9]], [[2, 6, 10], [3, 7, 11]]]
    np.testing.assert_array_equal(pixel_shuffle(x, 2)[0], expected)
    # TensorFlow's is another order, and the same after a permutation of the channels.
    x = np.arange(2 * 3 * 12, dtype=np.float32).reshape(1, 2, 3, 12)
    order = [c * 4 + ij for ij in range(4) for c in range(3)]
    np.testing.assert_array_equal(pixel_shuffle(x, 2), tf.nn.depth_to_space(x[..., order], 2))
    assert not np.array_equal(pixel_shuffle(x, 2), tf.nn.depth_to_space(x, 2))


def test_stages_follow_each_other():
    model = tiny(pretrain_images=8)
    model.compile({p: keras.optimizers.SGD() for p in model.players()}, batch_size=4)
    players = [[u.player for u in model.active_updates(step)] for step in range(4)]
    assert players == 2 * [["pretrain"]] + 2 * [["generator", "discriminator"]]
    assert model.players()["pretrain"] == model.players()["generator"]


@pytest.mark.slow
def test_both_stages_move_the_same_generator_by_their_own_optimizers():
    model = tiny(pretrain_images=4)
    optimizers = {player: keras.optimizers.Adam(1e-3) for player in model.players()}
    model.compile(optimizers, batch_size=4)
    data, kernel = batch(), model.generator.to_image.kernel
    for step, steps_of in enumerate([(1, 0, 0), (1, 1, 1), (1, 2, 2)]):
        before = kernel.numpy()
        model.train_step(data, model.active_updates(step))
        assert (kernel.numpy() != before).all()
        assert tuple(int(o.iterations) for o in optimizers.values()) == steps_of


def test_the_pixel_loss_is_the_error_on_the_range_of_two():
    model, data = tiny(), batch()
    loss = model.pixel_loss(data, None)
    images = model.generator(data["low_res"], training=True)
    expected = np.mean((np.asarray(images) - data["image"]) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(loss.value, expected, rtol=1e-5)
    # In dB, it is what PSNR is on bytes.
    np.testing.assert_allclose(loss.logs["psnr"], np.mean(10 * np.log10(4 / expected)), rtol=1e-5)


def test_inputs_are_scaled_to_the_unit_range_and_targets_are_not():
    """An all-black image must reach the first convolution as zeros."""
    model = tiny()
    seen = []
    head = model.generator.head[0]
    model.generator.head[0] = lambda x: seen.append(np.asarray(x)) or head(x)
    model.generator(tf.stack([-tf.ones([8, 8, 3]), tf.ones([8, 8, 3])]))
    assert (seen[0][0] == 0).all() and (seen[0][1] == 1).all()


def test_the_weight_multiplies_the_adversarial_term_alone():
    data = batch()
    model = tiny(adversarial_weight=0.0)
    content = model.generator_loss(data, None)
    model.adversarial_weight = 1e-3
    both = model.generator_loss(data, None)
    adversarial = (both.value - content.value) / 1e-3
    np.testing.assert_allclose(np.mean(adversarial), both.logs["adversarial"], rtol=1e-3)
    np.testing.assert_allclose(np.mean(content.value), both.logs["content"], rtol=1e-5)


def test_even_surfaces_cost_their_variance_in_inference():
    model, data, random = tiny(), batch(16), Random(0, 0)
    without = model.generator_loss(data, random)
    model.flat_region_weight = 10.0
    loss = model.generator_loss(data, random)
    grey = random.uniform("grey", [16, 1, 1, 1], -1, 1).numpy()
    tint = random.uniform("tint", [16, 1, 1, 3], -0.25, 0.25).numpy()
    surfaces = np.tile(np.clip(grey + tint, -1, 1)[[0, 8]], (1, 8, 8, 1))
    inner = model.generator(surfaces, training=False).numpy()[:, 10:22, 10:22]
    expected = np.mean((inner - inner.mean(axis=(1, 2), keepdims=True)) ** 2)
    np.testing.assert_allclose(loss.logs["flat_region_variance"], expected, rtol=1e-5)
    np.testing.assert_allclose(loss.value - without.value, np.full(16, 10 * expected), rtol=1e-3)
    assert "flat_region_variance" not in without.logs


@pytest.mark.slow
def test_even_surfaces_become_even():
    model, adam, losses = tiny(), keras.optimizers.Adam(3e-3), []
    weights = model.generator.trainable_variables
    for step in range(24):
        with tf.GradientTape() as tape:
            losses.append(model._flat_region_variance(Random(0, step), 16))
        adam.apply(tape.gradient(losses[-1], weights), weights)
    assert np.mean(losses[-4:]) < 0.2 * np.mean(losses[:4])


def test_an_undecided_discriminator_costs_what_it_should():
    model, data = tiny(), batch()
    last = model.discriminator.layers[-1]
    last.kernel.assign(ops.zeros_like(last.kernel))
    loss = model.generator_loss(data, None)
    assert float(loss.logs["adversarial"]) == pytest.approx(np.log(2), rel=1e-5)
    judged = model.discriminator_loss(data | dict(loss.reuse), None)
    np.testing.assert_allclose(judged.value, np.full(4, 2 * np.log(2)), rtol=1e-5)


def test_the_discriminator_normalizes_photos_and_results_apart():
    model, data = tiny(), batch()
    fake = model.generator(data["low_res"], training=True)
    loss = model.discriminator_loss(data | {"fake": fake}, None)
    real_logits = model.discriminator(data["image"], training=True)
    np.testing.assert_allclose(loss.logs["real_logits"], np.mean(real_logits), rtol=1e-4)


def test_inference_uses_moving_averages():
    model, small = tiny(), batch(1)["low_res"]
    before = model(small)
    for _ in range(20):
        model.generator(batch(8)["low_res"] * 0.1 + 0.5, training=True)
    assert np.abs(np.asarray(model(small)) - before).max() > 1e-3
    np.testing.assert_array_equal(model(small), model(small))
    norms = [x for x in model.generator._flatten_layers() if "batch_norm" in x.name]
    assert {(norm.momentum, norm.epsilon) for norm in norms} == {(0.9, 1e-5)}


@pytest.mark.parametrize("scale", [2, 4, pytest.param(8, marks=pytest.mark.slow)])
def test_a_tile_sees_all_that_its_inside_depends_on(scale):
    """The gradients of what one pixel becomes reach exactly as far as `overlap`."""
    model = tiny(scale=scale, num_blocks=2)
    size = 2 * model.overlap + 5
    center = size // 2
    images = tf.Variable(tf.random.stateless_normal([1, size, size, 3], [0, 0]))
    reached = np.zeros(size, bool)
    for row in range(center * scale, (center + 1) * scale):
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(model.generator(images)[:, row, center * scale])
        reached |= np.abs(tape.gradient(value, images)[0]).max(axis=(1, 2)) > 0
    rows = np.flatnonzero(reached)
    assert [center - rows[0], rows[-1] - center] == 2 * [model.overlap]


@pytest.mark.parametrize("policy, atol", [("float32", 1e-5), ("mixed_bfloat16", 0.02)])
def test_tiles_make_what_the_whole_does(policy, atol):
    keras.mixed_precision.set_global_policy(policy)
    model = tiny(num_blocks=2)
    image = RANDOM.uniform(-1, 1, (70, 45, 3)).astype(np.float32)
    whole = model.convert(image)
    assert whole.shape == (280, 180, 3)
    for batch in (1, 2):
        found = model.convert(image, tile=48, batch=batch)
        np.testing.assert_allclose(found, whole, atol=atol)


def test_the_content_network_is_no_part_of_the_model(tmp_path, monkeypatch):
    class Features:
        def __init__(self, features, weights):
            self.network = keras.layers.Dense(1)
            self.network.build((None, 3))

    monkeypatch.setattr(srgan, "VGGLoss", Features)
    plain, perceptual = tiny(), tiny(content_loss="vgg22")
    assert len(plain.variables) == len(perceptual.variables)


@pytest.mark.slow
def test_the_content_network_is_compiled_and_on_every_replica(vgg, two_replicas):
    reference = step_of(vgg)
    moved = np.abs(reference["kernel"] - reference["start"]).max()
    for other in (step_of(vgg, jit=True), step_of(vgg, two_replicas)):
        assert other["generator/content"] == pytest.approx(reference["generator/content"], rel=1e-3)
        assert np.abs(other["kernel"] - reference["kernel"]).max() < 1e-2 * moved
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    rough = step_of(vgg)
    assert rough["generator/content"] == pytest.approx(reference["generator/content"], rel=0.05)


@pytest.fixture
def vgg(tmp_path):
    """Weights of VGG19 as far as block2_conv2, random."""
    arrays, random, before = {}, np.random.default_rng(1), 3
    for name, after in {"1_conv1": 64, "1_conv2": 64, "2_conv1": 128, "2_conv2": 128}.items():
        kernel = random.normal(0, (9 * before) ** -0.5, (3, 3, before, after))
        arrays |= {f"block{name}__kernel": kernel, f"block{name}__bias": np.zeros(after)}
        before = after
    np.savez(tmp_path / "vgg.npz", **arrays)
    return str(tmp_path / "vgg.npz")


def step_of(vgg, strategy=None, jit=False):
    """The logs of one step of the second stage, a kernel before it and after it.

    The halves of the batch are alike, so that replicas have the statistics of the whole.
    """
    strategy = strategy or tf.distribute.get_strategy()
    keras.utils.set_random_seed(0)
    half = batch(2, random=np.random.default_rng(2))
    examples = tf.data.Dataset.from_tensors({k: tf.concat([x, x], 0) for k, x in half.items()})
    with strategy.scope():
        model = tiny(content_loss="vgg22", vgg_weights=vgg, pretrain_images=0)
        optimizers = {player: keras.optimizers.SGD(1e-4) for player in model.players()}
        model.compile(optimizers, batch_size=4, jit=jit)
    kernel, content = model.generator.head[0].kernel, model.content.network.variables
    start, frozen = kernel.numpy(), [v.numpy() for v in content]
    model.make_train_function()
    batches = strategy.experimental_distribute_dataset(examples.unbatch().batch(4, True))
    logs = model.train_function(iter(batches))
    for before, variable in zip(frozen, content, strict=True):
        np.testing.assert_array_equal(before, variable)
    return {**{k: float(v) for k, v in logs.items()}, "start": start, "kernel": kernel.numpy()}


@pytest.mark.slow
def test_the_average_is_what_enlarges_and_what_is_saved(tmp_path):
    arguments = {**TINY, "pretrain_images": 0, "ema_half_life_images": 8}
    model = models.build("srgan", **arguments)
    model.compile({p: keras.optimizers.Adam(1e-2) for p in model.players()}, batch_size=4)
    weights = (model.generator.to_image.kernel, model.averaged_generator.to_image.kernel)
    expected, data = weights[0].numpy(), batch()
    np.testing.assert_array_equal(weights[1], expected)
    model.step.assign(1000)  # the half-life is a small part of the images seen
    for _ in range(2):
        model.train_step(data)
        decay = 0.5 ** (4 / 8)
        expected = decay * expected + (1.0 - decay) * weights[0].numpy()
        np.testing.assert_allclose(weights[1], expected, rtol=1e-5, atol=1e-7)
    models.save(model, "srgan", arguments, tmp_path)
    loaded, small = models.load(tmp_path), data["low_res"]
    np.testing.assert_array_equal(loaded(small), model(small))
    assert np.abs(model(small) - ops.clip(model.generator(small), -1.0, 1.0)).max() > 1e-4
    model = models.build("srgan", **arguments)
    models.start_from(model, tmp_path)
    for network in (model.generator, model.averaged_generator):
        np.testing.assert_allclose(ops.clip(network(small), -1.0, 1.0), loaded(small), atol=1e-6)


@pytest.mark.slow
def test_the_averaged_generator_has_the_moments_of_its_own_activations():
    model = tiny(pretrain_images=0, ema_half_life_images=8)
    model.compile({p: keras.optimizers.Adam(1e-2) for p in model.players()}, batch_size=4)
    model.step.assign(1000)
    average, data = model.averaged_generator, batch()
    convolve, norm, *_ = average.blocks[0].branch.layers
    expected = norm.moving_mean.numpy()
    for _ in range(2):
        model.train_step(data)
        x = (data["low_res"] + 1.0) / 2.0
        for layer in average.head:
            x = layer(x)
        expected = 0.9 * expected + 0.1 * np.mean(convolve(x), axis=(0, 1, 2))
    np.testing.assert_allclose(norm.moving_mean, expected, atol=1e-6)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"scale": 3}, "scale 3: SRGAN enlarges by 2, 4, 8"),
        ({"image_size": 40}, "image_size 40: .*a multiple of 16"),
        ({"content_loss": "vgg"}, "Unknown content_loss 'vgg'"),
        ({"content_loss": "vgg22", "vgg_weights": "absent.npz"}, "absent.npz cannot be read"),
    ],
)
def test_bad_arguments_are_told(changes, words):
    with pytest.raises(UserError, match=words):
        tiny(**changes)
