import math

import numpy as np
import pytest
import tensorflow as tf

from ganzoo import models
from ganzoo.augment import PIPES, AugmentPipe, DiffAugment, Rotation, Strength
from ganzoo.augment.warp import band_filters
from ganzoo.errors import UserError
from ganzoo.seeds import Random
from tests.augment.derivatives import assert_second_derivatives
from tests.models.goldens import assert_golden, hashed, inputs

ALL = PIPES["bgcfnc"]
STRETCH = 2.0**0.0953873
# Of single transforms, made by NVlabs/stylegan2-ada-pytorch: the sum of a wave's pixels, the sum of
# their absolute values, and the pixel at y = 3, x = 5.
SINGLE = [
    ("xflip", 1, 98.695601, 323.749502, (0.344038, 0.544875, 0.703655)),
    ("rotate90", 1, 98.695565, 323.749500, (0.038519, 0.016754, -0.022984)),
    ("rotate90", 2, 98.926642, 324.132929, (0.780841, 0.842148, 0.849547)),
    ("rotate90", 3, 95.401872, 323.260341, (0.552628, 0.359961, 0.136240)),
    ("xint", (0.125, 0.125), 181.328352, 344.616116, (0.870396, 0.815400, 0.711192)),
    ("scale", STRETCH, 89.872898, 320.001496, (-0.259009, -0.279924, -0.272703)),
    ("rotate_pre", math.pi / 4, 39.307627, 295.253290, (0.104825, 0.343857, 0.563599)),
    ("aniso", STRETCH, 121.820839, 326.034116, (-0.113087, -0.139758, -0.143880)),
    ("xfrac", (0.0596170, 0.0596170), 145.212985, 334.114705, (0.411420, 0.343963, 0.262552)),
    ("brightness", 0.0953873, 168.428224, 344.816191, (-0.044636, -0.076792, -0.086953)),
    ("contrast", 1.179739, 112.276746, 380.923046, (-0.165191, -0.203127, -0.215114)),
    ("lumaflip", 1, -95.170795, 322.938522, (0.189672, 0.157516, 0.147355)),
    ("hue", math.pi / 2, 95.170798, 322.909940, (-0.170714, -0.140416, -0.183413)),
    ("saturation", 1.391785, 95.170807, 328.356676, (-0.130297, -0.175052, -0.189194)),
    ("cutout", (0.25, 0.25), 89.924789, 240.860674, (0, 0, 0)),
]
# Of single bands multiplied by 1.391785, with the pixel at y = 10, x = 20 of a larger wave.
BANDS = [
    (131.610921, 4226.579354, (0.523461, 0.435638, 0.310700)),
    (167.325335, 5794.351971, (0.738308, 0.621921, 0.452618)),
    (144.963799, 5101.148367, (0.666243, 0.567957, 0.421060)),
    (137.223781, 4699.876750, (0.601774, 0.508085, 0.371037)),
]


def wave(size):
    c, y, x = np.meshgrid(np.arange(3), np.arange(size), np.arange(size), indexing="ij")
    image = 0.5 * (np.sin(0.7 * x + 0.3 * c) + np.cos(0.5 * y - 0.2 * c))
    return image.transpose(1, 2, 0)[None].astype(np.float32)


def assert_like(image, total, absolute, at, pixel):
    image = np.asarray(image, np.float64)
    assert image.sum() == pytest.approx(total, abs=1e-3)
    assert abs(image).sum() == pytest.approx(absolute, abs=2e-3)
    np.testing.assert_allclose(image[0][at], pixel, atol=2e-6)


@pytest.mark.parametrize("name, value, total, absolute, pixel", SINGLE)
def test_a_single_transform_is_the_official_one(name, value, total, absolute, pixel):
    image = AugmentPipe("bgcfnc")(wave(16), draws={name: np.float32([value])})
    assert_like(image, total, absolute, (3, 5), pixel)


@pytest.mark.parametrize("band", range(4))
def test_a_single_band_is_the_official_one(band):
    factors = np.ones([1, 4], np.float32)
    factors[0, band] = 1.391785
    image = AugmentPipe("filter")(wave(64), draws={"imgfilter": factors})
    assert_like(image, *BANDS[band][:2], (10, 20), BANDS[band][2])


def test_bands_add_up_to_the_identity():
    assert band_filters().shape == (4, 43)
    np.testing.assert_allclose(band_filters().sum(0), np.eye(43)[21], atol=1e-12)
    np.testing.assert_allclose(band_filters().sum(1), [1, 0, 0, 0], atol=1e-12)


def official_draws(count, size, channels):
    """What the recorded run drew: each transform asks for its values, then for its gates."""
    calls = iter(range(99))

    def uniform(*shape):
        return hashed(f"draw{next(calls)}", (count, *shape))

    def normal(*shape):
        return 3.0**0.5 * (2.0 * uniform(*shape) - 1.0)

    def gated(values):
        next(calls)
        return values

    def angles():
        return gated(math.pi * (2 * uniform() - 1))

    draws = {
        "xflip": gated(np.floor(2 * uniform())),
        "rotate90": gated(np.floor(4 * uniform())),
        "xint": gated(0.125 * (2 * uniform(2) - 1)),
        "scale": gated(2 ** (0.2 * normal())),
        "rotate_pre": angles(),
        "aniso": gated(2 ** (0.2 * normal())),
        "rotate_post": angles(),
        "xfrac": gated(0.125 * normal(2)),
        "brightness": gated(0.2 * normal()),
        "contrast": gated(2 ** (0.5 * normal())),
        "lumaflip": gated(np.floor(2 * uniform())),
    }
    if channels == 3:
        draws |= {"hue": angles(), "saturation": gated(2 ** normal())}
    draws["imgfilter"] = np.stack([gated(2 ** normal()) for _ in range(4)], axis=1)
    draws["noise"] = gated(abs(0.1 * normal()))
    draws["noise_field"] = normal(channels, size, size).transpose(0, 2, 3, 1)
    next(calls)  # here the gates come first
    draws["cutout"] = uniform(2)
    return {name: values.astype(np.float32) for name, values in draws.items()}


@pytest.mark.parametrize("kind, count, channels, size", [("rgb", 3, 3, 32), ("grey", 2, 1, 24)])
def test_all_transforms_together_are_the_official_pipeline(kind, count, channels, size):
    shape = (count, channels, size, size)
    images = tf.constant(inputs(shape).transpose(0, 2, 3, 1), tf.float32)
    weights = hashed("weights", shape).transpose(0, 2, 3, 1)
    draws = official_draws(count, size, channels)
    with tf.GradientTape() as tape:
        tape.watch(images)
        result = AugmentPipe("bgcfnc")(images, draws=draws)
        total = tf.reduce_sum(result * weights)
    assert_golden("augment", kind, np.transpose(result, (0, 3, 1, 2)))
    gradient = tape.gradient(total, images)
    assert_golden("augment", f"{kind}.gradient", np.transpose(gradient, (0, 3, 1, 2)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("pipe", PIPES)
def test_at_strength_0_images_stay(pipe, channels):
    images = np.random.default_rng(0).normal(size=(2, 32, 32, channels)).astype(np.float32)
    result = AugmentPipe(pipe, strength=Strength(0.0))(images, random=Random(0, 0))
    np.testing.assert_allclose(result, images, atol=5e-6)


def draws_of(strength, pipe="bgcfnc", count=20_000, channels=3):
    images = tf.zeros([count, 1, 1, channels])
    draws = AugmentPipe(pipe, strength=Strength(strength)).draw(Random(3, 5), images)
    return {name: np.asarray(values, np.float64) for name, values in draws.items()}


def test_values_have_the_published_distributions():
    draws = draws_of(1.0)
    assert set(draws) == {*ALL, "noise_field"}

    def about(values, mean, std):
        error = 5 / math.sqrt(len(values))
        assert values.mean() == pytest.approx(mean, abs=error * std)
        assert values.std() == pytest.approx(std, rel=error)

    for name, high in [("xflip", 2), ("rotate90", 4), ("lumaflip", 2)]:
        np.testing.assert_array_equal(np.unique(draws[name]), range(high))
        about(draws[name], (high - 1) / 2, math.sqrt((high**2 - 1) / 12))
    for name, width in [("rotate_pre", math.pi), ("rotate_post", math.pi), ("hue", math.pi)]:
        about(draws[name], 0, width / math.sqrt(3))
        assert abs(draws[name]).max() < width
    about(draws["xint"].ravel(), 0, 0.125 / math.sqrt(3))
    about(draws["xfrac"].ravel(), 0, 0.125)
    about(draws["brightness"], 0, 0.2)
    for name, std in [("scale", 0.2), ("aniso", 0.2), ("contrast", 0.5), ("saturation", 1)]:
        about(np.log2(draws[name]), 0, std)
    about(np.log2(draws["imgfilter"]).ravel(), 0, 1)
    about(draws["noise"], 0.1 * math.sqrt(2 / math.pi), 0.1 * math.sqrt(1 - 2 / math.pi))
    about(draws["cutout"].ravel(), 0.5, 1 / math.sqrt(12))


def test_no_two_values_go_together():
    draws = draws_of(1.0)
    columns = np.column_stack([v.reshape(len(v), -1) for v in draws.values()])
    correlation = np.corrcoef(columns, rowvar=False)
    assert abs(correlation - np.eye(len(correlation))).max() < 5 / math.sqrt(len(columns))


def test_each_transform_happens_with_the_probability():
    draws = draws_of(0.3)
    changed = {
        "xint": draws["xint"][:, 0] != 0,
        "scale": draws["scale"] != 1,
        "rotate": (draws["rotate_pre"] != 0) | (draws["rotate_post"] != 0),
        "rotate90": draws["rotate90"] != 0,
        "lumaflip": draws["lumaflip"] != 0,
        "band": draws["imgfilter"][:, 2] != 1,
        "noise": draws["noise"] != 0,
        "cutout": draws["cutout"][:, 1] >= 0,
    }
    expected = dict.fromkeys(changed, 0.3) | {"rotate90": 0.3 * 3 / 4, "lumaflip": 0.3 / 2}
    for name, happened in changed.items():
        assert happened.mean() == pytest.approx(expected[name], abs=0.02), name
    # What happens to one image by one transform says nothing about another.
    both = changed["scale"] & changed["noise"]
    assert both.mean() == pytest.approx(0.09, abs=0.02)


def test_colors_of_r3gan_change_half_as_often():
    draws = draws_of(0.6, "r3gan")
    assert set(draws) == {*PIPES["bgc"], "cutout"}
    rates = {"scale": 0.6, "contrast": 0.3, "hue": 0.3}
    for name, rate in rates.items():
        assert (draws[name] != (name != "hue")).mean() == pytest.approx(rate, abs=0.02), name
    assert (draws["cutout"][:, 0] >= 0).mean() == pytest.approx(0.6, abs=0.02)


def test_upright_images_stay_the_most_frequent_ones():
    """Else a generator could not tell them from augmented ones, and would leak (section 2.2)."""
    turns = draws_of(0.8, "blit")["rotate90"]
    counts = np.bincount(turns.astype(int))
    assert counts[0] > 1.5 * counts[1:].max()


def test_a_plain_image_stays_plain_under_all_moves():
    """Nothing but the image itself, no border, is seen."""
    images = np.full([8, 16, 16, 3], 0.7, np.float32)
    draws = draws_of(1.0, "bg", count=8)
    draws["scale"] = np.maximum(draws["scale"], 0.9)  # less shows the end of the mirrored images
    np.testing.assert_allclose(AugmentPipe("bg")(images, draws=draws), images, atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", *ALL])
def test_second_derivatives_under_xla(name):
    """As R1 and path length penalties take them; against finite differences of the first: of all
    transforms together, and of each."""
    rng = np.random.default_rng(1)
    images, direction = (rng.normal(size=(2, 24, 24, 3)).astype(np.float32) for _ in range(2))
    pipe = AugmentPipe("bgcfnc")
    draws = {k: v for k, v in official_draws(2, 24, 3).items() if k.startswith(name)}

    def energy(images):
        return tf.reduce_sum(tf.sin(2.0 * pipe(images, draws=draws)))

    assert_second_derivatives(energy, images, direction, tolerance=2e-2)


def test_two_replicas_see_what_one_sees():
    images = np.random.default_rng(2).normal(size=(4, 24, 24, 3)).astype(np.float32)
    pipe = AugmentPipe("bgcfnc", strength=Strength(0.7))
    whole = pipe(images, random=Random(1, 2))
    halves = [pipe(images[2 * i : 2 * i + 2], random=Random(1, 2, i, 2)) for i in (0, 1)]
    np.testing.assert_allclose(whole, np.concatenate(halves), atol=1e-5)
    assert abs(whole.numpy() - images).max() > 0.1


def test_half_precision_is_worked_on_in_full():
    images = tf.cast(wave(24), tf.bfloat16)
    draws = official_draws(1, 24, 3)
    result = AugmentPipe("bgcfnc")(images, draws=draws)
    assert result.dtype == tf.float32
    exact = AugmentPipe("bgcfnc")(tf.cast(images, tf.float32), draws=draws)
    np.testing.assert_array_equal(result, exact)


def test_too_small_images_are_refused():
    with pytest.raises(UserError, match="Images of 16 pixels a side are too small"):
        AugmentPipe("filter")(wave(16), random=Random(0, 0))


def test_a_model_of_too_small_images_is_refused_before_training():
    tiny = models.model_class("stylegan2_ada").TINY  # of 16 pixels
    with pytest.raises(UserError, match=r"too small .* such as bgc\.$"):
        models.build("stylegan2_ada", AugmentPipe("bgcf"), **tiny)
    models.build("stylegan2_ada", AugmentPipe("bgc"), **tiny)


def test_an_unknown_pipe_is_refused():
    with pytest.raises(UserError, match="Did you mean"):
        AugmentPipe("bgcf2")


@pytest.mark.parametrize(
    "augment, name, hint",
    [
        (AugmentPipe("bgc"), "rotate", "draw of AugmentPipe 'rotate'. Did you mean rotate90"),
        (DiffAugment(), "color", "draw of DiffAugment 'color'. Known: brightness"),
        (Rotation(), "rotate", "Did you mean rotate90"),
    ],
)
def test_draws_of_unknown_names_are_refused(augment, name, hint):
    with pytest.raises(UserError, match=hint):
        augment(wave(16), draws={name: np.zeros([1], np.float32)})
    np.testing.assert_array_equal(augment(wave(16), draws={}), wave(16))


@pytest.mark.parametrize("name, shape", [("noise", [1]), ("noise_field", [1, 16, 16, 3])])
def test_noise_goes_with_its_field(name, shape):
    with pytest.raises(UserError, match="noise and noise_field were not both given"):
        AugmentPipe("noise")(wave(16), draws={name: np.ones(shape, np.float32)})


def test_random_numbers_or_draws_have_to_be_given():
    with pytest.raises(ValueError, match="either random numbers or draws"):
        AugmentPipe("bgc")(wave(16))
