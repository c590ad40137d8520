import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models, styles
from ganzoo.errors import UserError
from ganzoo.seeds import Random

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def model():
    tiny = models.model_class("stylegan2_ada").TINY
    model = models.build("stylegan2_ada", **tiny, num_classes=3)
    for block in model.averaged_generator.synthesis.blocks:
        for layer in block.convolutions:
            layer.noise_strength.assign(0.5)
    model.averaged_generator.mean_style.assign(np.linspace(-1, 1, 16))
    return model


def test_mixed_styles_come_from_rows_and_columns():
    rows, columns = tf.zeros([2, 4, 1]), tf.ones([3, 4, 1])
    sheet = np.asarray(styles.mixed(rows, columns, [0, 3]))
    assert sheet.shape == (6, 4, 1)
    np.testing.assert_array_equal(sheet[..., 0], [[1, 0, 0, 1]] * 6)
    rows = tf.reshape(tf.range(2.0), [2, 1, 1]) + rows
    np.testing.assert_array_equal(styles.mixed(rows, columns, [0])[:, 1, 0], [0, 0, 0, 1, 1, 1])


def test_a_walk_is_closed_and_passes_its_points():
    points = tf.constant([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]])
    for spherical in (True, False):
        way = np.asarray(styles.walk(points, 4, spherical))
        assert way.shape == (12, 2)
        np.testing.assert_allclose(way[::4], points, atol=1e-6)
    middle = np.asarray(styles.walk(points, 2, spherical=True))[1]
    np.testing.assert_allclose(middle, 1.5 * np.sqrt(0.5) * np.ones(2), atol=1e-6)
    np.testing.assert_allclose(np.asarray(styles.walk(points, 2, False))[1], [0.5, 1], atol=1e-6)


def test_a_walk_between_equal_points_stays():
    points = tf.ones([2, 3])
    np.testing.assert_allclose(styles.walk(points, 3, True), np.ones([6, 3]), atol=1e-6)


def test_truncation_draws_the_coarse_layers_to_the_mean(model):
    latents = model.latents_of([1, 2])
    full = np.asarray(model.styles(latents, [0, 1]))
    mean = np.asarray(model.averaged_generator.mean_style)
    cut = np.asarray(model.styles(latents, [0, 1], truncation=0.5, cutoff=2))
    np.testing.assert_allclose(cut[:, :2], (full[:, :2] + mean) / 2, atol=1e-6)
    np.testing.assert_array_equal(cut[:, 2:], full[:, 2:])
    gone = np.asarray(model.styles(latents, [0, 1], truncation=0.0))
    np.testing.assert_allclose(gone, np.broadcast_to(mean, gone.shape), atol=1e-6)


def test_noise_modes(model):
    latents = model.latents_of([1, 1])
    const, none, random = (
        model.decode(latents, [0, 0], noise=mode) for mode in ("const", "none", "random")
    )
    np.testing.assert_allclose(const[0], const[1], atol=1e-6)
    assert abs(const - none).max() > 1e-3
    assert abs(random[0] - random[1]).max() > 1e-3
    np.testing.assert_array_equal(random, model.decode(latents, [0, 0], noise="random"))
    other = model.decode(latents, [0, 0], seed=1, noise="random")
    assert abs(random - other).max() > 1e-3
    with pytest.raises(UserError, match="Unknown noise 'pink'"):
        model.decode(latents, [0, 0], noise="pink")


@pytest.mark.parametrize(
    "options, words",
    [
        ({"truncation": float("nan")}, "truncation = nan; expected a finite number"),
        ({"truncation": float("inf")}, "truncation = inf; expected a finite number"),
        ({"cutoff": 99}, "cutoff = 99: the model has 6 layers"),
        ({"cutoff": -1}, "cutoff = -1: the model has 6 layers"),
    ],
)
def test_options_that_cannot_be_right_are_told(model, options, words):
    with pytest.raises(UserError, match=words):
        model.generate(1, label=0, **options)
    with pytest.raises(UserError, match=words):
        model.styles(model.latents_of([1]), [0], **options)


def test_labels_and_options_are_checked(model):
    with pytest.raises(UserError, match="label 3: the model has classes 0 to 2"):
        model.generate(1, label=3)
    with pytest.raises(UserError, match="Did you mean truncation"):
        model.generate(1, truncatoin=0.5)
    ssgan = models.build("ssgan", **models.model_class("ssgan").TINY)
    with pytest.raises(UserError, match="class 0: the model has no classes; leave it out"):
        ssgan.generate(1, label=0)
    with pytest.raises(UserError, match="Unknown option of SSGAN 'truncation'"):
        ssgan.generate(1, truncation=0.5)


def test_the_image_of_a_seed_is_the_first_that_it_draws(model):
    images = model.decode(model.latents_of([4, 9]), [1, 1])
    for seed, image in zip([4, 9], images, strict=True):
        np.testing.assert_allclose(model.generate(3, seed, label=1)[0], image, atol=1e-5)


def test_the_image_of_a_seed_is_of_the_class_that_it_draws(model):
    seeds = [4, 9, 10, 11]
    labels = model.labels_of(seeds)
    assert len(set(np.asarray(labels))) > 1
    images = model.decode(model.latents_of(seeds), labels)
    for seed, image in zip(seeds, images, strict=True):
        np.testing.assert_allclose(model.generate(2, seed)[0], image, atol=1e-5)


def test_random_noise_of_styles_never_repeats_and_is_that_of_the_seed(model, monkeypatch):
    monkeypatch.setattr(styles, "BATCH_SIZE", 2)
    latents, labels = model.latents_of([1] * 4), [2] * 4
    same = model.styles(latents, labels)
    images = styles.images_of(model, same, "random", seed=3)
    assert all(abs(images[0] - other).max() > 1e-3 for other in images[1:])
    np.testing.assert_array_equal(images, styles.images_of(model, same, "random", seed=3))
    drawn = model.decode(latents[:2], labels[:2], seed=3, noise="random")
    np.testing.assert_allclose(images[:2], drawn, atol=1e-5)
    const = styles.images_of(model, same)
    np.testing.assert_allclose(const, model.decode(latents, labels), atol=1e-5)


def test_other_seeds_and_numbers_need_no_other_graph(model):
    tf.config.run_functions_eagerly(False)  # only for this: the file's other tests compile nothing
    images = [model.generate(1, seed, label=0, noise="random") for seed in range(3)]
    few = model.generate(2, 1, label=0, noise="random")  # nor do other numbers of images
    np.testing.assert_allclose(few[:1], images[1], atol=1e-5)
    found = model.styles(model.latents_of([1]), [0])
    images += [styles.images_of(model, found, "random", seed) for seed in range(3)]
    styles.images_of(model, tf.repeat(found, 2, axis=0), "random")
    assert all(abs(a - b).max() > 1e-3 for a, b in itertools.pairwise(images))
    for _, function in model._inference.values():
        assert function.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_seeds_out_of_range_are_told(model, seed):
    with pytest.raises(UserError, match="expected an integer from 0 to"):
        model.generate(1, seed)
    with pytest.raises(UserError, match="expected an integer from 0 to"):
        styles.images_of(model, model.styles(model.latents_of([1]), [0]), "random", seed)


def test_another_default_precision_draws(model):
    """keras.json may ask for it on behalf of another project."""
    keras.config.set_floatx("float16")
    try:
        assert np.isfinite(model.generate(1, label=0, truncation=0.5)).all()
    finally:
        keras.config.set_floatx("float32")


def test_projection_starts_from_the_mean_of_the_class(model):
    def start(label):
        """The first step has a rate of 0."""
        target, distance = tf.zeros([1, 16, 16, 3]), keras.losses.mean_squared_error
        return np.asarray(styles.project(model, target, distance, steps=1, label=label))[0, 0]

    labels = tf.fill([styles.NUM_STYLES], 2)
    latents = model.draw_latents(Random(0, step=0, scope="project/"), styles.NUM_STYLES)
    mean = np.asarray(model.styles(latents, labels))[:, 0].mean(axis=0)
    np.testing.assert_allclose(start(2), mean, atol=1e-4)
    assert abs(start(0) - mean).max() > 1e-2
    with pytest.raises(UserError, match="label 3: the model has classes 0 to 2"):
        start(3)


@pytest.mark.slow
def test_projection_finds_an_image_of_the_model(model):
    style = model.styles(model.latents_of([5]), [0], truncation=0.5)
    target = model.synthesize(style)
    distances = []
    found = styles.project(
        model,
        target,
        lambda images, targets: tf.reduce_mean(tf.square(images - targets), axis=[1, 2, 3]),
        steps=60,
        on_step=lambda step, distance: distances.append(distance),
    )
    assert found.shape == style.shape and len(distances) == 60
    mean = model.synthesize(model.styles(model.latents_of([5]), [0], truncation=0.0))
    start = float(tf.reduce_mean(tf.square(mean - target)))
    assert float(tf.reduce_mean(tf.square(model.synthesize(found) - target))) < 0.2 * start
