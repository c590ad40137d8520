import numpy as np
import pytest

from ganzoo.data import inspect, open_source
from ganzoo.errors import UserError

from .helpers import encoded, noise, write_images


@pytest.fixture
def damaged(tmp_path):
    """1,000 images, one of them truncated."""
    folder = write_images(tmp_path / "images", 1000, format="JPEG")
    file = folder / "0500.jpeg"
    file.write_bytes(file.read_bytes()[:-60])
    return folder


def _open(path, **options):
    return open_source(f"folder:{path}", **{"image_size": 16, "channels": 3} | options)


def test_one_truncated_file_among_a_thousand_is_named(damaged):
    with pytest.raises(UserError) as error:
        _open(damaged)
    message = str(error.value)
    assert "1 of 1,000 files" in message and "0500.jpeg: unreadable: " in message
    assert "--on_bad_file=skip" in message and "python -m ganzoo.data check" in message


def test_bad_files_can_be_skipped(damaged, capsys):
    source = _open(damaged, on_bad_file="skip")
    assert len(source) == 999
    assert "Left out 1 of 1,000 files" in capsys.readouterr().err
    (damaged / "0500.jpeg").unlink()
    assert _open(damaged).fingerprint == source.fingerprint  # the same images are used
    (damaged / "0501.jpeg").unlink()
    assert _open(damaged).fingerprint != source.fingerprint


def test_a_long_list_is_cut_and_counted(tmp_path):
    write_images(tmp_path, 1)
    for i in range(25):
        (tmp_path / f"x{i:02d}.png").write_text("hello")
    with pytest.raises(UserError, match=r"25 of 26 files") as error:
        _open(tmp_path)
    assert "x19.png" in str(error.value) and "x20.png" not in str(error.value)
    assert "... and 5 more" in str(error.value)


def test_nothing_left_is_an_error(tmp_path):
    noise().resize((4, 4)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=r"No image .* can be used:\n *a\.png: tiny: 4x4"):
        _open(tmp_path, on_bad_file="skip")


def test_odd_files_are_told(tmp_path, capsys):
    write_images(tmp_path, 1)
    (tmp_path / "README.txt").write_text("hello")
    assert len(_open(tmp_path)) == 1
    assert "README.txt: not an image, passed over" in capsys.readouterr().err
    _open(tmp_path, progress=False)
    assert capsys.readouterr().err == ""


def test_a_mix_of_formats_and_modes_is_prepared_alike(tmp_path):
    for i, (mode, format) in enumerate(
        [("L", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG"), ("P", "GIF"), ("RGB", "WEBP")]
    ):
        data = encoded(noise(i, 20 + i).convert(mode), format)
        (tmp_path / f"{i}.bin").write_bytes(data)
    for channels in (1, 3):
        images = _open(tmp_path, channels=channels).read(np.arange(5))["image"]
        assert images.shape == (5, 16, 16, channels) and images.dtype == np.uint8


def test_the_source_tells_how_it_was_prepared(tmp_path):
    source = _open(write_images(tmp_path, 2, size=20), resize="box", background="black")
    assert source.preparation == {
        "image_size": 16,
        "channels": 3,
        "resize": "box",
        "background": "black",
        "orientation": "exif",
        "crop": "center square",
        "version": 1,
    }
    assert source.name == f"folder:{tmp_path}" and len(source.fingerprint) == 64
    assert _open(tmp_path, resize="bicubic").fingerprint != source.fingerprint


def test_the_fingerprint_is_of_the_content_not_the_place(tmp_path):
    first, second = (_open(write_images(tmp_path / name, 3)) for name in "ab")
    assert first.fingerprint == second.fingerprint
    noise(99).save(tmp_path / "b" / "0001.png")
    assert _open(tmp_path / "b").fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_bad_file": "ignore"}, "on_bad_file 'ignore'"),
        ({"split": "test"}, "no split 'test'"),
        ({"resize": "lancsoz"}, "lanczos"),
    ],
)
def test_a_wrong_option_is_refused_before_reading(tmp_path, options, message):
    with pytest.raises(UserError, match=message):
        _open(tmp_path / "missing", **options)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("cifar11", "cifar10"),
        ("shape", "shapes"),
        ("Dir:/tmp", "Write --dataset=folder:/tmp"),
        ("foldr:/tmp", "neither shapes, folder:PATH"),
        ("", "neither shapes, folder:PATH"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, hint, tmp_path):
    for call in (inspect, lambda name, **options: open_source(name, image_size=32, channels=3)):
        with pytest.raises(UserError, match=hint):
            call(name, data_dir=str(tmp_path))


def test_a_bare_path_is_answered_with_the_right_spelling(tmp_path):
    with pytest.raises(UserError, match=f"write --dataset=folder:{tmp_path}"):
        inspect(str(tmp_path))


def test_inspect_shapes():
    assert inspect("shapes") == ("shapes", None, 3, 0, 50_000, ())
    assert inspect("shapes", labels=True).num_classes == 5
