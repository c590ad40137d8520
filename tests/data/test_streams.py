"""Lines of unpaired images and of patches; those of single images are tested in test_pipeline."""

import numpy as np
import pytest

from ganzoo import bicubic
from ganzoo.data import ArraySource, PackedSource, PatchStream, UnpairedStream

RANDOM = np.random.default_rng(0)


def _domain(count, size=12):
    """Image `i` has the red level `i`, and pixels that tell where they were cut from."""
    images = np.zeros((count, size, size, 3), np.uint8)
    images[..., 0] = np.arange(count)[:, None, None]
    images[..., 1] = np.arange(size)[:, None]
    images[..., 2] = np.arange(size)
    return ArraySource.of_images(images)


def _packed(*sizes):
    images = [RANDOM.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
    return PackedSource(
        name="noise",
        channels=3,
        fingerprint="",
        pixels=np.concatenate([image.ravel() for image in images]),
        sizes=np.int32(sizes),
    )


UNPAIRED = UnpairedStream((_domain(7), _domain(10)), image_size=8)
PATCHES = PatchStream(_packed((40, 33), (24, 24), (27, 50)), image_size=12, scale=4)


def _shapes(stream):
    return {name: column.shape for name, column in stream.columns.items()}


@pytest.mark.parametrize("stream", [UNPAIRED, PATCHES], ids=["unpaired", "patches"])
def test_examples_are_a_function_of_seed_and_position(stream):
    whole, part = stream.read(3, 0, 20), stream.read(3, 8, 5)
    assert {name: array.shape[1:] for name, array in whole.items()} == _shapes(stream)
    for name, array in part.items():
        assert array.dtype == np.uint8
        np.testing.assert_array_equal(whole[name][8:13], array)
        assert (stream.read(4, 8, 5)[name] != array).any()


def test_each_domain_is_shuffled_on_its_own():
    examples = UNPAIRED.read(0, 0, 140)
    numbers = {name: images[:, 0, 0, 0] for name, images in examples.items()}
    for name, count in (("a", 7), ("b", 10)):
        epochs = numbers[name].reshape(-1, count)
        assert (np.sort(epochs) == np.arange(count)).all()
    pairs = set(zip(numbers["a"], numbers["b"], strict=True))
    assert len(pairs) > 50 and len(UNPAIRED) == 10


def test_crops_reach_every_place_and_half_are_mirrored():
    images = UNPAIRED.read(0, 0, 400)["a"]
    tops, lefts = images[:, 0, 0, 1], images[:, 0, :, 2].min(axis=1)
    assert set(tops) == set(lefts) == set(range(5))
    assert abs((images[:, 0, 0, 2] > images[:, 0, 1, 2]).mean() - 0.5) < 0.1
    for image, top in zip(images, tops, strict=True):
        np.testing.assert_array_equal(image[:, 0, 1], top + np.arange(8))
    plain = UnpairedStream(UNPAIRED.domains, image_size=8, flip=False).read(0, 0, 50)["b"]
    assert (np.diff(plain[:, 0, :, 2].astype(int)) == 1).all()


def test_a_patch_and_its_reduction_are_parts_of_the_whole_images():
    stream = PatchStream(PATCHES.source, image_size=12, scale=4, flip=False, turn=False)
    wholes = [PATCHES.source.image(index) for index in range(3)]
    reduced = [bicubic.downscale(w[: len(w) // 4 * 4, : w.shape[1] // 4 * 4], 4) for w in wholes]
    examples = stream.read(0, 0, 60)
    places = {
        _place(w, reduced, *pair) for pair in zip(*examples.values(), strict=True) for w in [wholes]
    }
    assert len(places) > 20 and {place[0] for place in places} == {0, 1, 2}


def _place(wholes, reduced, patch, small):
    """Where the pair was cut from; fails unless both come from the same place."""
    for index, whole in enumerate(wholes):
        for top in range(reduced[index].shape[0] - 2):
            for left in range(reduced[index].shape[1] - 2):
                large = whole[4 * top : 4 * top + 12, 4 * left : 4 * left + 12]
                if np.array_equal(large, patch):
                    expected = reduced[index][top : top + 3, left : left + 3]
                    np.testing.assert_array_equal(small, expected)
                    return index, top, left
    raise AssertionError("the patch is no part of any image")


def test_patches_appear_in_all_eight_orientations():
    source = _packed((12, 12))
    stream = PatchStream(source, image_size=12, scale=4)
    examples = stream.read(0, 0, 200)
    seen = {patch.tobytes() for patch in examples["image"]}
    turns = [np.rot90(source.image(0), k) for k in range(4)]
    assert seen == {np.ascontiguousarray(i).tobytes() for t in turns for i in (t, t[:, ::-1])}
    for patch, small in zip(*examples.values(), strict=True):
        np.testing.assert_array_equal(bicubic.downscale(patch, 4), small)
