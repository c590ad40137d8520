import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.augment import ROTATION_BATCHES
from ganzoo.errors import UserError
from ganzoo.models.ssgan import ARCHITECTURES, COMPARE_GAN, MIMICRY, SSGAN, Discriminator
from ganzoo.seeds import Random

pytestmark = pytest.mark.usefixtures("eager")

COUNT = 8
RANDOM = Random(0, step=3, scope="test/")


def build(**kwargs):
    return models.build("ssgan", **(SSGAN.TINY | kwargs))


def batch_for(model):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (COUNT, 32, 32, 3)).astype(np.float32)
    labels = np.arange(COUNT, dtype=np.int32) % max(model.num_classes, 1)
    return {"image": tf.constant(images), "label": tf.constant(labels)}


def watch(model, change=lambda logits, rotations: (logits, rotations)):
    """Records the images and labels that the discriminator gets, and may change its answers."""
    calls, original = [], model.discriminator.call

    def call(images, labels):
        calls.append((images.numpy(), labels.numpy()))
        return change(*original(images, labels))

    model.discriminator.call = call
    return calls


def same_value(loss_of, model, change):
    """Whether a loss keeps its value when the discriminator's answers are changed."""
    vectors = [(layer.u, layer.u.numpy()) for layer in spectral_layers(model)]
    values = []
    for way in (lambda *answers: answers, change):
        for u, start in vectors:
            u.assign(start)
        watch(model, way)
        values.append(loss_of(batch_for(model), RANDOM).value.numpy())
        del model.discriminator.call
    return np.array_equal(*values)


def spectral_layers(model):
    return [layer for layer in model.discriminator._flatten_layers() if hasattr(layer, "u")]


def shifted(answers, rows):
    """The answers, with those of some rows moved, differently in each column."""
    shift = np.zeros(answers.shape, np.float32)
    shift[rows] = 1.0 + np.arange(answers.shape[1])
    return answers + shift


# Networks.


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments, generator, discriminator",
    [
        ({}, 5_849_603, 1_483_137 + 516),  # 516 of the rotation head
        ({"self_modulation": True, "discriminator_width": 8}, 5_993_187, None),
        ({"architecture": "mimicry"}, 4_276_739, 1_053_825 + 516),
        ({"architecture": "mimicry", "image_size": 48}, 4_878_083, 10_145_541),
        ({"architecture": "mimicry", "image_size": 64}, 12_220_675, 10_145_541),
        ({"architecture": "mimicry", "image_size": 128}, 32_150_787, 29_021_957),
    ],
    ids=str,
)
def test_parameter_counts_are_the_published_ones(arguments, generator, discriminator):
    def count(network):
        return sum(int(np.prod(v.shape)) for v in network.trainable_variables)

    size = arguments.get("image_size", 32)
    with tf.Graph().as_default():  # allocates nothing
        model = models.build("ssgan", **arguments)
        assert model.generator(np.zeros((1, 128), np.float32)).shape == (1, size, size, 3)
    assert count(model.generator) == generator
    assert discriminator in (None, count(model.discriminator))


@pytest.mark.parametrize("image_size", [48, 128])
def test_images_may_be_gray(image_size):
    model = build(image_size=image_size, channels=1)
    images = model.generator(np.zeros((2, 128), np.float32))
    assert images.shape == (2, image_size, image_size, 1)
    assert [answer.shape for answer in model.discriminator(images)] == [(2, 1), (2, 4)]


@pytest.mark.parametrize("architecture", ["compare_gan", "mimicry"])
def test_kernels_start_as_published(architecture):
    model = models.build(
        "ssgan", architecture=architecture, generator_width=64, discriminator_width=64
    )
    for variable in [v for part in (model.generator, model.discriminator) for v in part.variables]:
        *_, layer, name = variable.path.split("/")
        if name == "kernel":
            fans = np.prod(variable.shape[:-2]) * sum(variable.shape[-2:])
            xavier = (2.0**0.5 if layer in ("conv1", "conv2") else 1.0) * (2.0 / fans) ** 0.5
            expected = 0.02 if architecture == "compare_gan" else xavier
            tolerance = 5 / np.prod(variable.shape) ** 0.5
            assert np.std(variable) == pytest.approx(expected, rel=tolerance), variable.path
        if name == "bias":
            assert not np.any(variable)


def test_sums_over_the_last_map_are_its_size_times_the_means():
    features = []
    for pool in (MIMICRY.pool, COMPARE_GAN.pool):
        keras.utils.set_random_seed(0)
        size = MIMICRY.sizes[32]._replace(discriminator=(8, 8, 8, 8))
        network = Discriminator(size, 3, 0, MIMICRY._replace(pool=pool))
        features.append(network.features(batch_for(network)["image"]).numpy())
    np.testing.assert_allclose(features[0], 64 * features[1], rtol=1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_dark_images_are_told_apart(architecture):
    """A residual branch that starts with a ReLU is blind to inputs below zero."""
    model = build(architecture=architecture)
    block = model.discriminator.blocks[0]
    block._shortcut = lambda x: 0.0
    features = model.discriminator.features(-np.abs(batch_for(model)["image"])).numpy()
    assert not np.allclose(features[0], features[1], rtol=1e-3)


def test_labels_reach_both_networks():
    model = build(num_classes=3)
    rng = np.random.default_rng(1)
    for variable in model.generator.trainable_variables:
        variable.assign_add(0.1 * rng.normal(size=variable.shape))
    latents = np.ones((2, 128), np.float32)
    images = model.generator(latents, np.array([0, 2]))
    assert not np.allclose(images[0], images[1], atol=1e-3)
    same = tf.stack([images[0], images[0]])
    logits, rotations = model.discriminator(same, np.array([0, 2]))
    assert abs(logits[0] - logits[1]) > 1e-6
    np.testing.assert_allclose(rotations[0], rotations[1], atol=1e-6)


def test_all_of_the_discriminator_is_spectrally_normalized_and_nothing_else():
    model = build()
    kernels, vectors = (
        [v.path for v in model.discriminator.variables if v.name == name]
        for name in ("kernel", "u")
    )
    assert len(kernels) == len(vectors) == 3 * 4 + 2
    assert not [v.path for v in model.generator.variables if v.name == "u"]


# Losses.


def log_softmax(logits):
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def softplus(x):
    return np.log1p(np.exp(x))


NUMPY = {
    "hinge": (lambda r, f: np.maximum(0, 1 - r) + np.maximum(0, 1 + f), lambda f: -f),
    "non_saturating": (lambda r, f: softplus(-r) + softplus(f), lambda f: softplus(-f)),
}


def turned(images, labels, rotation_batch):
    """Rotated images, their labels and their turns, by NumPy."""
    count = len(images)
    if rotation_batch == "quarter":
        chosen, turns = [*range(3, count, 4)] * 4, np.repeat(range(4), count // 4)
    else:
        chosen = sorted(range(count), key=lambda index: index % 4)
        turns = np.array(chosen) % 4
    rotated = [np.rot90(images[index], turn) for index, turn in zip(chosen, turns, strict=True)]
    return np.stack(rotated), labels[chosen], turns


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        *(
            pytest.param(arguments, marks=pytest.mark.slow)
            for arguments in (
                {"loss": "non_saturating", "rotation_batch": "split", "architecture": "mimicry"},
                {
                    "num_classes": 3,
                    "generator_rotation_weight": 0.7,
                    "discriminator_rotation_weight": 0.3,
                },
                {"self_modulation": True, "rotation_batch": "split"},
            )
        ),
    ],
    ids=str,
)
def test_losses_by_numpy(arguments):
    """Recomputed with one call of the discriminator for each part of the batch."""
    model = build(**arguments)
    examples = batch_for(model)
    real, real_labels = examples["image"].numpy(), examples["label"].numpy()
    labels = RANDOM.integers("labels", [COUNT], max(model.num_classes, 1)).numpy()
    fake = model.generator(RANDOM.normal("latents", [COUNT, 128]), labels, training=True).numpy()

    def judge(images, labels):
        logits, rotations = model.discriminator(images, labels)
        return logits.numpy()[:, 0], rotations.numpy()

    def rotation(images, labels):
        rotated, labels, turns = turned(images, labels, arguments.get("rotation_batch", "quarter"))
        answers = judge(rotated, labels)[1]
        return -log_softmax(answers)[np.arange(len(turns)), turns].mean()

    discriminator, generator = NUMPY[arguments.get("loss", "hinge")]
    logits = judge(real, real_labels)[0], judge(fake, labels)[0]
    beta = arguments.get("discriminator_rotation_weight", 1.0)
    alpha = arguments.get("generator_rotation_weight", 0.2)
    expected_d = discriminator(*logits) + beta * rotation(real, real_labels)
    expected_g = generator(logits[1]) + alpha * rotation(fake, labels)

    vectors = [layer.u.numpy() for layer in spectral_layers(model)]
    loss = model.discriminator_loss(examples, RANDOM)
    np.testing.assert_allclose(loss.value, expected_d, rtol=1e-4, atol=1e-5)
    for layer, u in zip(spectral_layers(model), vectors, strict=True):
        assert np.any(layer.u.numpy() != u)  # one power iteration, after the loss
        layer.u.assign(u)
    loss = model.generator_loss(examples, RANDOM)
    np.testing.assert_allclose(loss.value, expected_g, rtol=1e-4, atol=1e-5)


def test_undecided_rotations_cost_the_logarithm_of_four():
    model = build()
    watch(model, lambda logits, rotations: (logits, 0.0 * rotations))
    for loss_of, contribution in [
        (model.discriminator_loss, 1.386294),
        (model.generator_loss, 0.277259),
    ]:
        loss = loss_of(batch_for(model), RANDOM)
        assert float(loss.logs["rotation"]) == pytest.approx(1.386294, abs=1e-6)
        added = np.mean(loss.value) - float(loss.logs["adversarial"])
        assert added == pytest.approx(contribution, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("rotation_batch", ROTATION_BATCHES)
def test_each_task_reads_the_answers_to_its_own_images(rotation_batch):
    """Upright images decide the game, rotated ones the rotation loss."""
    model = build(rotation_batch=rotation_batch)
    upright, rotated = slice(None, COUNT), slice(COUNT, 2 * COUNT)
    fakes = slice(-COUNT, None)

    def same(loss_of, head, rows):
        def change(logits, rotations):
            answers = [logits, rotations]
            answers[head] = shifted(answers[head], rows)
            return answers

        return same_value(loss_of, model, change)

    game, rotation = 0, 1
    assert same(model.discriminator_loss, rotation, fakes)
    assert same(model.discriminator_loss, rotation, upright)
    assert not same(model.discriminator_loss, rotation, rotated)
    assert same(model.discriminator_loss, game, rotated)
    assert not same(model.discriminator_loss, game, fakes)
    assert same(model.generator_loss, rotation, upright)
    assert not same(model.generator_loss, rotation, rotated)
    assert same(model.generator_loss, game, rotated)
    assert not same(model.generator_loss, game, upright)


def gradients(target, variables, tape):
    return [g for g in tape.gradient(target, [v.value for v in variables]) if g is not None]


@pytest.mark.slow
def test_each_player_meets_its_own_rotation_loss_only():
    model = build()
    examples = batch_for(model)
    real = examples["image"]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(real)
        by_discriminator = model.discriminator_loss(examples, RANDOM).logs["rotation"]
        generator_loss = model.generator_loss(examples, RANDOM)
    weights = model.generator.trainable_variables
    assert not any(np.any(g) for g in gradients(by_discriminator, weights, tape))
    assert tape.gradient(by_discriminator, real) is not None
    assert tape.gradient(generator_loss.value, real) is None
    pull = gradients(generator_loss.logs["rotation"], weights, tape)
    assert len(pull) == len(weights)
    assert any(np.any(g) for g in pull)


@pytest.mark.parametrize("rotation_batch", ROTATION_BATCHES)
def test_rotated_images_keep_their_labels(rotation_batch):
    model = build(num_classes=3, rotation_batch=rotation_batch)
    examples = batch_for(model)
    calls = watch(model)
    model.discriminator_loss(examples, RANDOM)
    model.generator_loss(examples, RANDOM)
    (images, labels), (fake_images, fake_labels) = calls

    drawn = RANDOM.integers("labels", [COUNT], 3).numpy()
    real, real_labels = examples["image"].numpy(), examples["label"].numpy()
    rotated, rotated_labels, _ = turned(real, real_labels, rotation_batch)
    np.testing.assert_array_equal(labels, np.concatenate([real_labels, rotated_labels, drawn]))
    np.testing.assert_array_equal(images[: 2 * COUNT], np.concatenate([real, rotated]))

    rotated, rotated_labels, _ = turned(fake_images[:COUNT], drawn, rotation_batch)
    np.testing.assert_array_equal(fake_labels, np.concatenate([drawn, rotated_labels]))
    np.testing.assert_array_equal(fake_images[COUNT:], rotated)
    assert len(set(drawn)) == 3


def test_the_generator_follows_the_last_of_several_discriminator_steps():
    model = SSGAN(**SSGAN.TINY, discriminator_steps=3)
    players = [[u.player for u in model.updates() if u.is_active(step, 0)] for step in range(6)]
    assert players == [["discriminator"], ["discriminator"], ["discriminator", "generator"]] * 2


# Mistakes.


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"architecture": "mimicri"}, "Unknown architecture 'mimicri'. Did you mean mimicry?"),
        ({"loss": "hing"}, "Unknown loss 'hing'. Did you mean hinge?"),
        ({"image_size": 65}, "image_size 65: compare_gan has networks for 32, 48, 64, 128 pixels"),
        (
            {"rotation_batch": "quarters"},
            "Unknown rotation_batch 'quarters'. Did you mean quarter?",
        ),
        ({"num_classes": 3, "self_modulation": True}, "exclude each other"),
        ({"latent_dims": 3}, "Unknown argument of ssgan 'latent_dims'. Did you mean latent_dim?"),
    ],
    ids=str,
)
def test_mistakes_name_what_was_meant(arguments, message):
    with pytest.raises(UserError, match=message):
        models.build("ssgan", **arguments)


@pytest.mark.slow
def test_the_averaged_generator_has_the_moments_of_its_own_activations():
    model = build(ema_half_life_images=8, discriminator_steps=1)
    optimizers = {player: keras.optimizers.Adam(1e-2) for player in model.players()}
    model.compile(optimizers, batch_size=COUNT)
    model.step.assign(1000)  # little is left of the past
    norm, average = model.averaged_generator.blocks[0].norm1, model.averaged_generator
    expected = {"mean": norm.moving_mean.numpy(), "variance": norm.moving_variance.numpy()}
    for step in range(1000, 1003):
        model.train_step(batch_for(model))
        random = Random(0, step, scope="average/")
        stem = average.stem(random.normal("latents", [COUNT, model.latent_dim])).numpy()
        stem = stem.reshape(-1, norm.moving_mean.shape[0])
        expected["mean"] = 0.9 * expected["mean"] + 0.1 * stem.mean(axis=0)
        expected["variance"] = 0.9 * expected["variance"] + 0.1 * stem.var(axis=0)
    np.testing.assert_allclose(norm.moving_mean, expected["mean"], atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, expected["variance"], rtol=1e-5)
    of_source = model.generator.blocks[0].norm1
    assert np.abs(norm.moving_variance - of_source.moving_variance).max() > 1e-3
