import re

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image as Pillow

from ganzoo import images, models
from ganzoo.errors import UserError
from ganzoo.inputs import Classes, Image, Latents, Mode, Option, numbers
from ganzoo.seeds import Random
from ganzoo.translation import ImageGAN

PETS = Classes(3, ("cat", "dog", "big fish"))


@pytest.mark.parametrize(
    "value, found",
    [
        ("dog", [1]),
        ("big fish, cat", [2, 0]),
        ("0-1,dog", [0, 1, 1]),
        (2, [2]),
        ([0, "dog"], [0, 1]),
        (np.array([1, 2]), [1, 2]),
    ],
)
def test_classes_are_named_by_numbers_and_names(value, found):
    assert PETS.read(value) == found


@pytest.mark.parametrize(
    "classes, value, words",
    [
        (PETS, "dgo", "Unknown class 'dgo'. Did you mean dog?"),
        (PETS, "0-3", "label 3: the model has classes 0 to 2"),
        (PETS, -1, "label -1"),
        (Classes(2), "dog", "Known: 0, 1."),
        (Classes(0), "dog", "the model has no classes"),
    ],
)
def test_what_is_no_class_is_refused(classes, value, words):
    with pytest.raises(UserError, match=re.escape(words)):
        classes.read(value)


def test_a_number_is_that_of_a_class_whatever_the_names_are():
    assert Classes(3, ("2", "1", "0")).read("2") == [2]


def test_inputs_draw_what_their_tensors_are():
    for each in (Latents(5), Latents(5, "uniform"), PETS):
        drawn = each.draw(Random(0, step=0), 64)
        assert each.spec.is_compatible_with(drawn) and len(np.unique(drawn)) >= 3
        assert each.spec.is_compatible_with(tf.constant(each.example()))
    assert np.abs(Latents(5, "uniform").draw(Random(0, step=0), 64)).max() < 1.0


def test_options_are_read_by_their_defaults():
    assert Option(1.0, "").read("psi", "0.5") == 0.5
    assert Option(None, "").read("cutoff", "3") == 3
    assert Option(False, "").read("exact", "true") is True
    assert Option("a", "", choices=("a", "b")).read("kind", "b") == "b"
    for option, text in ((Option(1, ""), "x"), (Option("a", "", choices=("a",)), "c")):
        with pytest.raises(UserError):
            option.read("name", text)


def test_numbers_are_lists_of_ranges():
    assert numbers("seeds", "1-3, 7") == [1, 2, 3, 7]
    with pytest.raises(UserError, match="--seeds=3-1"):
        numbers("seeds", "3-1")


class Blend(ImageGAN):
    """Mixes an image with an aligned mask and the mean of another image."""

    channels, overlap = 3, 4

    def generators(self):
        return {"net": None}

    def modes(self):
        mask = Image(1, name="mask", aligned=True)
        return {"blend": self.converting(blend, "net", mask, Image(3, name="style"))}


def blend(image, mask, style):
    mean = tf.reduce_mean(style, axis=(1, 2), keepdims=True)
    return tf.where(mask > 0, mean, image)


def test_other_images_lie_over_each_tile_or_are_seen_whole(tmp_path):
    rng = np.random.default_rng(0)
    image, style = (rng.uniform(-1, 1, [n, n, 3]).astype(np.float32) for n in (50, 20))
    mask = np.where(rng.random([50, 50, 1]) < 0.5, 1.0, -1.0).astype(np.float32)
    expected = np.where(mask > 0, style.mean(axis=(0, 1)), image)
    for tile in (512, 32):
        found = Blend().convert(image, tile=tile, mask=mask, style=style)
        np.testing.assert_allclose(found, expected, atol=1e-6)
    images.save(images.to_uint8(style), tmp_path / "style.png")
    path = tmp_path / "style.png"
    same = [Blend().convert(image, mask=mask, style=s) for s in (path, Pillow.open(path))]
    np.testing.assert_array_equal(*same)


@pytest.mark.parametrize(
    "given, words",
    [
        ({}, "mask, style missing"),
        ({"mask": np.zeros([8, 8, 1]), "style": np.zeros([4, 4, 3])}, "images of 9x9 and 8x8"),
        ({"msk": 0}, "Unknown input 'msk'. Did you mean mask?"),
    ],
)
def test_inputs_that_are_missing_or_do_not_fit_are_named(given, words):
    with pytest.raises(UserError, match=re.escape(words)):
        Blend().convert(np.zeros([9, 9, 3], np.float32), **given)


def test_a_mode_says_what_it_is_given_and_which_flags_give_it():
    mode = Mode(
        (Latents(4), PETS), (Image(3, size=8),), None, "generator", {"psi": Option(1.0, "p")}
    )
    assert mode.draws and mode.find(Classes) is PETS and mode.find(Image) is None
    assert mode.flags() == ("num", "seed", "seeds", "classes", "psi")
    text = "\n".join(mode.words())
    assert "0 = cat, 1 = dog" in text and "--psi=1.0: p" in text and "8 px" in text
    described = models.load("dcgan_mnist").describe()
    assert described.startswith("DCGAN, mode generate") and "latents [N, 100]" in described
