import hashlib

import numpy as np

from ganzoo.data import shapes, solid2striped

INDICES = np.arange(400)


def both(size=64, channels=3, indices=INDICES):
    return [solid2striped.draw(indices, size, channels, s).astype(float) for s in (False, True)]


def coverage(known, size):
    return np.clip(0.5 - shapes._distance(known, size) * size, 0, 1)


def test_bytes_are_the_same_on_every_machine():
    digest = hashlib.sha256()
    for size, channels in [(32, 3), (64, 1)]:
        digest.update(solid2striped.draw(np.arange(200), size, channels, True).tobytes())
    assert digest.hexdigest()[:16] == "b3457e3ea7095360"


def test_the_domains_differ_in_the_stripes_alone():
    solid, striped = both()
    np.testing.assert_array_equal(solid, shapes.draw(INDICES, 64))
    outside = coverage(shapes.factors(INDICES), 64) == 0
    np.testing.assert_array_equal(solid[outside], striped[outside])
    assert (striped <= solid).all()
    changed = abs(solid - striped).max(axis=-1) > 20
    share = changed.sum(axis=(1, 2)) / (~outside).sum(axis=(1, 2))
    assert share.min() > 0.15 and 0.35 < share.mean() < 0.6  # visible in every scene


def test_stripes_are_bright_or_a_fixed_part_of_the_color():
    """Inside of a shape most pixels are of two colors, the rest lie on the edges of stripes."""
    known = shapes.factors(INDICES)
    inside = coverage(known, 128) == 1
    solid, striped = both(128)
    ratio = (striped.max(axis=-1) / solid.max(axis=-1))[inside]
    bright, dark = abs(ratio - 1) < 0.01, abs(ratio - solid2striped.DARK) < 0.01
    assert bright.mean() > 0.35 and dark.mean() > 0.35
    assert ratio.min() > solid2striped.DARK - 0.01 and ratio.max() <= 1


def test_the_middle_is_bright_and_the_period_is_half_a_radius():
    known = {
        "shape": np.zeros(2, int),
        "rotation": np.array([0, 0]),
        "radius": np.float32([0.25, 0.32]),
        "x": np.float32([0.5, 0.5]),
        "y": np.float32([0.5, 0.5]),
    }
    brightness = solid2striped._stripes(known, 512)
    assert (brightness == brightness[:, :1]).all()  # upright
    for row, radius in zip(brightness[:, 0], known["radius"], strict=True):

        def at(*places, row=row, radius=radius):  # from the middle, in radii
            return row[np.round(256 + np.array(places) * radius * 512).astype(int)]

        assert (at(0, 0.5, 1, -0.5) == 1).all()
        np.testing.assert_allclose(at(0.25, -0.25, 0.75), solid2striped.DARK, rtol=1e-6)


def test_stripes_turn_with_the_shape():
    known = {
        "shape": np.zeros(1, int),
        "rotation": np.array([20]),
        "radius": np.float32([0.3]),
        "x": np.float32([0.5]),
        "y": np.float32([0.5]),
    }
    brightness = solid2striped._stripes(known, 256)[0]
    along = np.linspace(-0.2, 0.2, 9)  # upward from the center, leaning to the left
    rows = np.round(128 - along * np.cos(np.radians(20)) * 256).astype(int)
    columns = np.round(128 - along * np.sin(np.radians(20)) * 256).astype(int)
    assert (brightness[rows, columns] == 1).all()
    assert brightness[:, 128].min() < 1


def test_sizes_show_the_same_picture():
    small, large = (both(size)[1] for size in (32, 64))
    shrunk = large.reshape(len(INDICES), 32, 2, 32, 2, 3).mean(axis=(2, 4))
    assert abs(small - shrunk).mean() < 1.5


def test_an_image_depends_on_its_index_and_size_alone():
    indices = np.array([20_500, 3, 17])
    together = solid2striped.draw(indices, 48, 1, True)
    for index, image in zip(indices, together, strict=True):
        assert np.array_equal(solid2striped.draw([index], 48, 1, True)[0], image)
    assert together.dtype == np.uint8 and together.shape == (3, 48, 48, 1)


def test_no_scene_is_in_two_splits():
    scenes = [index for split in solid2striped.SPLITS.values() for index in split]
    assert len(scenes) == len(set(scenes)) == 2 * solid2striped.COUNT + solid2striped.TEST_COUNT
