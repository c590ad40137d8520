import numpy as np
import pytest
from PIL import Image

from ganzoo.data import decode as decode_module
from ganzoo.data.decode import FILTERS, Preparation, decode
from ganzoo.data.sources import Item
from ganzoo.errors import UserError

from .helpers import decoded, encoded, noise


def _exact(image, channels=3):
    return np.asarray(image).reshape(*image.size, channels)


def test_an_image_of_the_right_size_keeps_its_pixels():
    image = noise()
    result = decoded(encoded(image))
    assert np.array_equal(result.pixels, _exact(image))
    assert (result.bad, result.notice) == ("", "")


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK"])
@pytest.mark.parametrize("channels", [1, 3])
def test_modes_become_grey_or_rgb(mode, channels):
    image = noise().convert(mode)
    result = decoded(encoded(image, "TIFF"), channels=channels)
    wanted = image.convert("RGB").convert("L" if channels == 1 else "RGB")
    assert np.array_equal(result.pixels, _exact(wanted, channels))


def test_sixteen_bits_are_scaled_not_clipped():
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    for format in ("PNG", "TIFF"):
        result = decoded(encoded(Image.fromarray(values), format), channels=1)
        assert np.array_equal(result.pixels.ravel(), np.arange(256))
        assert "16 bits" in result.notice


@pytest.mark.parametrize(("background", "level"), [("white", 255), ("black", 0), ("grey", 128)])
def test_transparency_shows_the_background(background, level):
    image = noise(mode="RGBA")
    image.putalpha(Image.fromarray(np.repeat(np.uint8([[0, 255]]), 8, axis=1).repeat(16, 0)))
    pixels = decoded(encoded(image), background=background).pixels
    assert (pixels[:, :8] == level).all()
    assert np.array_equal(pixels[:, 8:], np.asarray(image)[:, 8:, :3])


def test_a_transparent_palette_color_shows_the_background():
    image = Image.new("P", (16, 16))
    image.putpalette([255, 0, 0, 0, 255, 0])
    pixels = decoded(encoded(image, "GIF", transparency=0)).pixels
    assert (pixels == 255).all()


def test_of_an_animation_the_first_frame_is_used():
    frames = [noise(seed).convert("P") for seed in range(3)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    result = decoded(data, "a.gif")
    assert "3 frames" in result.notice
    assert abs(result.pixels.astype(int) - np.asarray(frames[0].convert("RGB"))).max() <= 8


def test_exif_orientation_is_applied():
    image, exif = noise(1), Image.Exif()
    exif[0x0112] = 6  # turn clockwise by 90 degrees
    pixels = decoded(encoded(image, exif=exif)).pixels
    assert np.array_equal(pixels, np.rot90(np.asarray(image), -1))


@pytest.mark.parametrize("exif", [b"garbage", b"II*\0\x08\0\0\0\1\0\x12\1", b""])
def test_damaged_exif_is_no_reason(exif):
    image = noise(1)
    result = decoded(encoded(image, exif=b"Exif\0\0" + exif))
    assert not result.bad and np.array_equal(result.pixels, np.asarray(image))


@pytest.mark.parametrize("resize", FILTERS)
def test_the_named_filter_resizes_the_center_square(resize):
    wide = Image.new("RGB", (48, 32))
    wide.paste(noise(size=32), (8, 0))
    wanted = noise(size=32).resize((16, 16), Image.Resampling[resize.upper()])
    assert np.array_equal(decoded(encoded(wide), resize=resize).pixels, _exact(wanted))


def test_odd_aspects_are_noticed():
    result = decoded(encoded(Image.new("RGB", (100, 16))))
    assert "100x16" in result.notice and result.pixels.shape == (16, 16, 3)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_a_truncated_file_is_bad(format):
    data = encoded(noise(size=64), format)
    result = decoded(data[: len(data) * 2 // 3], f"a.{format.lower()}")
    assert result.pixels is None and "unreadable" in result.bad


@pytest.mark.parametrize(
    ("data", "path", "bad", "notice"),
    [
        (b"hello", "a.jpg", "in spite of its name", ""),
        (b"", "a.jpg", "empty", ""),
        (b"hello", "a.heic", "in spite of its name", ""),
        (b"hello", "a.pdf", "", "passed over"),
        (b"hello", "README.txt", "", "passed over"),
        (b"hello", "LICENSE", "", "passed over"),
    ],
)
def test_what_is_no_image(data, path, bad, notice):
    result = decoded(data, path)
    assert result.pixels is None
    assert bad in result.bad and notice in result.notice
    assert bool(result.bad) == bool(bad)


def test_an_image_needs_no_fitting_name():
    assert decoded(encoded(noise()), "image.dat").pixels is not None


@pytest.mark.parametrize(
    ("side", "image_size", "usable"), [(7, 4, False), (8, 4, True), (15, 64, False), (16, 64, True)]
)
def test_tiny_images_are_bad(side, image_size, usable):
    result = decoded(encoded(noise(size=side)), image_size=image_size)
    assert (result.pixels is not None) == usable
    assert usable or f"tiny: {side}x{side}" in result.bad


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("limit", [100, 200])
def test_decompression_bombs_are_bad(monkeypatch, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)  # Pillow warns up to twice the limit
    assert "pixels" in decoded(encoded(noise())).bad


def test_enormous_files_are_not_read(monkeypatch):
    monkeypatch.setattr(decode_module, "MAX_BYTES", 10)
    assert "11 bytes" in decode(Item("a.mp4", 11, open), Preparation(16, 3)).bad


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.ones((16, 16), np.float32), "floating-point"),
        (np.full((16, 16), -1, np.int32), "32-bit"),
    ],
)
def test_pixels_without_range_are_bad(values, reason):
    assert reason in decoded(encoded(Image.fromarray(values), "TIFF")).bad


def test_an_image_outside_of_the_classes_is_bad():
    assert decoded(encoded(noise()), bad="lies elsewhere").bad == "lies elsewhere"


def test_an_unreadable_file_is_bad():
    def refuse():
        raise PermissionError("Permission denied")

    assert "Permission denied" in decode(Item("a.png", 9, refuse), Preparation(16, 3)).bad


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"resize": "lancsos"}, "lanczos"),
        ({"background": "whit"}, "white"),
        ({"channels": 4}, "1 .* or 3"),
        ({"image_size": 0}, "positive"),
    ],
)
def test_a_wrong_setting_is_explained(wrong, message):
    with pytest.raises(UserError, match=message):
        Preparation(**({"image_size": 16, "channels": 3} | wrong))
