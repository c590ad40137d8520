import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from ganzoo.errors import UserError
from ganzoo.images import opened, pixels_of
from ganzoo.photos import eight_bit, is_transparent, normalized, upright, visible_colors

RNG = np.random.default_rng(0)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
PIXELS = RNG.integers(0, 256, (5, 7, 3), np.uint8)


def swapped():
    """A profile whose red is the blue of sRGB."""
    table = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    renamed = SRGB.replace("sRGB".encode("utf-16-be"), "mine".encode("utf-16-be"))
    parts = [renamed[i : i + 4] for i in range(0, len(renamed), 4)]
    return b"".join(table.get(part, part) for part in parts)


def tiff(orientation, values=None, bits=8):
    """An EXIF block, or a grey TIFF of one row."""
    entries = [(274, 3, 1, orientation)]
    data = b""
    if values is not None:
        packed = "".join(f"{value:0{bits}b}" for value in values)
        data = int(packed.ljust(-(-len(packed) // 8) * 8, "0"), 2).to_bytes(-(-len(packed) // 8))
        start = 10 + 12 * 8
        entries = [(256, 3, 1, len(values)), (257, 3, 1, 1), (258, 3, 1, bits), (259, 3, 1, 1)]
        entries += [(262, 3, 1, 1), (273, 4, 1, start + 4), (277, 3, 1, 1), (279, 4, 1, len(data))]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    return head + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4) + data


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_and_files_are_turned_alike(orientation):
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PIXELS).save(file, "PNG", exif=exif)
    image = Image.open(file)
    expected = np.asarray(ImageOps.exif_transpose(image))
    turned = normalized(image)
    np.testing.assert_array_equal(np.asarray(turned), expected)
    np.testing.assert_array_equal(np.asarray(normalized(turned)), expected)  # not turned again


@pytest.mark.parametrize("exif", [b"garbage", tiff(6)[:14], tiff(99), b""])
def test_damaged_exif_leaves_the_pixels(exif):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG")
    image = Image.open(file)
    image.info["exif"] = b"Exif\0\0" + exif
    np.testing.assert_array_equal(np.asarray(upright(image)), PIXELS)


def test_colors_of_another_profile_become_those_of_srgb():
    red = Image.new("RGBA", (2, 2), (255, 0, 0, 90))
    red.info["icc_profile"] = swapped()
    image = normalized(red)
    assert image.mode == "RGBA" and image.getpixel((0, 0))[3] == 90
    assert np.abs(np.subtract(image.getpixel((0, 0))[:3], (0, 0, 255))).max() < 8
    again = normalized(image)
    assert again.getpixel((0, 0)) == image.getpixel((0, 0))
    assert "sRGB" in ImageCms.getProfileDescription(io.BytesIO(again.info["icc_profile"]))


def test_a_profile_that_cannot_be_used_is_kept_and_told():
    image = Image.fromarray(PIXELS)
    image.info["icc_profile"] = b"hello"
    with pytest.warns(UserWarning, match="color profile cannot be used .* kept as it is"):
        result = normalized(image)
    np.testing.assert_array_equal(np.asarray(result), PIXELS)
    assert result.info["icc_profile"] == b"hello"


def test_grey_of_16_bits_keeps_its_transparent_value():
    image = Image.fromarray(np.uint16([[0, 4660], [65535, 4661]]))
    image.info["transparency"] = 4660
    grey = eight_bit(image)
    assert grey.mode == "LA"
    assert np.asarray(grey)[..., 0].tolist() == [[0, 18], [255, 18]]
    assert np.asarray(grey)[..., 1].tolist() == [[255, 0], [255, 255]]


@pytest.mark.parametrize("kind, most", [(np.uint16, 4095), (np.int32, 255), (np.int32, 4000)])
def test_grey_that_would_be_nearly_black_is_refused(kind, most):
    values = np.linspace(0, most, 16).astype(kind).reshape(4, 4)
    with pytest.raises(UserError, match=f"up to {most:,} would be nearly black in a range of 0 to"):
        eight_bit(Image.fromarray(values))
    assert not np.asarray(eight_bit(Image.fromarray(values * 0))).any()


def test_a_tiff_of_12_bits_says_its_range(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(1, [0, 4095, 2048, 16], bits=12))
    with pytest.warns(UserWarning, match="16 bits, reduced to 8"):
        pixels, _ = pixels_of(opened(tmp_path / "a.tif"), 1)
    assert pixels.ravel().tolist() == [0, 255, 128, 1]


def test_what_is_reduced_is_told(tmp_path):
    frames = [Image.new("L", (4, 4), value) for value in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match=r"a\.gif: 2 frames, one is used"):
        opened(tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as image, pytest.warns(UserWarning, match="2 frames, one"):
        normalized(image)

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\0" + struct.pack(">HHH", 257, 514, 65535)))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    told = []
    assert opened(tmp_path / "a.png", told.append).getpixel((0, 0)) == (1, 2, 255)
    assert told == [f"{tmp_path / 'a.png'}: 16 bits, reduced to 8"]


def test_previews_in_raw_files_are_not_the_photo(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.NEF", "TIFF")
    with pytest.raises(UserError, match=r"a\.NEF is a camera's raw file; develop it"):
        opened(tmp_path / "a.NEF")


@pytest.mark.parametrize("size", [(37, 50), (1, 9), (64, 64)])
def test_hidden_colors_do_not_matter(size):
    pixels = RNG.integers(0, 256, (*size, 4), np.uint8)
    pixels[..., 3] *= RNG.random(size) < 0.05
    pixels[0, 0] = 200, 100, 50, 255
    hidden = pixels[..., 3] == 0
    results = []
    for color in (0, 255):
        pixels[hidden, :3] = color
        results.append(np.asarray(visible_colors(Image.fromarray(pixels))))
    np.testing.assert_array_equal(*results)
    np.testing.assert_array_equal(results[0][~hidden], pixels[~hidden, :3])


def test_what_is_hidden_continues_the_colors_beside_it():
    pixels = np.zeros((40, 60, 4), np.uint8)
    pixels[:, :30] = 250, 30, 20, 255
    pixels[:, 50:] = 20, 30, 250, 1
    colors = np.asarray(visible_colors(Image.fromarray(pixels))).astype(int)
    assert np.abs(colors[:, 30:32] - pixels[0, 0, :3]).max() <= 80
    assert np.abs(colors[:, 49] - pixels[0, 59, :3]).max() <= 80
    assert not np.asarray(visible_colors(Image.new("RGBA", (5, 4), (9, 9, 9, 0)))).any()


def test_an_alpha_channel_may_be_opaque():
    assert is_transparent(Image.new("LA", (2, 2), (9, 254)))
    assert not is_transparent(Image.new("LA", (2, 2), (9, 255)))
    assert not is_transparent(Image.new("L", (2, 2)))
