"""The bundled data sets; how they look is tested in test_shapes."""

import numpy as np
import pytest

from ganzoo.data import FORMATS, drawn, open_source, shapes
from ganzoo.errors import UserError


def _read(drawing, indices, size=32):
    return drawing.sized(size, [3]).read(np.asarray(indices))


def test_source_reads_images_and_labels():
    source = open_source("shapes", image_size=16, channels=1, labels=True)
    found = source.read(np.arange(10))
    assert found["image"].shape == (10, 16, 16, 1) and found["label"].dtype == np.int32
    assert np.array_equal(found["label"], shapes.factors(np.arange(10))["shape"])
    assert (len(source), source.num_classes) == (50_000, 5)
    assert source.class_names == ("circle", "square", "triangle", "star", "heart")
    plain = open_source("shapes", image_size=16, channels=1)
    assert plain.num_classes == 0 and not plain.read(np.arange(10))["label"].any()
    assert plain.fingerprint != source.fingerprint
    with pytest.raises(IndexError, match="0 to 49999"):
        source.read(np.array([50_000]))


@pytest.mark.parametrize("wrong", [{"image_size": 8}, {"image_size": 512}, {"split": "test"}])
def test_what_it_does_not_have_is_refused(wrong):
    with pytest.raises(UserError, match=r"16 to 256|one split 'train'"):
        open_source("shapes", **({"image_size": 32, "channels": 3} | wrong))


def test_every_column_of_shapes_belongs_to_the_same_scene():
    columns = ("attributes", "caption", "mask", "outline", "striped")
    source = open_source("shapes", image_size=32, channels=3, labels=True, columns=columns)
    indices = np.array([7, 40_000])
    found = source.read(indices)
    assert set(found) == {"image", "label", *columns}
    for name, column in source.columns.items():
        assert found[name].shape == (2, *column.shape)
        assert np.issubdtype(found[name].dtype, column.dtype)
    np.testing.assert_array_equal(found["image"], shapes.draw(indices, 32))
    for look in ("mask", "outline", "striped"):
        np.testing.assert_array_equal(found[look], shapes.draw(indices, 32, look=look))
    np.testing.assert_array_equal(found["attributes"], shapes.attributes(indices))
    assert [text.decode() for text in found["caption"][:, 0]] == shapes.captions(indices)
    roles = {name: column.role for name, column in source.columns.items()}
    assert roles["mask"] == "mask" and roles["attributes"] == "attributes"


def test_some_attributes_can_be_chosen():
    options = {"image_size": 32, "channels": 3, "columns": ("attributes",)}
    source = open_source("shapes", image_size=32, channels=3, attributes="star,red")
    assert source.columns["attributes"].names == ("star", "red")
    known, found = shapes.factors(np.arange(50)), source.read(np.arange(50))["attributes"]
    np.testing.assert_array_equal(found[:, 0], known["shape"] == 3)
    np.testing.assert_array_equal(found[:, 1], known["color"] == 0)
    assert source.fingerprint != open_source("shapes", **options).fingerprint
    with pytest.raises(UserError, match=r"Unknown attribute of shapes 'rde'\. Did you mean red"):
        open_source("shapes", attributes="star,rde", **options)
    with pytest.raises(UserError, match=r"Unknown column of shapes 'masks'\. Did you mean mask"):
        open_source("shapes", image_size=32, channels=3, columns=("masks",))
    with pytest.raises(UserError, match="cifar10 has no column 'outline'"):
        open_source("cifar10", image_size=32, channels=3, columns=("outline",))
    assert "star" in FORMATS["attributes"].inspect("shapes").attribute_names


def test_the_bundled_domains_show_the_same_scenes_in_their_test_split_only():
    a, b = drawn.find_domains("solid2striped", "test")
    solid, striped = (_read(domain, np.arange(5))["image"] for domain in (a, b))
    np.testing.assert_array_equal(solid[:, :2], striped[:, :2])  # the background
    assert (solid != striped).any(axis=(1, 2, 3)).all()
    a, b = drawn.find_domains("solid2striped", "train")
    assert not set(a.scenes) & set(b.scenes)
    with pytest.raises(UserError, match="split of solid2striped"):
        drawn.find_domains("solid2striped", "valid")
    with pytest.raises(UserError, match="16 to 512 px, got 600"):
        _read(a, [0], size=600)


@pytest.mark.parametrize("name", drawn.DOMAINS)
def test_pairs_show_one_scene_twice_and_no_scene_in_two_splits(name):
    train, test = (drawn.find_pairs(name, split) for split in ("train", "test"))
    assert not set(train.scenes) & set(test.scenes)
    found = _read(test, [0, 999])
    scenes = np.array([20_000, 20_999])
    for column, look in zip("ab", drawn.DOMAINS[name], strict=True):
        np.testing.assert_array_equal(found[column], shapes.draw(scenes, 32, look=look))


def test_no_scene_is_in_two_splits():
    scenes = [index for split in drawn.SPLITS.values() for index in split]
    assert len(scenes) == len(set(scenes)) == 21_000
