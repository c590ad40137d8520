"""Inputs whose right outputs are known, to measure models that convert images by."""

import numpy as np
import pytest
from PIL import Image

from ganzoo.data import shapes
from ganzoo.errors import UserError
from ganzoo.evaluation import reconstruction
from tests.data.helpers import noise


def test_reductions_come_with_the_images_they_were_made_of(tmp_path):
    noise(0, 42).resize((53, 42)).save(tmp_path / "a.png")
    (tmp_path / "0.txt").write_text("no image, passed over")
    ((name, small, large),) = reconstruction.open_reductions(
        f"folder:{tmp_path}", scale=4, channels=3
    )
    assert name == "a.png" and small.shape == (10, 13, 3) and large.shape == (40, 52, 3)


def test_known_translations_are_the_pairs_of_a_data_set(tmp_path):
    both = np.concatenate([np.full((20, 20, 3), 50), np.full((20, 20, 3), 200)], axis=1)
    (tmp_path / "test").mkdir()
    Image.fromarray(both.astype(np.uint8)).save(tmp_path / "test" / "0.png")
    options = {"image_size": 16, "channels": 3}
    ((name, a, b),) = reconstruction.open_translations(f"paired:{tmp_path}", **options)
    assert name == "0.png" and a.shape == (16, 16, 3) and (a == 50).all() and (b == 200).all()
    name, a, b = next(reconstruction.open_translations("outlines2shapes", **options))
    assert name == "drawing 0"
    np.testing.assert_array_equal(a, shapes.draw([20_000], 16, look="outline")[0])
    np.testing.assert_array_equal(b, shapes.draw([20_000], 16)[0])
    name, a, b = next(reconstruction.open_translations("solid2striped", direction="b2a", **options))
    np.testing.assert_array_equal(a, shapes.draw([20_000], 16, look="striped")[0])
    with pytest.raises(UserError, match="not known"):
        reconstruction.open_translations("horse2zebra", image_size=16, channels=3)
