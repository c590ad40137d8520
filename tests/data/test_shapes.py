import hashlib

import numpy as np
import pytest

from ganzoo.data import open_source, shapes
from ganzoo.errors import UserError


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


def test_source_reads_images_and_labels():
    source = open_source("shapes", image_size=16, channels=1, labels=True)
    images, labels = source.read(np.arange(10))
    assert images.shape == (10, 16, 16, 1) and labels.dtype == np.int32
    assert np.array_equal(labels, shapes.factors(np.arange(10))["shape"])
    assert (len(source), source.num_classes) == (50_000, 5)
    assert source.class_names == ("circle", "square", "triangle", "star", "heart")
    plain = open_source("shapes", image_size=16, channels=1)
    assert plain.num_classes == 0 and not plain.read(np.arange(10))[1].any()
    assert plain.fingerprint != source.fingerprint
    with pytest.raises(IndexError, match="0 to 49999"):
        source.read(np.array([50_000]))


@pytest.mark.parametrize("wrong", [{"image_size": 8}, {"image_size": 512}, {"split": "test"}])
def test_what_it_does_not_have_is_refused(wrong):
    with pytest.raises(UserError, match=r"16 to 256|one split 'train'"):
        open_source("shapes", **({"image_size": 32, "channels": 3} | wrong))
