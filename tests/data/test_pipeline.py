import dataclasses
import hashlib
import itertools
import subprocess
import sys

import numpy as np
import pytest

from ganzoo.data import ArraySource, Column, ImageStream, batches, open_source
from ganzoo.errors import UserError


def _source(count=10, size=2):
    """Image `i` has the label `i`, and pixels that tell left from right."""
    images = np.zeros((count, size, size, 1), np.uint8)
    images[:, :, 0] = 255
    return ArraySource.of_images(images, np.arange(count), tuple(map(str, range(count))))


def _line(count=10, **options):
    return ImageStream(_source(count), **options)


def _take(dataset, count):
    found = list(itertools.islice(dataset.as_numpy_iterator(), count))
    return {key: np.stack([batch[key] for batch in found]) for key in found[0]}


def _equal(first, second):
    return all(np.array_equal(first[key], second[key]) for key in first)


def test_shapes_types_and_range_are_fixed():
    dataset = batches(
        ImageStream(open_source("shapes", image_size=16, channels=3)), batch_size=4, seed=0
    )
    image, label = dataset.element_spec["image"], dataset.element_spec["label"]
    assert (image.shape, image.dtype.name) == ((4, 16, 16, 3), "float32")
    assert (label.shape, label.dtype.name) == ((4,), "int32")
    dataset = batches(_line(), batch_size=4, seed=0)
    assert np.unique(_take(dataset, 1)["image"]).tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("batch_size", [3, 4, 25])
def test_each_epoch_shows_every_image_once_in_a_new_order(batch_size):
    labels = _take(batches(_line(), batch_size=batch_size, seed=1), 20)["label"].ravel()
    epochs = labels[: len(labels) // 10 * 10].reshape(-1, 10)
    assert (np.sort(epochs) == np.arange(10)).all()
    assert len(np.unique(epochs, axis=0)) == len(epochs)


def _all_roles(count=11, size=4):
    """A source of every role; its images know their number, and left from right."""
    numbers = np.arange(count)
    across = np.broadcast_to(np.arange(size) >= size // 2, (count, size, size))[..., None]
    arrays = {
        "image": (numbers[:, None, None, None] * 2 + across).astype(np.uint8),
        "mask": across.astype(np.uint8),
        "label": numbers.astype(np.int32),
        "attributes": np.stack([numbers % 2, numbers % 3 == 0], axis=1).astype(np.float32),
        "embedding": np.float32(numbers[:, None] + [0.25, -0.5, 0.125]),
        "text": np.array([[f"number {i}".encode()] for i in numbers]),
    }
    roles = {"image": "image", "mask": "mask", "label": "class"}
    columns = {n: Column(a.shape[1:], roles.get(n, n)) for n, a in arrays.items()}
    return ArraySource(name="all", columns=columns, fingerprint="", preparation={}, arrays=arrays)


def _belong_together(batch):
    number = batch["label"].ravel()
    pixels = np.round((batch["image"] + 1) * 127.5).reshape(len(number), *batch["image"].shape[-3:])
    masks = batch["mask"].reshape(pixels.shape)
    np.testing.assert_array_equal(pixels, number[:, None, None, None] * 2 + masks)
    attributes = batch["attributes"].reshape(-1, 2)
    np.testing.assert_array_equal(attributes, np.stack([number % 2, number % 3 == 0], axis=1))
    embeddings = batch["embedding"].reshape(-1, 3)
    np.testing.assert_array_equal(embeddings, number[:, None] + np.float32([0.25, -0.5, 0.125]))
    texts = batch["text"].ravel().tolist()
    assert texts == [f"number {i}".encode() for i in number]
    return (masks[:, 0, 0, 0] == 1).mean()  # how many are mirrored


@pytest.mark.parametrize("crop", [None, 4, 2])
def test_columns_are_moved_and_converted_by_their_roles(crop):
    stream = ImageStream(_all_roles(), flip=crop != 2, crop=crop)
    dataset = batches(stream, batch_size=8, seed=0)
    for name, spec in dataset.element_spec.items():
        assert spec.dtype == {"label": "int32", "text": "string"}.get(name, "float32")
        assert spec.shape == (8, *stream.columns[name].shape)
    found = _take(dataset, 30)
    assert set(found) == {"image", "mask", "label", "attributes", "embedding", "text"}
    mirrored = _belong_together(found)
    assert crop == 2 or 0.4 < mirrored < 0.6
    assert set(np.unique(found["mask"])) == {0, 1}


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_every_role_is_shared_by_replicas_and_resumed(replicas):
    stream, settings = ImageStream(_all_roles(), flip=True, crop=3), {"batch_size": 8, "seed": 3}
    whole = _take(batches(stream, **settings).skip(5), 4)
    parts = _take(batches(stream, start_step=5, num_replicas=replicas, **settings), 4 * replicas)
    assert _equal(whole, {name: parts[name].reshape(whole[name].shape) for name in parts})
    _belong_together(parts)


def test_arrays_that_do_not_fit_their_columns_are_refused():
    source = _all_roles()
    wrong = {**source.arrays, "attributes": source.arrays["attributes"].astype(int)}
    with pytest.raises(UserError, match=r"'attributes' has int64 \(2,\).* float32 \(2,\)"):
        dataclasses.replace(source, arrays=wrong)


def test_drawings_bring_masks_and_attributes_of_their_own():
    columns = ("mask", "attributes")
    source = open_source("shapes", image_size=32, channels=3, labels=True, columns=columns)
    batch = _take(batches(ImageStream(source, flip=True), batch_size=64, seed=0), 1)
    image, mask = batch["image"][0], batch["mask"][0]
    inside = (image * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3))
    outside = (image * (1 - mask)).sum((1, 2, 3)) / (1 - mask).sum((1, 2, 3))
    assert (inside > outside + 0.3).all()  # bright shapes on dark ground, mirrored with their masks
    np.testing.assert_array_equal(batch["attributes"][0, :, :5].argmax(axis=1), batch["label"][0])


def test_mapped_files_are_read_like_arrays(tmp_path):
    source = _source()
    np.save(tmp_path / "images.npy", source.arrays["image"])
    arrays = {**source.arrays, "image": np.load(tmp_path / "images.npy", mmap_mode="r")}
    mapped = dataclasses.replace(source, arrays=arrays)
    first, second = (
        batches(ImageStream(s, flip=True), batch_size=4, seed=0) for s in (source, mapped)
    )
    assert _equal(_take(first, 5), _take(second, 5))


def test_seeds_give_other_orders():
    first, second = (_line(100).indices(seed, np.arange(100))["image"] for seed in (0, 1))
    assert (first == second).sum() < 10


@pytest.mark.parametrize("flip", [False, True])
def test_any_step_can_be_started_from(flip):
    stream, settings = _line(flip=flip), {"batch_size": 4, "seed": 3}
    whole = batches(stream, **settings)
    resumed = batches(stream, start_step=7, **settings)
    assert _equal(_take(whole.skip(7), 5), _take(resumed, 5))
    far = batches(stream, start_step=10**12, **settings)
    assert _equal(_take(far, 1), _take(far, 1))


@pytest.mark.parametrize("replicas", [2, 4])
def test_replicas_share_the_batches_of_one(replicas):
    stream, settings = _line(flip=True), {"batch_size": 8, "seed": 3, "start_step": 2}
    one = _take(batches(stream, **settings), 6)
    many = _take(batches(stream, num_replicas=replicas, **settings), 6 * replicas)
    assert many["label"].shape == (6 * replicas, 8 // replicas)
    assert _equal(one, {key: many[key].reshape(one[key].shape) for key in one})


def test_workers_share_the_batches_of_one():
    stream, settings = _line(flip=True), {"batch_size": 8, "seed": 3, "start_step": 2}
    one = _take(batches(stream, **settings), 6)["label"]
    workers = [
        batches(stream, num_replicas=4, first_replica=first, local_replicas=2, **settings)
        for first in (0, 2)
    ]
    parts = [_take(worker, 12)["label"].reshape(6, 4) for worker in workers]
    assert np.array_equal(one, np.concatenate(parts, axis=1))


def test_half_of_the_images_are_flipped_differently_in_each_epoch():
    stream = _line(1000, shuffle=False, flip=True)
    epochs = [stream.read(0, epoch * 1000, 1000)["image"] for epoch in range(3)]
    flips = np.stack([images[:, 0, 0, 0] == 0 for images in epochs])
    assert abs(flips.mean(axis=1) - 0.5).max() < 0.06
    assert abs(np.corrcoef(flips) - np.eye(3)).max() < 0.12
    unflipped = _line(1000).read(0, 0, 1000)["image"]
    assert (unflipped[:, :, 0] == 255).all()


def test_flipping_leaves_the_source_alone():
    source = _source()
    ImageStream(source, flip=True).read(0, 0, 50)
    assert (source.arrays["image"][:, :, 0] == 255).all()


def test_without_shuffling_the_order_is_that_of_the_source():
    labels = _take(batches(_line(shuffle=False), batch_size=4, seed=0), 5)["label"]
    assert np.array_equal(labels.ravel(), np.arange(20) % 10)


def test_fewer_images_than_a_batch_are_repeated():
    labels = _take(batches(_line(3), batch_size=7, seed=0), 3)["label"].ravel()
    assert np.bincount(labels).tolist() == [7, 7, 7]


@pytest.mark.slow
def test_other_processes_draw_the_same_batches():
    code = """
import hashlib, itertools
from ganzoo.data import ImageStream, batches, open_source
stream = ImageStream(open_source("shapes", image_size=16, channels=3, labels=True), flip=True)
digest = hashlib.sha256()
for batch in itertools.islice(batches(stream, batch_size=8, seed=5), 20):
    digest.update(batch["image"].numpy().tobytes() + batch["label"].numpy().tobytes())
print(digest.hexdigest())
"""
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    stream = ImageStream(open_source("shapes", image_size=16, channels=3, labels=True), flip=True)
    digest = hashlib.sha256()
    for batch in itertools.islice(batches(stream, batch_size=8, seed=5), 20):
        digest.update(batch["image"].numpy().tobytes() + batch["label"].numpy().tobytes())
    assert other.stdout.strip() == digest.hexdigest()


@pytest.mark.parametrize(
    ("batch_size", "replicas", "nearest"), [(65, 2, "64 or 66"), (3, 8, "is 8"), (0, 2, "is 2")]
)
def test_a_batch_that_replicas_cannot_share_is_refused(batch_size, replicas, nearest):
    with pytest.raises(UserError, match=nearest):
        batches(_line(), batch_size=batch_size, seed=0, num_replicas=replicas)


def test_a_distributed_data_set_is_not_sharded_again():
    options = batches(_line(), batch_size=2, seed=0).options()
    assert options.experimental_distribute.auto_shard_policy.name == "OFF"
    assert options.deterministic
