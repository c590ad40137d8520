"""What is opened for each kind of data, on files made here."""

import numpy as np
import pytest
from PIL import Image

from ganzoo import data
from ganzoo.data import batches, catalog, check, formats, shapes
from ganzoo.data.decode import Preparation
from ganzoo.errors import UserError

from .helpers import noise, write_images


def _open(kind, dataset, **options):
    defaults = {"image_size": 32, "channels": 3}
    return data.FORMATS[kind].open(dataset, **(defaults | options))


def _folders(root, split="train", size=40):
    write_images(root / f"{split}A", 3, size)
    write_images(root / f"{split}B", 5, size)
    return f"unpaired:{root}"


@pytest.mark.parametrize("kind", data.FORMATS)
def test_every_kind_has_bundled_data(kind):
    options = {"scale": 4} if kind == "super_resolution" else {}
    stream = _open(kind, data.FORMATS[kind].bundled, **options)
    batch = next(batches(stream, batch_size=2, seed=0).as_numpy_iterator())
    assert set(batch) == set(stream.columns) and len(stream.fingerprint) == 64
    for name, array in batch.items():
        column = stream.columns[name]
        assert array.shape == (2, *column.shape)
        if column.role == "image":
            assert -1 <= array.min() < array.max() <= 1


def test_two_folders_are_two_domains(tmp_path):
    stream = _open("unpaired", _folders(tmp_path))
    assert [len(domain) for domain in stream.domains] == [3, 5]
    assert [domain.image_size for domain in stream.domains] == [36, 36]  # 32 * 286 / 256
    other = _open("unpaired", f"unpaired:{tmp_path}", load_size=32)
    assert other.domains[0].image_size == 32 and other.fingerprint != stream.fingerprint
    info = data.FORMATS["unpaired"].inspect(f"unpaired:{tmp_path}")
    assert (info.size, info.channels, info.count) == ((40, 40), 3, 5)


def test_images_are_stretched_to_squares_unless_cropped(tmp_path):
    wide = np.zeros((40, 80, 3), np.uint8)
    wide[:, 40:] = 255
    for folder in ("trainA", "trainB"):
        (tmp_path / folder).mkdir()
        Image.fromarray(wide).save(tmp_path / folder / "0.png")
    whole = _open("unpaired", f"unpaired:{tmp_path}", image_size=40, load_size=40)
    center = _open("unpaired", f"unpaired:{tmp_path}", image_size=40, load_size=40, fit="crop")
    for stream, dark in ((whole, 20), (center, 20)):
        image = stream.domains[0].image(0)
        assert (image[0, :, 0] < 128).sum() == dark
    left = whole.domains[0].image(0)
    assert left[0, 17, 0] < 5 and left[0, 22, 0] > 250


def test_load_size_below_the_crop_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"load_size = 16 is less than image_size = 32"):
        _open("unpaired", "solid2striped", load_size=16)


def test_missing_domains_are_told_with_what_was_found(tmp_path):
    write_images(tmp_path / "cats", 1)
    with pytest.raises(UserError, match=r"no folder trainA.*Folders found: cats"):
        _open("unpaired", f"unpaired:{tmp_path}")
    with pytest.raises(UserError, match=r"--dataset=unpaired:"):
        _open("unpaired", f"folder:{tmp_path}")
    with pytest.raises(UserError, match="Did you mean horse2zebra"):
        _open("unpaired", "horse2zebras")
    with pytest.raises(UserError, match="There is no folder"):
        _open("unpaired", f"unpaired:{tmp_path / 'absent'}")
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(UserError, match=r"a\.zip' is a file\. Expected a folder .* unpack"):
        _open("unpaired", f"unpaired:{tmp_path / 'a.zip'}")


def test_pairs_of_tfds_are_found_by_their_short_names(monkeypatch):
    asked = []
    monkeypatch.setattr(catalog, "TFDSCollection", lambda *args, **options: asked.append(args))
    catalog.find_domains("horse2zebra", "somewhere", "test")
    catalog.find_domains("cycle_gan/horse2zebra", "somewhere", "test")
    name = "cycle_gan/horse2zebra"
    assert asked == 2 * [(name, "somewhere", "testA"), (name, "somewhere", "testB")]


def test_large_images_keep_their_sizes(tmp_path):
    noise(0, 40).resize((50, 40)).save(tmp_path / "a.png")
    noise(1, 64).save(tmp_path / "b.png")
    stream = _open("super_resolution", f"folder:{tmp_path}", scale=4)
    assert [stream.source.image(index).shape for index in (0, 1)] == [(40, 50, 3), (64, 64, 3)]
    np.testing.assert_array_equal(stream.source.image(1), noise(1, 64))
    examples = stream.read(0, 0, 8)
    assert examples["image"].shape == (8, 32, 32, 3) and examples["low_res"].shape == (8, 8, 8, 3)


def test_images_smaller_than_a_patch_are_bad(tmp_path):
    write_images(tmp_path, 2, size=40)
    noise(0, 24).save(tmp_path / "small.png")
    with pytest.raises(UserError, match=r"small\.png: tiny: 24x24, at least 32 px"):
        _open("super_resolution", f"folder:{tmp_path}", scale=4)
    stream = _open("super_resolution", f"folder:{tmp_path}", scale=4, on_bad_file="skip")
    assert len(stream) == 2


def test_check_looks_at_both_domains(tmp_path):
    _folders(tmp_path)
    (tmp_path / "trainB" / "bad.png").write_text("hello")
    report = check(f"unpaired:{tmp_path}", progress=False)
    assert report.count == 9 and report.usable == 8
    assert [problem.path for problem in report.of_kind("bad")] == ["trainB/bad.png"]


def test_shapes_for_super_resolution_are_the_drawings_themselves():
    source = formats.prepared(catalog.find("shapes"), Preparation(32, 3, fit="keep"))
    np.testing.assert_array_equal(source.image(7), shapes.draw(np.array([7]), 32)[0])
