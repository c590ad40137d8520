import hashlib

import numpy as np
import pytest

from ganzoo.data import shapes


def _chi_square(counts):
    expected = counts.sum() / counts.size
    return ((counts - expected) ** 2 / expected).sum()


def test_bytes_are_the_same_on_every_machine():
    digest = hashlib.sha256()
    for size, channels in [(32, 3), (64, 1)]:
        digest.update(shapes.draw(np.arange(200), size, channels).tobytes())
    assert digest.hexdigest()[:16] == "02133f15279f812d"


def test_an_image_depends_on_its_index_and_size_alone():
    indices = np.array([40_000, 3, 17, 3])
    together = shapes.draw(indices, 48)
    for index, image in zip(indices, together, strict=True):
        assert np.array_equal(shapes.draw([index], 48)[0], image)
    assert together.dtype == np.uint8 and together.shape == (4, 48, 48, 3)


def test_the_center_has_the_named_color():
    indices = np.arange(500)
    known = shapes.factors(indices)
    images = shapes.draw(indices, 64)
    column, row = (known[k] * 64 for k in "xy")
    colors = np.array(list(shapes.COLORS.values()))[known["color"]]
    assert np.array_equal(images[indices, row.astype(int), column.astype(int)], colors)


def test_shapes_lie_inside_of_the_image():
    images = shapes.draw(np.arange(500), 64).astype(int)
    known = shapes.factors(np.arange(500))
    grounds = np.array(list(shapes.BACKGROUNDS.values()))[known["background"]]
    top = grounds * (1.35 - 0.7 * 0.5 / 64)
    assert abs(images[:, 0] - top[:, None]).max() <= 1
    assert (images[:, 0] == images[:, 0, :1]).all() and (images[:, -1] == images[:, -1, :1]).all()
    assert (images[:, 0].sum(axis=-1) > images[:, -1].sum(axis=-1)).all()  # light from above


@pytest.mark.parametrize("shape", shapes.SHAPES)
def test_area_tells_the_shape(shape):
    """Coverage sums to the exact area of each outline."""
    star = 5 * 0.45 * np.sin(np.pi / 5)
    heart = 2 * 0.75**2 + np.pi * 0.75**2 / 2
    areas = {"circle": np.pi * 0.81, "square": 2.25, "triangle": 0.75 * np.sqrt(3)}
    areas |= {"star": star, "heart": heart}
    known = shapes.factors(np.arange(300))
    chosen = known["shape"] == list(shapes.SHAPES).index(shape)
    some = {k: v[chosen] for k, v in known.items()}
    coverage = np.clip(0.5 - shapes._distance(some, 128) * 128, 0, 1)
    measured = coverage.mean(axis=(1, 2)) / some["radius"] ** 2
    np.testing.assert_allclose(measured, areas[shape], rtol=0.02)


def test_rotation_turns_counterclockwise_around_the_center():
    known = {
        "shape": np.array([2, 2]),
        "rotation": np.array([0, 20]),
        "radius": np.float32([0.3, 0.3]),
        "x": np.float32([0.5, 0.5]),
        "y": np.float32([0.5, 0.5]),
    }
    inside = shapes._distance(known, 128) < 0
    tips = [np.argwhere(image)[0][1] for image in inside]  # the column of the topmost pixel
    assert abs(tips[0] - 64) <= 2
    assert abs(tips[1] - (64 - 0.3 * 128 * np.sin(np.radians(20)))) <= 3


def test_sizes_show_the_same_picture():
    small, large = (shapes.draw(np.arange(64), size).astype(float) for size in (32, 64))
    shrunk = large.reshape(64, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    assert abs(small - shrunk).mean() < 1
    assert (abs(small - shrunk) > 16).mean() < 0.002  # the sharp tips


def test_factors_are_uniform_and_independent():
    known = shapes.factors(np.arange(shapes.COUNT))
    pairs = known["shape"] * 8 + known["color"]
    assert _chi_square(np.bincount(pairs, minlength=40)) < 80  # 39 degrees of freedom
    assert _chi_square(np.bincount(known["background"])) < 16
    assert _chi_square(np.bincount(known["rotation"] + 20)) < 85
    continuous = np.stack([known[k] for k in ("radius", "x", "y", "rotation", "shape", "color")])
    assert abs(np.corrcoef(continuous) - np.eye(6)).max() < 0.02


def test_images_differ():
    images = shapes.draw(np.arange(5000), 16)
    assert len({image.tobytes() for image in images}) == 5000


def test_colors_stand_out_in_grey_and_rgb():
    paints, grounds = (
        shapes._palette(table, 1)[:, 0] for table in (shapes.COLORS, shapes.BACKGROUNDS)
    )
    assert paints.min() > grounds.max() * 1.35 + 25
    colors = np.array(list(shapes.COLORS.values()), float)
    distances = np.sqrt(((colors[:, None] - colors) ** 2).sum(-1)) + 1e3 * np.eye(8)
    assert distances.min() > 70


_INDICES = np.arange(400)


def _both(size=64, channels=3, indices=_INDICES):
    return [
        shapes.draw(indices, size, channels, look).astype(float) for look in ("solid", "striped")
    ]


def _coverage(known, size):
    return np.clip(0.5 - shapes._distance(known, size) * size, 0, 1)


def test_bytes_of_stripes_are_the_same_on_every_machine():
    digest = hashlib.sha256()
    for size, channels in [(32, 3), (64, 1)]:
        digest.update(shapes.draw(np.arange(200), size, channels, "striped").tobytes())
    assert digest.hexdigest()[:16] == "b3457e3ea7095360"


def test_the_domains_differ_in_the_stripes_alone():
    solid, striped = _both()
    np.testing.assert_array_equal(solid, shapes.draw(_INDICES, 64))
    outside = _coverage(shapes.factors(_INDICES), 64) == 0
    np.testing.assert_array_equal(solid[outside], striped[outside])
    assert (striped <= solid).all()
    changed = abs(solid - striped).max(axis=-1) > 20
    share = changed.sum(axis=(1, 2)) / (~outside).sum(axis=(1, 2))
    assert share.min() > 0.15 and 0.35 < share.mean() < 0.6  # visible in every scene


def test_stripes_are_bright_or_a_fixed_part_of_the_color():
    """Inside of a shape most pixels are of two colors, the rest lie on the edges of stripes."""
    known = shapes.factors(_INDICES)
    inside = _coverage(known, 128) == 1
    solid, striped = _both(128)
    ratio = (striped.max(axis=-1) / solid.max(axis=-1))[inside]
    bright, dark = abs(ratio - 1) < 0.01, abs(ratio - shapes.DARK) < 0.01
    assert bright.mean() > 0.35 and dark.mean() > 0.35
    assert ratio.min() > shapes.DARK - 0.01 and ratio.max() <= 1


def test_the_middle_is_bright_and_the_period_is_half_a_radius():
    known = {
        "shape": np.zeros(2, int),
        "rotation": np.array([0, 0]),
        "radius": np.float32([0.25, 0.32]),
        "x": np.float32([0.5, 0.5]),
        "y": np.float32([0.5, 0.5]),
    }
    brightness = shapes._stripes(known, 512)
    assert (brightness == brightness[:, :1]).all()  # upright
    for row, radius in zip(brightness[:, 0], known["radius"], strict=True):

        def at(*places, row=row, radius=radius):  # from the middle, in radii
            return row[np.round(256 + np.array(places) * radius * 512).astype(int)]

        assert (at(0, 0.5, 1, -0.5) == 1).all()
        np.testing.assert_allclose(at(0.25, -0.25, 0.75), shapes.DARK, rtol=1e-6)


def test_stripes_turn_with_the_shape():
    known = {
        "shape": np.zeros(1, int),
        "rotation": np.array([20]),
        "radius": np.float32([0.3]),
        "x": np.float32([0.5]),
        "y": np.float32([0.5]),
    }
    brightness = shapes._stripes(known, 256)[0]
    along = np.linspace(-0.2, 0.2, 9)  # upward from the center, leaning to the left
    rows = np.round(128 - along * np.cos(np.radians(20)) * 256).astype(int)
    columns = np.round(128 - along * np.sin(np.radians(20)) * 256).astype(int)
    assert (brightness[rows, columns] == 1).all()
    assert brightness[:, 128].min() < 1


def test_a_mask_is_where_the_shape_is():
    masks = shapes.draw(_INDICES, 64, look="mask")
    assert masks.shape == (400, 64, 64, 1) and set(np.unique(masks)) == {0, 1}
    covered = _coverage(shapes.factors(_INDICES), 64).mean(axis=(1, 2))
    np.testing.assert_allclose(masks.mean(axis=(1, 2, 3)), covered, atol=0.01)


@pytest.mark.parametrize("size", [16, 64, 256])
def test_an_outline_shows_both_sides_in_their_colors_on_white(size):
    indices = np.arange(40)
    lines, drawing = (
        shapes.draw(indices, size, look=look).astype(int) for look in ("outline", "solid")
    )
    distance = abs(shapes._distance(shapes.factors(indices), size) * size)
    width = max(1.5, 0.02 * size)
    far, near = distance > width + 0.5, distance < width - 0.5
    assert (lines[far] == 255).all() and abs(lines[near] - drawing[near]).max() <= 1
    inside = shapes._distance(shapes.factors(indices), size) < 0
    for i in indices:  # what determines the drawing: both colors can be read from the lines
        assert (near[i] & inside[i]).any() and (near[i] & ~inside[i]).any()


def test_attributes_and_captions_say_what_the_factors_are():
    known, values = shapes.factors(_INDICES), shapes.attributes(_INDICES)
    assert values.shape == (400, len(shapes.ATTRIBUTES)) and set(np.unique(values)) == {0, 1}
    true = [dict(zip(shapes.ATTRIBUTES, row, strict=True)) for row in values]
    for i, caption in enumerate(shapes.captions(_INDICES)):
        color = list(shapes.COLORS)[known["color"][i]]
        shape = list(shapes.SHAPES)[known["shape"][i]]
        ground = list(shapes.BACKGROUNDS)[known["background"][i]]
        size = "large" if true[i]["large"] else "small"
        assert caption == f"a {size} {color} {shape} on a {ground} background"
        assert true[i][color] == true[i][shape] == true[i][ground] == 1
        assert true[i]["left"] == (known["x"][i] < 0.5) and true[i]["upper"] == (
            known["y"][i] < 0.5
        )
    assert (values[:, : len(shapes.SHAPES)].sum(axis=1) == 1).all()
    assert 0.4 < np.mean([row["large"] for row in true]) < 0.6
