import json
import zipfile

import numpy as np
import pytest

from ganzoo.data import check, inspect, open_source
from ganzoo.data.collection import numbered
from ganzoo.errors import UserError

from .helpers import encoded, noise, write_images


def _open(path, **options):
    settings = {"image_size": 16, "channels": 3, "labels": True, "progress": False}
    return open_source(f"folder:{path}", **settings | options)


def _nvidia(folder, labels, count=4):
    """What NVIDIA's dataset_tool.py writes: folders that are mere parts, and a table of labels."""
    for i in range(count):
        path = folder / f"0000{i // 2}" / f"img{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise(i).save(path)
    (folder / "dataset.json").write_text(json.dumps(labels))
    return folder


def _entries(*classes):
    return [[f"0000{i // 2}/img{i}.png", label] for i, label in enumerate(classes)]


def test_numbered_classes_are_in_the_order_of_their_numbers(tmp_path):
    for name in ("10", "2", "1", "b-3", "a-11", "a-9", "a"):
        write_images(tmp_path / name, 1)
    assert _open(tmp_path).class_names == ("1", "2", "10", "a", "a-9", "a-11", "b-3")


def test_classes_are_told_with_their_numbers(tmp_path):
    assert numbered(["cat", "dog"]) == "0 = cat, 1 = dog"
    assert numbered(["a", "b", "c"], most=2) == "0 = a, 1 = b, and 1 more"
    write_images(tmp_path / "10", 1)
    write_images(tmp_path / "9", 1)
    assert check(f"folder:{tmp_path}", labels=True, progress=False).class_names == ("9", "10")


@pytest.mark.parametrize("packed", [False, True])
def test_classes_of_nvidias_dataset_tool_are_read(tmp_path, packed):
    path = _nvidia(tmp_path / "data", {"labels": _entries(2, 0, 0, 2)})
    if packed:
        with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
            for file in sorted(path.rglob("*.*")):
                archive.write(file, file.relative_to(tmp_path))
        path = tmp_path / "data.zip"
    source = _open(path)
    assert source.class_names == ("0", "1", "2")
    images, labels = source.read(np.arange(4))
    assert labels.tolist() == [2, 0, 0, 2]
    assert np.array_equal(images[3], np.asarray(noise(3)))
    assert inspect(f"folder:{path}", labels=True).num_classes == 3
    assert len(_open(path, labels=False)) == 4


def test_an_image_that_the_table_does_not_list_is_bad(tmp_path):
    path = _nvidia(tmp_path, {"labels": _entries(1, 0, 1)})
    with pytest.raises(UserError, match=r"00001/img3\.png: is not listed in dataset\.json"):
        _open(path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"labels": None}, "lists no labels"),
        ({"labels": _entries([0.5, 1.0])}, r"has the entry .*\[0\.5, 1\.0\].*Expected a path and"),
        ({"labels": _entries(-1)}, r'entry \["00000/img0\.png", -1\]'),
    ],
)
def test_a_table_without_class_numbers_is_refused(tmp_path, labels, message):
    path = _nvidia(tmp_path, labels)
    with pytest.raises(UserError, match=message):
        _open(path)
    (path / "dataset.json").write_text("{")
    with pytest.raises(UserError, match=r"dataset\.json of .* cannot be read"):
        _open(path)


def test_another_programs_table_is_no_table_of_classes(tmp_path):
    assert _open(_nvidia(tmp_path, {"name": "mine"})).class_names == ("00000", "00001")


def test_splits_are_no_classes(tmp_path):
    for folder in ("train/cat", "train/dog", "Val/cat", "Val/dog"):
        write_images(tmp_path / folder, 1)
    with pytest.raises(UserError, match=rf"(?s)Val, train, .*--dataset=folder:{tmp_path}/Val"):
        _open(tmp_path)
    assert _open(tmp_path / "train").class_names == ("cat", "dog")
    assert len(_open(tmp_path, labels=False)) == 4
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("train/cat/1.png", "test/cat/1.png"):
            archive.writestr(name, encoded(noise()))
    with pytest.raises(UserError, match="unpack it and write --dataset=folder:PATH/test"):
        _open(tmp_path / "a.zip")
