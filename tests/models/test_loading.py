"""Trained models by name, and what they take and give."""

import dataclasses
import hashlib
import itertools
import json
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo import images as pictures
from ganzoo import models, weights
from ganzoo.errors import UserError
from ganzoo.models import named
from ganzoo.programs import cyclegan_pytorch, stylegan2_ada_pytorch
from ganzoo.translation import ImageGAN
from ganzoo.weights import layouts
from tests import commands

pytestmark = pytest.mark.usefixtures("eager")

BUNDLED = [name for name, preset in models.presets().items() if preset.url is None]
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", BUNDLED)
def test_what_comes_with_ganzoo_works_and_has_a_card(name):
    model = models.load(name)
    assert model.card.startswith(f"# {name}\n") and "python -m ganzoo.train" in model.card
    assert models.presets()[name].license in model.card
    for part in model.generators():
        packed = (named.FOLDER / name / f"{part}.npz").read_bytes()
        assert f"SHA-256 of {part}.npz: {hashlib.sha256(packed).hexdigest()}" in model.card
    assert "/" not in (named.FOLDER / name / "config.json").read_text()  # no path of a machine
    if isinstance(model, ImageGAN):
        image = RNG.uniform(-1, 1, (24, 20, model.channels)).astype(np.float32)
        images = model.convert(image)[None]
        assert images.shape == (1, 24 * model.scale, 20 * model.scale, model.channels)
    else:
        images = model.generate(2, seed=1)
    assert np.isfinite(images).all() and np.abs(images).max() <= 1 and images.std() > 0.1
    known = {id(v) for network in model.generators().values() for v in network.variables}
    assert all(id(v) in known or v.path.endswith("step") for v in model.variables)


@pytest.mark.slow
def test_packing_keeps_what_a_model_makes(tmp_path):
    arguments = dict(models.model_class("ssgan").TINY)
    model = models.build("ssgan", **arguments)
    models.save(model, "ssgan", arguments, tmp_path / "model")
    models.pack(tmp_path, tmp_path / "packed" / "model")
    packed = models.load(tmp_path / "packed")
    np.testing.assert_allclose(packed.generate(2), model.generate(2), atol=0.01)


@pytest.mark.slow
def test_what_is_downloaded_is_of_known_programs():
    downloaded = [preset for preset in models.presets().values() if preset.url is not None]
    assert len(downloaded) > 30 and {p.program for p in downloaded} <= set(models.PROGRAMS)
    assert all(p.sha256 is None or len(p.sha256) in (8, 64) for p in downloaded)
    assert all(p.url.startswith("https://") and p.data for p in downloaded)
    for preset in downloaded:
        if preset.sha256 is None:
            model = models.construct(models.PROGRAMS[preset.program].model_name, **preset.arguments)
            assert model.arguments["image_size"] >= 32


def test_the_names_of_classes_are_kept(tmp_path):
    arguments = {**models.model_class("ssgan").TINY, "num_classes": 3}
    model = models.construct("ssgan", **arguments)
    model.build_for_inference()
    names = model.class_names = ("circle", "heart", "star")
    models.save(model, "ssgan", arguments, tmp_path / "run" / "model")
    models.pack(tmp_path / "run", tmp_path / "packed")
    models.load(tmp_path / "run").save(tmp_path / "net.keras")
    for path in ("run", "run/model/generator.weights.h5", "packed", "net.keras"):
        assert models.load(tmp_path / path).class_names == names
    assert keras.saving.load_model(tmp_path / "net.keras").class_names == names
    described = tmp_path / "run" / "model" / "config.json"
    facts = json.loads(described.read_text())
    del facts["class_names"]  # as earlier versions wrote it
    described.write_text(json.dumps(facts))
    assert models.load(tmp_path / "run").class_names == ()
    assert models.load("dcgan_mnist").class_names == ()


def test_presets_print_as_a_table():
    table = models.presets()
    rows = repr(table).splitlines()
    assert [row.split()[0] for row in rows] == list(table)
    begins = [row.index(p.title) for row, p in zip(rows, table.values(), strict=True)]
    assert len(set(begins)) == 1
    wheres = [row.endswith("(comes with ganzoo)") for row in rows]
    assert wheres == [preset.url is None for preset in table.values()]


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A generator in the layout of the official CycleGAN, behind a URL and under a name."""
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    model = models.build("cyclegan", image_size=128, num_blocks=1, generator_width=4)
    arrays = layouts.export(cyclegan_pytorch.resnet(model.a2b))
    np.savez(tmp_path / "net.npz", **arrays)
    preset = models.presets()["cyclegan_horse2zebra"]
    preset = dataclasses.replace(
        preset,
        url=(tmp_path / "net.npz").as_uri(),
        sha256=hashlib.sha256((tmp_path / "net.npz").read_bytes()).hexdigest(),
        arguments={**preset.arguments, "image_size": 128, "num_blocks": 1, "generator_width": 4},
    )
    monkeypatch.setitem(named.TABLE, preset.name, preset)
    return model


def test_an_authors_model_by_name(published, tmp_path):
    loaded = models.load("cyclegan_horse2zebra")
    image = RNG.uniform(-1, 1, (32, 40, 3)).astype(np.float32)
    expected = published.convert(image, "a2b")
    np.testing.assert_allclose(loaded.translate(image), expected, atol=1e-5)
    pinned = hashlib.sha256((tmp_path / "net.npz").read_bytes()).hexdigest()
    for words in ("BSD 2-Clause", "Data: ImageNet", "FID 62.11", f"SHA-256: {pinned}"):
        assert words in loaded.card
    with pytest.raises(UserError, match="Unknown mode 'b2a'"):
        loaded.translate(image, "b2a")
    # One generator alone is also what is saved and loaded again, and found in a bare file.
    _, name, arguments = models.read_model(tmp_path / "net.npz")
    models.save(loaded, name, arguments, tmp_path / "run" / "model")
    loaded.save(tmp_path / "net.keras")
    for again in (
        models.load(tmp_path / "run"),
        models.load(tmp_path / "net.npz"),
        keras.saving.load_model(tmp_path / "net.keras"),
    ):
        np.testing.assert_allclose(again.translate(image), expected, atol=1e-5)


def test_an_authors_pix2pix_by_name(tmp_path, monkeypatch):
    """A file of today's names, without a hash: its arguments have to be those that are expected."""
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    arguments = {"image_size": 32, "generator_width": 8, "dropout": "pytorch"}
    model = models.build("pix2pix", **arguments)
    weights.write_pytorch(
        layouts.export(cyclegan_pytorch.unet(model.generator)), tmp_path / "n.pth"
    )
    preset = models.presets()["pix2pix_edges2shoes"]
    url = (tmp_path / "n.pth").as_uri()
    small = dataclasses.replace(preset, url=url, arguments=preset.arguments | arguments)
    monkeypatch.setitem(named.TABLE, preset.name, small)
    loaded = models.load(preset.name)
    image = RNG.uniform(-1, 1, (32, 40, 3)).astype(np.float32)
    expected = model.translate(image, seed=3)
    np.testing.assert_allclose(loaded.translate(image, seed=3), expected, atol=1e-5)
    assert "Data: UT Zappos50K" in loaded.card
    done = commands.run("models", "info", str(tmp_path / "n.pth"))
    assert done.code == 0 and "Pix2Pix, mode translate" in done.out, done.err
    monkeypatch.setitem(named.TABLE, preset.name, dataclasses.replace(preset, url=url))
    with pytest.raises(UserError, match="image_size = 32, expected 256; generator_width = 8"):
        models.load(preset.name)


def test_a_mirror_serves_authors_models_by_their_file_names(published, monkeypatch, tmp_path):
    preset = models.presets()["cyclegan_horse2zebra"]
    (tmp_path / "mirror").mkdir()
    (tmp_path / "net.npz").rename(tmp_path / "mirror" / "horse2zebra.pth")
    monkeypatch.setenv("GANZOO_MIRROR", str(tmp_path / "mirror"))
    url = "https://nowhere.invalid/pretrained_models/horse2zebra.pth"
    monkeypatch.setitem(named.TABLE, preset.name, dataclasses.replace(preset, url=url))
    image = RNG.uniform(-1, 1, (32, 40, 3)).astype(np.float32)
    expected = published.convert(image, "a2b")
    np.testing.assert_allclose(models.load(preset.name).translate(image), expected, atol=1e-5)


def test_another_network_is_refused_where_no_hash_is_known(published, monkeypatch):
    preset = models.presets()["cyclegan_horse2zebra"]
    theirs = {**preset.arguments, "num_blocks": 9, "generator_width": 64}
    monkeypatch.setitem(named.TABLE, preset.name, dataclasses.replace(preset, arguments=theirs))
    with pytest.raises(UserError, match="generator_width = 4, expected 64; num_blocks = 1"):
        models.load(preset.name)


def test_a_changed_file_is_refused(published, tmp_path):
    models.load("cyclegan_horse2zebra")
    np.savez(tmp_path / "net.npz", other=np.zeros(3))
    with pytest.raises(UserError, match="it is another file, and was not read"):
        models.load("cyclegan_horse2zebra")


@pytest.mark.parametrize("architecture", ["srresnet", "msrresnet"])
def test_what_is_given_comes_back_in_kind(tmp_path, architecture):
    model = models.build("srgan", **models.model_class("srgan").TINY, architecture=architecture)
    pixels = RNG.integers(0, 256, (9, 7, 3), np.uint8)
    large = model.upscale(pixels)
    assert large.dtype == np.uint8 and large.shape == (36, 28, 3)
    np.testing.assert_array_equal(model.upscale(np.stack([pixels] * 2)), np.stack([large] * 2))
    floats = model.upscale(pixels / np.float32(127.5) - 1.0)
    rounded = model.upscale(tf.constant([[[1.0 + 2e-7] * 3]] * 2))
    np.testing.assert_array_equal(rounded, model.upscale(tf.ones([2, 1, 3], tf.bfloat16)))
    assert floats.dtype == np.float32
    np.testing.assert_array_equal(pictures.to_uint8(floats), large)
    np.testing.assert_array_equal(np.asarray(model.upscale(Image.fromarray(pixels))), large)
    Image.fromarray(pixels).save(tmp_path / "small.png")
    for path in (tmp_path / "small.png", str(tmp_path / "small.png")):
        np.testing.assert_array_equal(np.asarray(model.upscale(path)), large)
    transparent = Image.fromarray(np.dstack([pixels, pixels[..., :1]]))
    result = model.upscale(transparent)
    assert (result.mode, result.size) == ("RGBA", (28, 36))
    for wrong, words in (
        (pixels[..., 0], "an array of shape"),
        (pixels[:0], "with pixels in it"),
        (pixels[None][:0], "with pixels in it"),
        (pixels * 1.0, r"floats from \d+ to 25\d; expected floats from -1"),
        (pixels.astype(np.int32), "an array of int32; expected uint8, or floats"),
        (np.full(pixels.shape, np.nan), "an array of floats from nan to nan"),
        (Image.fromarray(pixels[..., 0].astype(np.int32) << 16), "32-bit pixels"),
        (Image.fromarray(pixels[..., 0].astype(np.float32)), "32-bit pixels"),
    ):
        with pytest.raises(UserError, match=words):
            model.upscale(wrong)


@pytest.mark.parametrize("generator", ["resnet", "unet"])
def test_images_may_be_smaller_than_a_generator_can_take(generator):
    model = models.build("cyclegan", **models.model_class("cyclegan").TINY, generator=generator)
    for shape in ((3, 3, 3), (1, 64, 3), (64, 1, 3)):
        image = RNG.uniform(-1, 1, shape).astype(np.float32)
        assert model.translate(image).shape == shape


def test_no_image_at_all_is_refused():
    model = models.load("dcgan_mnist")
    with pytest.raises(UserError, match="num = 0; expected 1 or more"):
        model.generate(0)
    with pytest.raises(UserError, match="no latents"):
        model.decode(np.zeros((0, 100), np.float32))


@pytest.mark.parametrize("name", ["ssgan", "stylegan2_ada"])
def test_classes_must_be_given_where_images_depend_on_them(name):
    model = models.build(name, **models.model_class(name).TINY, num_classes=3)
    latents = np.zeros((2, model.latent_dim), np.float32)
    assert model(latents, np.array([0, 2])).shape[0] == 2
    with pytest.raises(UserError, match="needs a class for each image here, from 0 to 2"):
        model(latents)


@pytest.mark.parametrize(
    "saved",
    [
        {"class_name": "Functional", "module": "keras", "config": {"layers": []}},
        {"class_name": "system", "module": "os", "config": {"command": "touch executed"}},
        {"class_name": "DCGAN", "module": "os", "config": {"command": "touch executed"}},
        {"class_name": "DCGAN", "config": {"image_size": "large"}, "build_config": {}},
        ["DCGAN"],
        None,
    ],
)
def test_archives_of_other_classes_are_refused(tmp_path, monkeypatch, saved):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile("net.keras", "w") as archive:
        archive.writestr("config.json" if saved else "other.json", json.dumps(saved))
    with pytest.raises(UserError, match=r"net\.keras holds no model that ganzoo saved"):
        models.load("net.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["net.keras"]


@pytest.mark.parametrize("text", ["{", "[1]", "7"])
def test_damaged_descriptions_are_told(tmp_path, text):
    np.savez(tmp_path / "generator.npz", np.zeros(3))
    (tmp_path / "config.json").write_text(text)
    for name in (tmp_path, tmp_path / "generator.npz"):
        with pytest.raises(UserError, match=r"config\.json is damaged"):
            models.load(name)


@pytest.mark.parametrize(
    "name, words",
    [
        ("cyclegan_horse2zebr", "Did you mean cyclegan_horse2zebra"),
        ("stylegan2_ada_paper256", "--config=stylegan2_ada_paper256"),
        ("runs/none", "Nor is runs/none a file or a run directory"),
    ],
)
def test_names_that_are_not_known(name, words):
    with pytest.raises(UserError, match=words):
        models.load(name)


def test_discriminators_come_from_checkpoints_only():
    with pytest.raises(UserError, match="comes with ganzoo without its discriminators"):
        models.load("dcgan_mnist", discriminator=True)
    with pytest.raises(UserError, match="Did you mean dcgan_mnist"):
        models.load("dcgan_mnits", discriminator=True)


@pytest.mark.slow
@pytest.mark.parametrize("num_classes", [0, 3])
def test_discriminators_of_published_files(tmp_path, num_classes):
    model = models.build(
        "stylegan2_ada", **models.model_class("stylegan2_ada").TINY, num_classes=num_classes
    )
    networks = {
        "G": (model.generator, stylegan2_ada_pytorch.generator),
        "G_ema": (model.averaged_generator, stylegan2_ada_pytorch.generator),
        "D": (model.discriminator, stylegan2_ada_pytorch.discriminator),
    }
    arrays = {}
    for name, (network, layout) in networks.items():
        for variable in network.variables:
            variable.assign(RNG.normal(size=variable.shape))
        arrays |= {f"{name}.{key}": a for key, a in layouts.export(layout(network)).items()}
    arrays |= {"G_ema.synthesis.b16.torgb.conv_clamp": 8.0, "D.b4.mbstd.group_size": 2}
    np.savez(tmp_path / "net.npz", **arrays)
    loaded = models.load(tmp_path / "net.npz", discriminator=True)
    assert loaded.arguments["clamp"] == 8 and loaded.arguments["minibatch_stddev_group"] == 2
    started = models.build("stylegan2_ada", **loaded.arguments)
    models.start_from(started, tmp_path / "net.npz")
    parts = ("generator", "averaged_generator", "discriminator")
    for other, part in itertools.product((loaded, started), parts):
        for ours, theirs in zip(
            getattr(model, part).variables, getattr(other, part).variables, strict=True
        ):
            np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)
    np.savez(tmp_path / "net.npz", **{n: a for n, a in arrays.items() if n[0] == "G"})
    with pytest.raises(UserError, match="holds no discriminator"):
        models.load(tmp_path / "net.npz", discriminator=True)
