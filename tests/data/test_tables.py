import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from ganzoo.data import Column, ImageStream, batches, check, inspect, open_source
from ganzoo.data.classes import numbered
from ganzoo.errors import UserError
from tests import commands

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
    found = source.read(np.arange(4))
    assert found["label"].tolist() == [2, 0, 0, 2]
    assert np.array_equal(found["image"][3], np.asarray(noise(3)))
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


def _table(folder, *rows, name="attributes.csv", count=3):
    write_images(folder / "images", count)
    (folder / name).write_text("\n".join(rows) + "\n")
    return folder


_ROWS = ("file,Male,Smiling", "images/0000.png,1,0", "images/0001.png,0,0", "images/0002.png,1,1")
_CELEBA = ("3", "Male Smiling", "0000.png  1 -1", "0001.png -1 -1", "0002.png  1  1")


def _attributes(path, **options):
    return _open(path, labels=False, columns=("attributes",), **options)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "rows"), [("attributes.csv", _ROWS), ("list_attr_celeba.txt", _CELEBA)]
)
def test_attributes_are_read_from_a_table(tmp_path, name, rows, packed):
    path = _table(tmp_path / "data", *rows, name=name)
    if packed:
        with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
            for file in sorted(path.rglob("*.*")):
                archive.write(file, file.relative_to(tmp_path))
        path = tmp_path / "data.zip"
    for _ in ("prepared", "from the cache"):
        source = _attributes(path)
        found = source.read(np.arange(3))
        assert found["attributes"].dtype == np.float32
        assert found["attributes"].tolist() == [[1, 0], [0, 0], [1, 1]]
        assert np.array_equal(found["image"][2], np.asarray(noise(2)))
    column = source.columns["attributes"]
    assert (column.role, column.shape, column.names) == ("attributes", (2,), ("Male", "Smiling"))
    chosen = _attributes(path, attributes="Smiling")
    assert chosen.read(np.arange(3))["attributes"].tolist() == [[0], [0], [1]]
    info = inspect(f"folder:{path}", columns=("attributes",))
    assert info.attribute_names == ("Male", "Smiling") and info.count == 3
    assert "attributes" not in _open(path, labels=False).columns


def test_other_values_have_another_fingerprint(tmp_path):
    first = _attributes(_table(tmp_path, *_ROWS))
    (tmp_path / "attributes.csv").write_text("\n".join(_ROWS).replace("1,0", "1,1"))
    assert _attributes(tmp_path).fingerprint != first.fingerprint


def test_rows_and_files_must_match(tmp_path):
    rows = (*_ROWS[:3], "images/0007.png,1,1")
    _table(tmp_path, *rows)
    with pytest.raises(UserError) as error:
        _attributes(tmp_path)
    message = str(error.value)
    assert "2 of 4 files" in message and "--attributes" in message
    assert "images/0002.png: not listed in attributes.csv" in message
    assert "images/0007.png: unreadable: listed in attributes.csv, but missing" in message
    report = check(f"folder:{tmp_path}", columns=("attributes",), progress=False)
    assert len(report.of_kind("bad")) == 2
    found = _attributes(tmp_path, on_bad_file="skip").read(np.arange(2))
    assert found["attributes"].tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (("images/0000.png,1,0",), r"begins with 'images/0000\.png,1,0'\. Expected a header"),
        (("file", "images/0000.png"), "begins with 'file'"),
        (("file,Male,Male",), "begins with 'file,Male,Male'"),
        ((*_ROWS[:3], "images/0002.png,nan,1"), r"'images/0002\.png' has 'nan,1'.*each 0 or 1"),
        ((*_ROWS[:3], "images/0002.png,2,1"), "has '2,1'"),
        ((*_ROWS[:3], "images/0002.png,1"), r"has '1'\. Expected .* with 2 values"),
        ((*_ROWS[:3], "images/0002.png,1,"), "has '1,'"),
        ((*_ROWS, _ROWS[1]), r"'images/0000\.png' is listed twice"),
        (("",), "begins with ''"),
    ],
)
def test_what_is_wrong_with_a_table_is_explained(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        _attributes(_table(tmp_path, *rows))


def test_a_cut_table_of_celeba_is_refused(tmp_path):
    path = _table(tmp_path, *_CELEBA[:-1], name="list_attr_celeba.txt")
    with pytest.raises(UserError, match="its first line says 3 rows, and there are 2"):
        _attributes(path)
    (path / "attributes.csv").write_text("\n".join(_ROWS))
    with pytest.raises(UserError, match=r"one table .*Found: attributes\.csv, list_attr_celeba"):
        _attributes(path)


def test_attributes_need_a_table(tmp_path):
    with pytest.raises(UserError, match=r"needs one table of attributes.*Found: none"):
        _attributes(write_images(tmp_path, 1))


def test_a_name_that_two_files_have_is_refused(tmp_path):
    write_images(tmp_path / "b", 1)
    write_images(tmp_path / "a", 1)
    (tmp_path / "attributes.csv").write_text("file,Male\n0000.png,1\n")
    with pytest.raises(UserError, match=r"is both a/0000\.png and b/0000\.png"):
        _attributes(tmp_path)


_CAPTIONS = ("file,caption", "images/0000.png,a star", 'images/0001.png,"red, small"')
_CAPTIONS += ("images/0002.png,eins", "images/0002.png,zwei ä")


def _captions(path, **options):
    return _open(path, labels=False, columns=("caption",), **options)


@pytest.mark.parametrize("name", ["captions.csv", "captions.jsonl"])
def test_captions_are_read_from_a_table_and_repeated_to_be_as_many(tmp_path, name):
    rows = _CAPTIONS
    if name == "captions.jsonl":
        texts = ["a star", "red, small", ["eins", "zwei ä"]]
        files = [f"images/000{i}.png" for i in range(3)]
        objects = [{"file": f, "caption": t} for f, t in zip(files, texts, strict=True)]
        rows = map(json.dumps, objects)
    _table(tmp_path, *rows, name=name)
    for _ in ("prepared", "from the cache"):
        source = _captions(tmp_path)
        found = source.read(np.arange(3))["caption"]
        expected = [["a star"] * 2, ["red, small"] * 2, ["eins", "zwei ä"]]
        assert np.char.decode(found, "utf-8").tolist() == expected
    assert source.columns["caption"] == Column((2,), "text")
    assert source.fingerprint != _open(tmp_path, labels=False).fingerprint
    (batch,) = batches(ImageStream(source, shuffle=False), batch_size=3, seed=0).take(1)
    assert batch["caption"].dtype == "string" and batch["caption"].shape == (3, 2)
    assert batch["caption"][1, 0] == b"red, small"


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("captions.csv", _CAPTIONS[1:], r"begins with 'images/0000\.png,a star'\. Expected the"),
        ("captions.csv", ("file,caption", "images/0000.png,red, small"), "has to be in quotes"),
        ("captions.csv", ("file,caption", "images/0000.png, "), "caption that is not empty"),
        ("captions.jsonl", ('{"file": "images/0000.png"}',), r'has \["images/0000\.png", null\]'),
        ("captions.jsonl", ('{"file": "a.png", "caption": [""]}',), "caption that is not empty"),
        ("captions.jsonl", ("[1]",), "cannot be read"),
        ("captions.txt", _CAPTIONS, "one table of captions, captions.csv or captions.jsonl"),
    ],
)
def test_what_is_wrong_with_captions_is_explained(tmp_path, name, rows, message):
    with pytest.raises(UserError, match=message):
        _captions(_table(tmp_path, *rows, name=name))


def test_captions_and_files_must_match(tmp_path):
    _table(tmp_path, *_CAPTIONS[:3], "images/0009.png,away", name="captions.csv")
    with pytest.raises(UserError) as error:
        _captions(tmp_path)
    message = str(error.value)
    assert "2 of 4 files" in message and "--captions" in message
    assert "images/0002.png: not listed in captions.csv" in message
    assert "images/0009.png: unreadable: listed in captions.csv, but missing" in message
    done = commands.run("data", "check", f"--dataset=folder:{tmp_path}", "--captions")
    assert done.code == 1 and "2 bad" in done.out


_FILES = [f"images/000{i}.png" for i in range(3)]
_VECTORS = np.arange(24, dtype=np.float64).reshape(3, 2, 4)


def _embeddings(folder, files=_FILES, **arrays):
    write_images(folder / "images", 3)
    np.savez(folder / "embeddings.npz", files=files, **arrays)
    return _open(folder, labels=False, columns=("embedding",))


@pytest.mark.parametrize("vectors", [_VECTORS, _VECTORS[:, 0]])
def test_embeddings_are_read_by_file_name(tmp_path, vectors):
    source = _embeddings(tmp_path, _FILES[::-1], embeddings=vectors)
    found = source.read(np.arange(3))["embedding"]
    assert found.dtype == np.float32 and np.array_equal(found, vectors[::-1])
    assert source.columns["embedding"] == Column(vectors.shape[1:], "embedding")
    (batch,) = batches(ImageStream(source, shuffle=False), batch_size=3, seed=0).take(1)
    assert np.array_equal(batch["embedding"], found)
    changed = _embeddings(tmp_path, _FILES, embeddings=vectors)
    assert changed.fingerprint != source.fingerprint


def test_captions_and_embeddings_are_read_together(tmp_path):
    _embeddings(tmp_path, embeddings=_VECTORS)
    (tmp_path / "captions.csv").write_text("\n".join(_CAPTIONS))
    source = _open(tmp_path, labels=False, columns=("embedding", "caption"))
    found = source.read(np.arange(3))
    assert found["embedding"].shape == (3, 2, 4) and found["caption"][0, 0] == b"a star"


@pytest.mark.parametrize(
    ("files", "arrays", "message"),
    [
        (_FILES, {"vectors": _VECTORS}, r"'embeddings is not a file.*np\.savez\(path, files=names"),
        (_FILES[:2], {"embeddings": _VECTORS}, r"files \(2,\) of <U15, and embeddings \(3, 2, 4\)"),
        (_FILES, {"embeddings": _VECTORS[:, 0, 0]}, r"Expected names .*\(N, E\), or \(N, K, E\)"),
        ([0, 1, 2], {"embeddings": _VECTORS}, r"files \(3,\) of int64"),
        (_FILES, {"embeddings": _VECTORS * [1, 1, 1, np.nan]}, r"'images/0000\.png' .*\(NaN\)"),
        (_FILES[:1] * 3, {"embeddings": _VECTORS}, "lists 'images/0000.png' twice"),
        (_FILES[:2], {"embeddings": _VECTORS[:2]}, "0002.png: not listed in embeddings.npz"),
        ([*_FILES[:2], "b"], {"embeddings": _VECTORS}, "b: unreadable: listed in embeddings.npz"),
        (np.array(_FILES, object), {"embeddings": _VECTORS}, "cannot be read: Object arrays"),
    ],
)
def test_what_is_wrong_with_embeddings_is_explained(tmp_path, files, arrays, message):
    with pytest.raises(UserError, match=message):
        _embeddings(tmp_path, files, **arrays)


def _masks(folder, image_folder="photos", size=16):
    """Images, and masks that are bright in their left half."""
    write_images(folder / image_folder, 3)
    mask = np.zeros((size, size), np.uint8)
    mask[:, : size // 2] = 255
    for i in range(3):
        path = folder / "masks" / image_folder.removeprefix("photos") / f"{i:04d}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
    return folder


@pytest.mark.parametrize("folder", ["photos", "cat", "."])
def test_masks_go_through_the_cache_and_move_with_their_images(tmp_path, folder):
    _masks(tmp_path, folder)
    for _ in ("prepared", "from the cache"):
        source = _open(tmp_path, labels=folder == "cat", columns=("mask",))
        found = source.read(np.arange(3))
        assert np.array_equal(found["image"], [np.asarray(noise(i)) for i in range(3)])
        assert (found["mask"][:, :, :8] == 1).all() and (found["mask"][:, :, 8:] == 0).all()
    assert source.columns["mask"] == Column((16, 16, 1), "mask")
    assert source.class_names == (("cat",) if folder == "cat" else ())
    stream = ImageStream(source, flip=True, crop=12)
    (batch,) = batches(stream, batch_size=32, seed=0).take(1)
    assert batch["mask"].shape == (32, 12, 12, 1) and set(np.unique(batch["mask"])) == {0, 1}
    assert 0 < np.mean(batch["mask"][:, 0, 0, 0]) < 1
    assert source.fingerprint != _open(tmp_path, labels=False).fingerprint


def test_masks_and_images_must_match(tmp_path):
    _masks(tmp_path, size=16)
    (tmp_path / "masks" / "notes.txt").write_text("passed over")
    (tmp_path / "masks" / "0002.bmp").rename(tmp_path / "masks" / "0007.bmp")
    Image.new("L", (16, 16), 1).save(tmp_path / "masks" / "0000.bmp")
    Image.new("L", (16, 8)).save(tmp_path / "masks" / "0001.bmp")
    with pytest.raises(UserError) as error:
        _open(tmp_path, labels=False, columns=("mask",))
    message = str(error.value)
    assert "4 of 4 files" in message and "--masks" in message
    assert "0000.png: its mask is 1 where it is brightest; expected 255 inside" in message
    assert "0001.png: the images of a pair have two sizes: 16x16 and 16x8" in message
    assert "photos/0002.png: has no mask of its name below masks" in message
    assert "masks/0007.bmp: unreadable: a mask, whose image is missing" in message
    with pytest.raises(UserError, match="Masks need images of one size"):
        _open(tmp_path, labels=False, columns=("mask",), fit="keep")
    with pytest.raises(UserError, match="has no folder masks"):
        _open(tmp_path / "photos", labels=False, columns=("mask",))
