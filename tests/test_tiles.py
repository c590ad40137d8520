import numpy as np
import pytest

from ganzoo.errors import UserError
from ganzoo.tiles import tiled

RANDOM = np.random.default_rng(0)


def together(*args, **options):
    return np.concatenate([*tiled(*args, **options)])


def blurred(x, radius=3, scale=2):
    """A network that looks `radius` pixels around, zero-padded, and enlarges."""
    size = 2 * radius + 1
    padded = np.pad(x, [(0, 0), (radius, radius), (radius, radius), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    mean = windows.mean(axis=(-1, -2))
    return mean.repeat(scale, axis=1).repeat(scale, axis=2)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("shape", [(50, 61), (100, 24), (31, 8), (7, 90)])
def test_tiles_give_what_the_whole_image_does(shape, batch):
    image = RANDOM.normal(size=(*shape, 3)).astype(np.float32)
    result = together(blurred, image, tile=30, overlap=3, scale=2, batch=batch)
    whole = blurred(image[None])[0]
    assert result.shape == whole.shape and result.dtype == np.float32
    np.testing.assert_allclose(result, whole, atol=1e-5)


def test_rows_come_before_the_tiles_below_them_and_tiles_side_by_side_at_once():
    sizes = []

    def same(x):
        sizes.append(len(x))
        return x

    rows = tiled(same, np.ones((100, 130, 1), np.float32), tile=40, overlap=2, batch=3)
    lengths = [(len(part), sum(sizes)) for part in rows]
    assert sizes == 4 * [3, 3] and lengths == [(20, 6), (20, 12), (20, 18), (40, 24)]


def test_without_enough_overlap_seams_are_soft():
    image = np.ones((20, 100, 1), np.float32)
    numbers = iter(range(100))

    def numbered(x):
        return x * next(numbers)

    row = together(numbered, image, tile=40, overlap=0)[10, :, 0]
    assert row[0] == 0 and row[-1] == row.max() >= 3
    assert np.diff(row).min() >= 0 and np.diff(row).max() < 0.15


@pytest.mark.parametrize("least", [1, 16])
@pytest.mark.parametrize("shape", [(13, 18), (1, 9), (8, 8)])
def test_sides_are_mirrored_up_to_a_multiple_and_cut_again(shape, least):
    image = RANDOM.normal(size=(*shape, 2)).astype(np.float32)
    seen = []

    def same(x):
        seen.append(x.shape[1:3])
        return x

    result = together(same, image, tile=64, overlap=8, multiple=8, least=least)
    np.testing.assert_array_equal(result, image)
    (sides,) = seen
    assert all(side % 8 == 0 and side >= least for side in sides)


def test_no_tile_is_larger_than_asked_for():
    sizes = []

    def same(x):
        sizes.append(x.shape[1:3])
        return x

    image = RANDOM.normal(size=(70, 133, 1)).astype(np.float32)
    result = together(same, image, tile=35, overlap=4, multiple=4)
    np.testing.assert_allclose(result, image, atol=1e-6)
    assert max(map(max, sizes)) <= 35 and len(sizes) > 4


def test_a_tile_that_is_all_overlap_is_refused():
    with pytest.raises(UserError, match="at least 40 pixels"):
        together(blurred, np.zeros((99, 99, 3)), tile=32, overlap=10, multiple=4)
