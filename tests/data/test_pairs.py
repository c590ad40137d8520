"""Pairs of images: where they are found, and what is wrong with those that cannot be used."""

import os
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image

from ganzoo.data import FORMATS, batches, check
from ganzoo.errors import UserError
from tests import commands

from .helpers import noise, write_images

_OPTIONS = {"image_size": 16, "channels": 3, "load_size": 16, "flip": False, "progress": False}


def _open(dataset, **options):
    return FORMATS["paired"].open(dataset, **(_OPTIONS | options))


def _inverted(image):
    return Image.fromarray(255 - np.asarray(image))


def _folders(root, a, b, count=3, size=16):
    """Images in one folder, and their negatives under the same names in the other."""
    for folder, change in ((a, lambda image: image), (b, _inverted)):
        (root / folder).mkdir(parents=True)
        for i in range(count):
            change(noise(i, size)).save(root / folder / f"{i}.png")
    return f"paired:{root}"


def _side_by_side(folder, count=3, size=16, width=None):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        halves = [noise(i, size), _inverted(noise(i, size))]
        both = Image.new("RGB", (width or 2 * size, size))
        for half, left in zip(halves, (0, size), strict=True):
            both.paste(half, (left, 0))
        both.save(folder / f"{i}.png")


def _are_pairs(stream, count=3):
    found = stream.source.read(np.arange(count))
    for i in range(count):
        np.testing.assert_array_equal(found["a"][i], np.asarray(noise(i)))
        np.testing.assert_array_equal(found["b"][i], 255 - found["a"][i])
    return len(stream) == count


@pytest.mark.parametrize("pair", [("A", "B"), ("A/train", "B/train"), ("trainA", "trainB")])
def test_two_folders_with_the_same_names_are_pairs(tmp_path, pair):
    stream = _open(_folders(tmp_path, *pair))
    assert _are_pairs(stream)
    assert {name: column.shape for name, column in stream.columns.items()} == {
        "a": (16, 16, 3),
        "b": (16, 16, 3),
    }
    info = FORMATS["paired"].inspect(f"paired:{tmp_path}")
    assert (info.size, info.channels, info.count) == ((16, 16), 3, 3)


@pytest.mark.parametrize("folder", [".", "train"])
def test_images_side_by_side_are_pairs(tmp_path, folder):
    _side_by_side(tmp_path / folder)
    (tmp_path / folder / "notes.txt").write_text("passed over")
    assert _are_pairs(_open(f"paired:{tmp_path}"))
    info = FORMATS["paired"].inspect(f"paired:{tmp_path}")
    assert (info.size, info.channels) == ((16, 16), 3)


def test_both_forms_prepare_the_same_pairs(tmp_path):
    _side_by_side(tmp_path / "one")
    _folders(tmp_path / "two", "A", "B")
    one, two = (_open(f"paired:{tmp_path / name}") for name in ("one", "two"))
    assert one.fingerprint == two.fingerprint


def test_a_split_is_the_one_that_was_asked_for(tmp_path):
    _folders(tmp_path, "A/train", "B/train", count=4)
    _folders(tmp_path, "A/test", "B/test", count=2)
    assert [len(_open(f"paired:{tmp_path}", split=split)) for split in ("train", "test")] == [4, 2]
    with pytest.raises(UserError, match=r"no split 'val'.*Folders found: A, B"):
        _open(f"paired:{tmp_path}", split="val")
    _side_by_side(tmp_path / "flat")
    with pytest.raises(UserError, match=r"no split 'test'.*Folders found: none"):
        _open(f"paired:{tmp_path / 'flat'}", split="test")


def test_splits_of_the_same_names_sizes_and_times_are_told_apart(tmp_path):
    for split, level in (("train", 0), ("test", 255)):
        for side in "AB":
            (tmp_path / side / split).mkdir(parents=True)
            file = tmp_path / side / split / "0.bmp"
            Image.new("L", (16, 16), level).save(file)
            os.utime(file, (0, 0))
    levels = [
        _open(f"paired:{tmp_path}", split=s).source.read([0])["a"].max() for s in ("train", "test")
    ]
    assert levels == [0, 255]
    shutil.rmtree(tmp_path / "A" / "train")
    with pytest.raises(UserError, match="no split 'train'"):  # not the other splits
        _open(f"paired:{tmp_path}")


def test_the_command_that_training_names_checks_the_same_split(tmp_path):
    _folders(tmp_path, "A/test", "B/test")
    (tmp_path / "B" / "test" / "1.png").write_text("hello")
    with pytest.raises(UserError) as error:
        _open(f"paired:{tmp_path}", split="test")
    command = str(error.value).split("All are listed by: python -m ganzoo.")[1]
    done = commands.run(*shlex.split(command))
    assert done.code == 1 and "3 files, 2 images that can be used, 1 bad" in done.out


def test_a_and_b_are_cropped_and_mirrored_by_one_draw(tmp_path):
    _folders(tmp_path, "A", "B", size=40)
    stream = _open(f"paired:{tmp_path}", load_size=24, flip=True)
    examples = stream.read(0, 0, 60)
    np.testing.assert_allclose(examples["a"].astype(int) + examples["b"], 255, atol=2)  # resized
    assert len({image.tobytes() for image in examples["a"]}) > 40
    plain = _open(f"paired:{tmp_path}", load_size=24).read(0, 0, 60)
    mirrored = (examples["a"] != plain["a"]).any(axis=(1, 2, 3))
    assert 15 < mirrored.sum() < 45
    np.testing.assert_array_equal(examples["b"][mirrored], plain["b"][mirrored][:, :, ::-1])


def test_images_are_loaded_larger_than_the_crop():
    stream = FORMATS["paired"].open("outlines2shapes", image_size=32, channels=3)
    assert stream.source.image_size == 36  # 32 * 286 / 256
    with pytest.raises(UserError, match="load_size = 16 is less than image_size = 32"):
        FORMATS["paired"].open("outlines2shapes", image_size=32, channels=3, load_size=16)


@pytest.mark.parametrize("dataset", ["files", "outlines2shapes"])
def test_channels_may_differ_and_the_direction_swaps(tmp_path, dataset):
    dataset = _folders(tmp_path, "A", "B") if dataset == "files" else dataset
    there = _open(dataset, channels=1, out_channels=3)
    back = _open(dataset, channels=3, out_channels=1, direction="b2a")
    first, second = (stream.source.read(np.arange(3)) for stream in (there, back))
    assert first["a"].shape[-1] == 1 and first["b"].shape[-1] == 3
    np.testing.assert_array_equal(first["a"], second["b"])
    np.testing.assert_array_equal(first["b"], second["a"])
    assert there.columns["a"] == back.columns["b"] and there.fingerprint != back.fingerprint
    batch = next(batches(there, batch_size=2, seed=0).as_numpy_iterator())
    assert batch["a"].shape == (2, 16, 16, 1) and batch["b"].dtype == np.float32
    with pytest.raises(UserError, match="direction 'b2b'"):
        _open(dataset, direction="b2b")


def test_files_without_a_partner_are_named(tmp_path):
    dataset = _folders(tmp_path, "A", "B")
    (tmp_path / "A" / "notes.txt").write_text("needs no partner")
    noise(3).save(tmp_path / "B" / "3.jpg")
    with pytest.raises(UserError, match=r"1 images .*no partner.*: B/3\.jpg\. Add the"):
        _open(dataset)
    noise(3).save(tmp_path / "A" / "3.png")
    assert len(_open(dataset)) == 4  # formats may differ
    noise(4).save(tmp_path / "A" / "3.jpg")
    with pytest.raises(UserError, match=r"A/3\.png and A/3\.jpg differ in their endings alone"):
        _open(dataset)


def test_pairs_of_two_sizes_are_bad(tmp_path):
    dataset = _folders(tmp_path, "A", "B")
    noise(1, 20).save(tmp_path / "B" / "1.png")
    with pytest.raises(UserError, match=r"A/1\.png and B/1\.png: .*two sizes: 16x16 and 20x20"):
        _open(dataset)
    (tmp_path / "B" / "2.png").write_text("hello")
    report = check(dataset, progress=False)
    assert [p.path for p in report.of_kind("bad")] == [f"A/{i}.png and B/{i}.png" for i in (1, 2)]
    stream = _open(dataset, on_bad_file="skip")
    assert _are_pairs(stream, 1)


@pytest.mark.parametrize("width", [33, 16])
def test_images_that_cannot_hold_two_are_bad(tmp_path, width):
    _side_by_side(tmp_path, count=1, width=width)
    with pytest.raises(UserError, match=rf"0\.png: {width}x16: its width must be even, and more"):
        _open(f"paired:{tmp_path}")


def test_a_changed_partner_is_prepared_again(tmp_path):
    dataset = _folders(tmp_path, "A", "B")
    first = _open(dataset)
    noise(9).save(tmp_path / "B" / "1.png")
    second = _open(dataset)
    assert first.fingerprint != second.fingerprint
    np.testing.assert_array_equal(second.source.read(np.array([1]))["b"][0], np.asarray(noise(9)))


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (f"paired:{__file__}", "is a file. Expected a folder of pairs"),
        ("folder:cats", "no set of pairs.*paired:cats"),
        ("horse2zebra", "true translations of horse2zebra are not known"),
        ("paired:absent", "There is no folder"),
        ("paired:", "names no path"),
    ],
)
def test_what_holds_no_pairs_is_explained(dataset, message):
    with pytest.raises(UserError, match=message):
        _open(dataset)


def test_an_empty_split_is_explained(tmp_path):
    for folder in ("A", "B"):
        (tmp_path / folder).mkdir()
    with pytest.raises(UserError, match="is empty"):
        _open(f"paired:{tmp_path}")
    write_images(tmp_path / "A", 2)
    with pytest.raises(UserError, match=r"2 images .*: A/0000\.png, A/0001\.png"):
        _open(f"paired:{tmp_path}")
