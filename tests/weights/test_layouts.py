"""That they are the published ones is what the goldens of `tests/models` show."""

import numpy as np
import pytest

from ganzoo import models
from ganzoo.errors import UserError
from ganzoo.programs import (
    cyclegan_pytorch,
    dcgan_pytorch,
    mimicry,
    stylegan2_ada_pytorch,
)
from ganzoo.weights import layouts
from tests.weights import layouts as unread

SMALL = {
    "cyclegan": [
        ("a2b", cyclegan_pytorch.resnet),
        ("discriminator_a", cyclegan_pytorch.discriminator),
    ],
    "dcgan": [
        ("generator", dcgan_pytorch.generator),
        ("discriminator", unread.dcgan_discriminator),
    ],
    "srgan": [
        ("generator", unread.lornatang_srresnet),
        ("discriminator", unread.lornatang_discriminator),
    ],
    "ssgan": [
        ("generator", mimicry.generator),
        ("discriminator", unread.mimicry_discriminator),
    ],
    "stylegan2_ada": [
        ("generator", stylegan2_ada_pytorch.generator),
        ("discriminator", stylegan2_ada_pytorch.discriminator),
    ],
}
# What the files of those programs do not have, or have in another form.
LEFT_OUT = {"alpha", "u", "count"}


@pytest.fixture(params=SMALL)
def name(request):
    return request.param


def build(name):
    extra = {"architecture": "mimicry"} if name == "ssgan" else {}
    return models.build(name, **dict(models.model_class(name).TINY) | extra)


def test_weights_survive_the_way_there_and_back(name):
    ours, other = build(name), build(name)
    for part, layout in SMALL[name]:
        arrays = layouts.export(layout(getattr(ours, part)))
        layouts.assign(layout(getattr(other, part)), arrays)
        pairs = zip(getattr(ours, part).variables, getattr(other, part).variables, strict=True)
        for left, right in pairs:
            if left.name not in LEFT_OUT:
                np.testing.assert_array_equal(left, right, err_msg=left.path)


def test_every_variable_has_one_name(name):
    model = build(name)
    for part, layout in SMALL[name]:
        network = getattr(model, part)
        entries = list(layout(network))
        assert len({entry.name for entry in entries}) == len(entries)
        mapped = {id(entry.variable) for entry in entries}
        missing = {v.name for v in network.variables if id(v) not in mapped}
        assert missing <= LEFT_OUT


def test_arrays_of_another_network_are_refused_and_nothing_is_assigned(name):
    model = build(name)
    part, layout = SMALL[name][0]
    network = getattr(model, part)
    arrays = layouts.export(layout(network))
    before = [v.numpy() for v in network.variables]
    first, *_, last = arrays
    del arrays[first]
    changed = {key: value + 1 for key, value in arrays.items()} | {last: np.zeros([7, 7])}
    with pytest.raises(UserError, match=f"{first} .* is missing") as caught:
        layouts.assign(layout(network), changed)
    assert f"{last} has the shape (7, 7)" in str(caught.value)
    for old, new in zip(before, network.variables, strict=True):
        np.testing.assert_array_equal(old, new)
