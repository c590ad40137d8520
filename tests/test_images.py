import weakref

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image, ImageSequence

from ganzoo.errors import UserError
from ganzoo.images import (
    grid,
    picture_of,
    read,
    require_writable,
    save,
    save_animation,
    to_uint8,
    written_mode,
)

COLORS = np.random.default_rng(0).integers(0, 200, (5, 3, 4, 3), np.uint8)  # darker than white


def test_every_byte_survives_the_way_there_and_back():
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(values.astype(np.float32) / 127.5 - 1.0), values)


def test_rounds_to_the_nearest_and_clips():
    scaled = np.array([-300.0, -0.4, 0.4, 0.6, 99.6, 254.6, 255.4, 900.0])
    expected = [0, 0, 0, 1, 100, 255, 255, 255]
    assert to_uint8(scaled / 127.5 - 1.0).tolist() == expected


@pytest.mark.parametrize("count, rows, columns", [(1, 1, 1), (2, 1, 2), (3, 2, 2), (5, 3, 2)])
def test_grid_goes_row_by_row_on_white(count, rows, columns):
    canvas = grid(COLORS[:count], padding=2)
    assert canvas.shape == (rows * (3 + 2) + 2, columns * (4 + 2) + 2, 3)
    for index, image in enumerate(COLORS[:count]):
        top, left = index // columns * 5 + 2, index % columns * 6 + 2
        cell = canvas[top : top + 3, left : left + 4]
        np.testing.assert_array_equal(cell, image)
        cell[:] = 255
    assert (canvas == 255).all()


def test_strips_make_a_grid_that_is_about_square():
    assert grid(np.zeros((6, 8, 24, 3), np.uint8), padding=0).shape == (24, 48, 3)


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
def test_pictures_are_written_without_loss(tmp_path, channels, mode):
    path = tmp_path / "new" / "folder" / "picture.png"
    save(COLORS[0, ..., :channels], str(path))  # a name or a Path
    with Image.open(path) as picture:
        assert (picture.format, picture.mode, picture.size) == ("PNG", mode, (4, 3))
        pixels = np.asarray(picture).reshape(3, 4, channels)
    np.testing.assert_array_equal(pixels, COLORS[0, ..., :channels])


def test_pictures_of_any_mode_are_read_upright_with_their_alpha(tmp_path):
    path = tmp_path / "picture.png"
    rgba = np.random.default_rng(0).integers(0, 256, (3, 5, 4), np.uint8)
    Image.fromarray(rgba).save(path)
    pixels, alpha = read(path, channels=3)
    np.testing.assert_array_equal(pixels, rgba[..., :3])
    np.testing.assert_array_equal(alpha, rgba[..., 3])
    Image.fromarray(np.uint16([[0, 257 * 7], [65535, 0]])).save(path)
    with pytest.warns(UserWarning, match=r"picture\.png: 16 bits, reduced to 8"):
        pixels, alpha = read(path, channels=1)
    assert pixels[..., 0].tolist() == [[0, 7], [255, 0]] and alpha is None
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    Image.fromarray(rgba[..., :3]).save(path, exif=turned)
    np.testing.assert_array_equal(read(path, 3)[0], np.rot90(rgba[..., :3], -1))


@pytest.mark.parametrize("content", [b"hello", b"\x89PNG\r\n\x1a\n cut", None])
def test_what_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "picture.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"picture\.png cannot be read as an image"):
        read(path, 3)


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_frames_are_taken_one_by_one(tmp_path, suffix):
    """Grey ones with odd sides, too; however many there are, none is kept for the next."""
    made, alive = [], []

    def frames():
        for index in range(9):
            frame = np.full((15, 17, 1), 20 * index, np.uint8)
            made.append(weakref.ref(frame))
            yield frame
            del frame
            alive.append(sum(reference() is not None for reference in made))

    path = tmp_path / "new" / f"way{suffix}"
    save_animation(frames(), str(path))
    assert len(made) == 9 and max(alive) <= 3
    if suffix == ".mp4":
        assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == 9
        return
    with Image.open(path) as picture:
        means = [np.mean(frame.convert("L")) for frame in ImageSequence.Iterator(picture)]
    assert means == list(range(0, 180, 20))


def test_alpha_is_resized_to_the_picture_and_jpeg_has_the_background(tmp_path):
    image = np.full((8, 12, 3), 77, np.uint8)
    alpha = Image.fromarray(np.full((4, 6), 200, np.uint8))
    save(image, tmp_path / "a.png", alpha)
    pixels, kept = read(tmp_path / "a.png", 3)
    np.testing.assert_array_equal(pixels, image)
    np.testing.assert_array_equal(kept, np.full((8, 12), 200))
    save(image, tmp_path / "a.jpg", alpha)
    with Image.open(tmp_path / "a.jpg") as picture:
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        expected = (77 * 200 + 255 * 55) / 255
        assert np.abs(np.asarray(picture, np.float32) - expected).max() < 3


@pytest.mark.parametrize("suffix", ["psd", "cur", "fli", "mpg", "fits", "xyz", "h5", "xbm"])
def test_formats_that_cannot_be_written_are_told(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    for check in (require_writable, lambda path: save(COLORS[0], path)):
        with pytest.raises(UserError, match=rf"no picture can be written as \.{suffix}; expected"):
            check(path)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "suffix, modes",
    {
        "": ("L", "LA", "RGB", "RGBA"),
        ".PNG": ("L", "LA", "RGB", "RGBA"),
        ".tif": ("L", "LA", "RGB", "RGBA"),
        ".jpg": ("L", "L", "RGB", "RGB"),
        ".webp": ("L", "LA", "RGB", "RGBA"),
        ".bmp": ("L", "L", "RGB", "RGB"),
        ".gif": ("L", "L", "RGB", "RGB"),  # which has no half transparency
        ".qoi": ("RGB", "RGBA", "RGB", "RGBA"),
    }.items(),
)
def test_pictures_are_written_in_what_a_format_holds(tmp_path, suffix, modes):
    pixels = np.full((6, 9, 4), (200, 100, 50, 128), np.uint8)
    for mode, expected in zip(("L", "LA", "RGB", "RGBA"), modes, strict=True):
        assert written_mode(f"a{suffix}", mode, (9, 6)) == expected
        save(Image.fromarray(pixels).convert(mode), tmp_path / f"a{suffix}")
        with Image.open(tmp_path / f"a{suffix}") as picture:
            assert picture.size == (9, 6)
            assert picture.has_transparency_data == expected.endswith("A")


@pytest.mark.parametrize(
    "suffix, size", [("webp", (16384, 1)), ("jpg", (1, 65501)), ("ico", (300, 300))]
)
def test_pictures_that_a_format_has_no_room_for_are_told(suffix, size):
    width, height = size
    with pytest.raises(UserError, match=rf"a \.{suffix} file cannot hold {width}x{height} pixels"):
        written_mode(f"a.{suffix}", "RGB", size)
    assert written_mode("a.png", "RGB", size) == "RGB"
    assert written_mode("a.ico", "RGBA", (64, 64)) == "RGBA"


def test_a_folder_is_no_name_of_a_picture(tmp_path):
    for path in (tmp_path, f"{tmp_path}/new/"):
        with pytest.raises(UserError, match=r"is a folder; expected .* as in .*/images\.png"):
            require_writable(path)


def test_a_color_profile_is_written(tmp_path):
    save(picture_of(COLORS[0], profile=b"mine"), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info["icc_profile"] == b"mine"
    assert "icc_profile" not in picture_of(COLORS[0, ..., :1], profile=b"mine").info


def test_channels_that_no_picture_is_read_as_are_refused(tmp_path):
    Image.new("RGBA", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"images of 4 channels; .* 1 \(grey\) or 3 \(RGB\)"):
        read(tmp_path / "a.png", channels=4)
