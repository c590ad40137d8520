import numpy as np
import pytest
from PIL import Image

from ganzoo.images import grid, save_png, to_uint8

COLORS = np.random.default_rng(0).integers(0, 200, (5, 3, 4, 3), np.uint8)  # darker than white


def test_every_byte_survives_the_way_there_and_back():
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(values.astype(np.float32) / 127.5 - 1.0), values)


def test_rounds_to_the_nearest_and_clips():
    scaled = np.array([-300.0, -0.4, 0.4, 0.6, 99.6, 254.6, 255.4, 900.0])
    expected = [0, 0, 0, 1, 100, 255, 255, 255]
    assert to_uint8(scaled / 127.5 - 1.0).tolist() == expected


@pytest.mark.parametrize("count, rows, columns", [(1, 1, 1), (2, 1, 2), (3, 2, 2), (5, 2, 3)])
def test_grid_goes_row_by_row_on_white(count, rows, columns):
    canvas = grid(COLORS[:count], padding=2)
    assert canvas.shape == (rows * (3 + 2) + 2, columns * (4 + 2) + 2, 3)
    for index, image in enumerate(COLORS[:count]):
        top, left = index // columns * 5 + 2, index % columns * 6 + 2
        cell = canvas[top : top + 3, left : left + 4]
        np.testing.assert_array_equal(cell, image)
        cell[:] = 255
    assert (canvas == 255).all()


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
def test_pictures_are_written_without_loss(tmp_path, channels, mode):
    path = tmp_path / "new" / "folder" / "picture.png"
    save_png(COLORS[0, ..., :channels], path)
    with Image.open(path) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", mode, (4, 3))
        pixels = np.asarray(picture).reshape(3, 4, channels)
    np.testing.assert_array_equal(pixels, COLORS[0, ..., :channels])
