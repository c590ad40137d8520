"""Which labels are used, and what is shown beside the images that have them."""

import numpy as np
import pytest

from ganzoo.data import ArraySource, SemiSupervisedStream, choose_labeled, open_source
from ganzoo.data.formats import open_semi_supervised
from ganzoo.errors import UserError

from .helpers import write_images

LABELS = np.arange(60) % 3  # 20 of each class


def _source(labels=LABELS, names=("a", "b", "c")):
    """Image `i` has the level `i`."""
    images = (
        np.zeros((len(labels), 8, 8, 1), np.uint8) + np.arange(len(labels))[:, None, None, None]
    )
    return ArraySource.of_images(np.uint8(images), labels, names)


def test_each_class_has_as_many_labels():
    chosen = np.array(choose_labeled(_source(), 12, seed=0))
    assert len(set(chosen)) == 12 and chosen.max() < 60
    assert (np.bincount(LABELS[chosen]) == 4).all()
    assert (np.bincount(LABELS[list(choose_labeled(_source(), 11, seed=0))]) == [4, 4, 3]).all()
    assert choose_labeled(_source(), None, seed=0) == tuple(range(60))
    assert sorted(choose_labeled(_source(), 60, seed=0)) == list(range(60))


def test_a_seed_of_its_own_decides_which():
    one, again, other = (choose_labeled(_source(), 12, seed) for seed in (1, 1, 2))
    assert one == again != other
    few, more = (set(choose_labeled(_source(), count, 1)) for count in (6, 12))
    assert few < more  # so that runs with more labels know more


def test_labels_are_those_of_the_images_beside_any_image():
    chosen = choose_labeled(_source(), 6, seed=0)
    stream = SemiSupervisedStream(_source(), chosen)
    assert len(stream) == 60
    whole, part = stream.read(5, 0, 120), stream.read(5, 40, 7)
    levels = {name: whole[name][:, 0, 0, 0] for name in ("image", "unlabeled")}
    np.testing.assert_array_equal(whole["label"], LABELS[levels["image"]])
    assert set(levels["image"]) == set(chosen)
    assert (np.bincount(levels["image"])[list(chosen)] == 20).all()
    assert (np.bincount(levels["unlabeled"]) == 2).all()  # two epochs
    for name, array in part.items():
        np.testing.assert_array_equal(whole[name][40:47], array)
    positions = np.arange(120)
    for name, indices in stream.indices(5, positions).items():
        np.testing.assert_array_equal(indices, levels[name])
    other = stream.read(6, 0, 120)
    for name in ("image", "unlabeled"):
        assert (other[name] != whole[name]).any()


def test_both_images_are_mirrored_independently():
    images = np.tile(np.arange(8, dtype=np.uint8), (60, 8, 1))[..., None]
    source = ArraySource.of_images(images, LABELS, ("a", "b", "c"))
    found = SemiSupervisedStream(source, (0, 1), flip=True).read(0, 0, 400)
    mirrored = {name: found[name][:, 0, 0, 0] == 7 for name in ("image", "unlabeled")}
    for flips in mirrored.values():
        assert flips.mean() == pytest.approx(0.5, abs=0.1)
    assert (mirrored["image"] == mirrored["unlabeled"]).mean() == pytest.approx(0.5, abs=0.1)


def test_the_fingerprint_knows_which_labels_are_used():
    streams = [
        open_semi_supervised(
            "shapes", image_size=16, channels=1, labeled=labeled, labeled_seed=seed
        )
        for labeled, seed in ((5, 0), (5, 0), (10, 0), (5, 1))
    ]
    prints = [stream.fingerprint for stream in streams]
    assert prints[0] == prints[1] and len(set(prints)) == 3


@pytest.mark.parametrize(
    ("labels", "names", "count", "words"),
    [
        (LABELS, ("a", "b", "c"), 63, "labeled = 63: expected 3 to 60 .* 3 classes .* 'a' has 20"),
        (LABELS, ("a", "b", "c"), 2, "labeled = 2: expected 3 to 60"),
        (LABELS, ("a", "b", "c", "d"), 4, "no image of the class 'd'"),
        (np.zeros(9, int), (), 3, "no labels; expected images of every class"),
        (np.minimum(LABELS, 1), ("a", "b"), 60, "expected 2 to 40 .* 'a' has 20 images"),
    ],
)
def test_labels_that_are_not_there_are_missed(labels, names, count, words):
    with pytest.raises(UserError, match=words):
        choose_labeled(_source(labels, names), count, seed=0)


def test_a_folder_without_classes_is_refused(tmp_path):
    write_images(tmp_path, 3)
    with pytest.raises(UserError, match="class"):
        open_semi_supervised(f"folder:{tmp_path}", image_size=16, channels=3, labeled=2)


def test_labels_are_read_without_images():
    source = open_source("shapes", image_size=16, channels=1, labels=True)
    found = source.read(np.arange(3), ["label"])
    assert set(found) == {"label"} and set(_source().read(np.arange(3), ["label"])) == {"label"}
    np.testing.assert_array_equal(found["label"], source.read(np.arange(3))["label"])
