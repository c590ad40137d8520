import os
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds

from ganzoo.data import FORMATS, check, inspect, open_source
from ganzoo.errors import UserError

from .helpers import noise

_IMAGE = tfds.features.Image
_LABEL = tfds.features.ClassLabel


def _prepare(folder, name, features, examples):
    """Write a data set in TFDS' format; there is no code of that name to read it back."""
    tfds.dataset_builders.store_as_tfds_dataset(
        name=name,
        version="1.0.0",
        features=tfds.features.FeaturesDict(features),
        split_datasets={"train": list(enumerate(examples))},
        data_dir=folder,
        disable_shuffling=True,
    )


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    images = [np.asarray(noise(i)) for i in range(12)]
    labels = ["cat", "dog"] * 6
    named = [{"image": i, "label": t} for i, t in zip(images, labels, strict=True)]
    _prepare(
        folder,
        "pets",
        {"image": _IMAGE(shape=(16, 16, 3)), "label": _LABEL(names=["cat", "dog"])},
        named,
    )
    pairs = list(enumerate(images[:2]))
    grey = [{"picture": np.asarray(noise(i, 20 + i, "L"))[..., None]} for i in range(3)]
    _prepare(folder, "sketches", {"picture": _IMAGE(shape=(None, None, 1))}, grey)
    _prepare(folder, "numbers", {"value": tfds.features.Scalar(np.int64)}, [{"value": 1}])
    faces = [
        {"image": i, "attributes": {"Young": n % 2 == 0, "Male": n < 3}, "place": n}
        for n, i in enumerate(images[:5])
    ]
    bools = tfds.features.FeaturesDict({"Young": np.bool_, "Male": np.bool_})
    face = {"image": _IMAGE(shape=(16, 16, 3)), "attributes": bools, "place": np.int64}
    _prepare(folder, "faces", face, faces)
    texts = [{"image": i, "text": "a", "caption": ["b", "c", "d"][: 2 + n]} for n, i in pairs]
    several = tfds.features.Sequence(tfds.features.Text())
    text = {"image": _IMAGE(shape=(16, 16, 3)), "text": tfds.features.Text(), "caption": several}
    _prepare(folder, "captioned", text, texts)
    rows = [{"image": i, "captions": [{"text": f"n{n}", "id": n}]} for n, i in pairs]
    nested = tfds.features.Sequence({"text": tfds.features.Text(), "id": np.int64})
    _prepare(folder, "subtitled", {"image": _IMAGE(shape=(16, 16, 3)), "captions": nested}, rows)
    negatives = [{"input": i, "target": 255 - i} for i in images]
    pair = {"target": _IMAGE(shape=(16, 16, 3)), "input": _IMAGE(shape=(16, 16, 3))}
    _prepare(folder, "negatives", pair, negatives)
    wide = [{"image": np.concatenate([i, 255 - i], axis=1)} for i in images]
    _prepare(folder, "wide", {"image": _IMAGE(shape=(16, 32, 3))}, wide)
    floats = [{"image": np.zeros((8, 8, 1), np.float32)}]
    _prepare(folder, "depths", {"image": _IMAGE(shape=(8, 8, 1), dtype=np.float32)}, floats)
    return str(folder)


def test_images_and_labels_are_those_of_the_data_set(data_dir):
    source = open_source("pets", image_size=16, channels=3, data_dir=data_dir, labels=True)
    found = source.read(np.arange(12))
    assert np.array_equal(found["image"], [np.asarray(noise(i)) for i in range(12)])
    assert found["label"].tolist() == [0, 1] * 6
    assert source.class_names == ("cat", "dog") and source.num_classes == 2


def test_images_of_any_size_under_another_name(data_dir):
    source = open_source("sketches", image_size=16, channels=1, data_dir=data_dir)
    assert source.read(np.arange(3))["image"].shape == (3, 16, 16, 1)


def test_a_part_of_a_split(data_dir):
    options = {"image_size": 16, "channels": 3, "data_dir": data_dir}
    part = open_source("pets", split="train[4:7]", **options)
    whole = open_source("pets", **options)
    assert np.array_equal(part.read(np.arange(3))["image"], whole.read(np.arange(4, 7))["image"])
    assert part.fingerprint != whole.fingerprint


def test_inspect_uses_the_features_or_the_headers(data_dir):
    assert inspect("pets", data_dir=data_dir, labels=True)[:5] == ("pets", (16, 16), 3, 2, 12)
    assert inspect("sketches", data_dir=data_dir)[:5] == ("sketches", (21, 21), 1, 0, 3)


def test_attributes_are_the_group_of_features_that_are_true_or_false(data_dir):
    options = {"image_size": 16, "channels": 3, "data_dir": data_dir, "columns": ("attributes",)}
    source = open_source("faces", **options)
    assert source.columns["attributes"].names == ("Male", "Young")
    expected = [[n < 3, n % 2 == 0] for n in range(5)]
    assert np.array_equal(source.read(np.arange(5))["attributes"], expected)
    with pytest.raises(UserError, match="pets has no group of attributes"):
        open_source("pets", **options)


def test_captions_are_the_feature_of_texts(data_dir):
    options = {"image_size": 16, "channels": 3, "data_dir": data_dir, "columns": ("caption",)}
    found = [
        open_source(n, **options).read(np.arange(2))["caption"] for n in ("captioned", "subtitled")
    ]
    assert found[0].tolist() == [[b"b", b"c", b"b"], [b"b", b"c", b"d"]]
    assert found[1].tolist() == [[b"n0"], [b"n1"]]
    with pytest.raises(UserError, match="pets has no single feature of captions"):
        open_source("pets", **options)
    with pytest.raises(UserError, match="subtitled has no embeddings: they are read from files"):
        open_source("subtitled", **options | {"columns": ("embedding",)})


@pytest.mark.parametrize("name", ["negatives", "wide"])
def test_pairs_are_two_features_or_stored_side_by_side(data_dir, name):
    options = {"image_size": 16, "channels": 3, "load_size": 16, "data_dir": data_dir}
    stream = FORMATS["paired"].open(name, **options)
    found = stream.source.read(np.arange(12))
    assert np.array_equal(found["a"], [np.asarray(noise(i)) for i in range(12)])
    assert np.array_equal(found["b"], 255 - found["a"])
    info = FORMATS["paired"].inspect(name, data_dir=data_dir)
    assert (info.size, info.channels, info.count) == ((16, 16), 3, 12)
    assert check(name, data_dir=data_dir, paired=True, progress=False).usable == 12
    with pytest.raises(UserError, match=r"(?s)16x16: its width must be even.* --paired "):
        FORMATS["paired"].open("pets", **options)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("numbers", {}, "(?s)not a data set of single images.*value"),
        ("depths", {}, "float32 images"),
        ("sketches", {"labels": True}, "(?s)no single class label.*picture"),
        ("pets", {"split": "trian"}, "Unknown split of pets 'trian'. Did you mean train"),
    ],
)
def test_what_cannot_be_used_is_explained(data_dir, name, options, message):
    with pytest.raises(UserError, match=message):
        open_source(name, image_size=8, channels=3, data_dir=data_dir, **options)


def test_a_file_that_was_cut_is_told(data_dir, tmp_path):
    shutil.copytree(f"{data_dir}/pets", tmp_path / "pets")
    (record,) = tmp_path.rglob("*.tfrecord*")
    os.truncate(record, record.stat().st_size // 2)
    with pytest.raises(
        UserError, match=r"(?s)files of pets in .* are damaged: .*prepare them again"
    ):
        open_source("pets", image_size=16, channels=3, data_dir=str(tmp_path))


def test_without_a_network_it_is_told_what_to_do(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise ConnectionError("Failed to resolve 'example.org'")

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", refuse)
    with pytest.raises(UserError, match=r"(?s)resolve.*--data_dir=DIR.*folder:PATH.*shapes"):
        open_source("mnist", image_size=32, channels=1, data_dir=str(tmp_path))


def test_no_download_for_what_holds_no_images(tmp_path, monkeypatch):
    monkeypatch.setattr(
        tfds.core.DatasetBuilder, "download_and_prepare", lambda self: pytest.fail("downloaded")
    )
    with pytest.raises(UserError, match="not a data set of single images"):
        inspect("imdb_reviews", data_dir=str(tmp_path))
