"""The commands that use a trained model, as a person gives them."""

import hashlib
import itertools
import json
import shutil

import imageio_ffmpeg
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo import config, devices, models
from ganzoo import images as pictures
from ganzoo.data.decode import Preparation, prepare
from ganzoo.evaluation.reconstruction import open_translations
from ganzoo.generate import drawing
from ganzoo.latents import random_of
from ganzoo.metrics import RECONSTRUCTION
from tests.commands import run as command

pytestmark = pytest.mark.usefixtures("eager")


def saved(folder, name, **others):
    """A run directory that holds a small, untrained model."""
    arguments = dict(models.model_class(name).TINY) | others
    models.save(models.build(name, **arguments), name, arguments, folder / "model")
    return folder


@pytest.fixture(autouse=True)
def _float32(monkeypatch):
    """Whatever the processor can do."""
    monkeypatch.setattr(devices, "_multiplies_bfloat16", lambda: False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return {name: saved(tmp_path_factory.mktemp(name), name) for name in models.MODELS}


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    """As `saved`; the four classes differ."""
    return saved(tmp_path_factory.mktemp("conditional"), "stylegan2_ada", num_classes=4)


def num_frames(path):
    if path.suffix == ".mp4":
        return imageio_ffmpeg.count_frames_and_secs(str(path))[0]
    with Image.open(path) as animation:
        return animation.n_frames


def photo(path, size=(50, 37), mode="RGB"):
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 4), np.uint8)
    Image.fromarray(noise).convert(mode).save(path)
    return path


def test_drawing(runs, tmp_path):
    out = tmp_path / "images.npz"
    common = (f"--model={runs['ssgan']}", f"--out={out}")
    code, printed, _ = command("generate", *common, "--num=5", "--seed=3", "--format=npz")
    assert code == 0 and "Wrote 5 images" in printed
    images = np.load(out)["images"]
    expected = pictures.to_uint8(models.load(runs["ssgan"]).generate(5, seed=3))
    assert images.dtype == np.uint8
    np.testing.assert_allclose(images.astype(int), expected.astype(int), atol=1)


@pytest.mark.parametrize("name", ["ssgan", "stylegan2_ada"])
def test_the_precision_is_that_of_the_hardware_or_chosen(runs, tmp_path, monkeypatch, name):
    def drawn(*words):
        common = (f"--model={runs[name]}", f"--out={tmp_path / 'images.npz'}", "--format=npz")
        code, _, message = command("generate", *common, "--num=2", *words)
        assert code == 0, message
        return np.load(tmp_path / "images.npz")["images"]

    expected = {}
    for policy in ("float32", "mixed_bfloat16"):
        keras.mixed_precision.set_global_policy(policy)
        expected[policy] = pictures.to_uint8(models.load(runs[name]).generate(2))
    exact, half = expected.values()
    assert 0 < abs(exact.astype(int) - half).max() < 16
    np.testing.assert_array_equal(drawn(), exact)
    monkeypatch.setattr(devices, "_multiplies_bfloat16", lambda: True)
    np.testing.assert_array_equal(drawn(), half)
    np.testing.assert_array_equal(drawn("--precision=float32"), exact)


def test_drawing_seeds_with_options(runs, tmp_path):
    out = tmp_path / "images.npz"
    common = (f"--model={runs['stylegan2_ada']}", f"--out={out}", "--format=npz")
    options = ("--seeds=3,5-6", "--truncation=0.5", "--noise=none")
    code, printed, message = command("generate", *common, *options)
    assert code == 0 and "Wrote 3 images" in printed, message
    model = models.load(runs["stylegan2_ada"])
    expected = model.decode(model.latents_of([3, 5, 6]), truncation=0.5, noise="none")
    images = np.load(out)["images"].astype(int)
    np.testing.assert_allclose(images, pictures.to_uint8(expected).astype(int), atol=1)
    code, _, message = command("generate", *common, "--seeds=6-5")
    assert code == 2 and "expected numbers and ranges" in message


def test_classes_are_told_by_name(runs, conditional, tmp_path):
    run, names = shutil.copytree(conditional, tmp_path / "run"), ["ant", "bee", "cat", "dog"]
    (run / "config.json").write_text("{}")
    (run / "log.jsonl").write_text("")
    (run / "run.json").write_text(json.dumps({"class_names": names}))

    def told(folder, *words, out="images.png"):
        code, printed, message = command(
            "generate", f"--model={folder}", f"--out={tmp_path / out}", *words
        )
        assert code == 0 and printed.startswith("Wrote "), message
        return printed.strip().partition("; of the classes ")[2]

    counts = np.bincount(models.load(run).draw_labels(random_of(1), 9), minlength=4)
    expected = [f"{i} = {names[i]} ({count})" for i, count in enumerate(counts) if count]
    assert len(expected) > 1 and told(run, "--num=9", "--seed=1") == ", ".join(expected)
    few = ("--classes=dog,0", "--num=2")
    assert told(run / "model", *few) == "0 = ant (2), 3 = dog (2)"
    assert (
        told(conditional, "--labels=3,0", "--num=2") == "0 (2), 3 (2)"
        and told(runs["ssgan"], "--num=2") == ""
    )
    walk = ("--interpolate=z", "--seeds=1-2", "--frames=2", "--labels=1")
    assert told(run, *walk, out="walk.gif") == "1 = bee (4)"
    assert told(run, "--mix_rows=1", "--mix_cols=2", "--labels=2") == "2 = cat (2)"


def test_a_folder_is_written_as_images_come(tmp_path):
    def batches():
        for done in range(0, 6, 2):
            assert len(list(tmp_path.glob("*.png"))) == done
            yield np.zeros([2, 4, 4, 3], np.float32)

    drawing.WRITERS["folder"](drawing._pixels(batches()), tmp_path, [""])
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == [f"{index:06d}.png" for index in range(6)]


@pytest.mark.slow
def test_seeds_draw_their_classes_and_labels_begin_rows(conditional, tmp_path):
    model, out = models.load(conditional), tmp_path / "images.npz"
    few, every = ("--num=17", "--labels=0,3"), ("--seeds=3-5", "--labels=3,1,2")
    common = (f"--model={conditional}", "--noise=random", "--seed=2")
    for count, *words in (
        (7, "--seeds=3-9", "--format=npz", f"--out={out}"),
        (34, *few, f"--out={tmp_path / 'few.png'}"),
        (9, *every, f"--out={tmp_path / 'every.png'}"),
    ):
        assert command("generate", *common, *words).out.startswith(f"Wrote {count} images to ")
    seeds, options = range(3, 10), {"seed": 2, "noise": "random"}
    expected = model.decode(model.latents_of(seeds), model.labels_of(seeds), **options)
    images = np.load(out)["images"].astype(int)
    np.testing.assert_allclose(images, pictures.to_uint8(expected).astype(int), atol=1)
    with Image.open(tmp_path / "few.png") as picture:  # 9 and 8 images and an empty place, twice
        sheet = np.asarray(picture)
    assert sheet.shape[:2] == (2 * 38, 9 * 18 + 2)
    for part, label in zip(np.split(sheet, 2), (0, 3), strict=True):
        drawn = pictures.to_uint8(model.generate(17, label=label, **options))
        expected = pictures.grid(drawn, columns=9).astype(int)
        np.testing.assert_allclose(part.astype(int), expected, atol=1)
    with Image.open(tmp_path / "every.png") as picture:
        assert picture.size == (3 * 18 + 2, 3 * 20)


@pytest.mark.slow
def test_labels_and_flags_without_effect_are_told(runs, conditional, tmp_path):
    mix, walk = ("--mix_rows=1", "--mix_cols=2"), ("--seeds=1-2", "--frames=1")
    gif, project = f"--out={tmp_path / 'a.gif'}", ("--project=a.png", "--vgg_weights=vgg.npz")
    wrong = {
        (*mix, "--classes=4"): "label 4: the model has classes 0 to 3",
        (*walk, "--interpolate=w", "--labels=4", gif): "label 4: the model has classes 0 to 3",
        (*walk, "--interpolate=z", "--labels=0-2", gif): "all images are of one class here",
        (*project, f"--out={tmp_path / 'b.npz'}"): "the picture cannot have the name of the styles",
        (*project, "--classes=1,2"): "all images are of one class here",
        (
            *project,
            "--truncation=0.5",
            "--noise=none",
        ): "Drop --noise, --truncation, which",
        (*mix, "--num=3"): "Drop --num, which has no effect",
        ("--frames=3", "--tile=64"): "Drop --frames, --tile, which",
        ("--seeds=1-3", "--num=2"): "Drop --num, which",
        ("--cutoff=2",): "Drop --cutoff, which",
        ("--seeds=1-999999999999",): "more than 100,000 numbers; take fewer",
        ("--truncation=nan",): "truncation = nan; expected a finite number",
    }
    common = (f"--model={conditional}", f"--out={tmp_path / 'a.png'}")
    answers = {(*common, *words): answer for words, answer in wrong.items()}
    unconditional = (f"--model={runs['stylegan2_ada']}", *walk, "--interpolate=w", gif)
    answers[(*unconditional, "--labels=2")] = "class 2: the model has no classes"
    alone = (f"--model={runs['dcgan']}", f"--out={tmp_path / 'a.png'}", "--labels=0")
    answers[alone] = "class 0: the model has no classes; leave it out"
    for words, answer in answers.items():
        code, _, message = command("generate", *words)
        assert code == 2 and answer in message
    assert not any(tmp_path.iterdir())


def test_mixing_styles(runs, tmp_path):
    out = tmp_path / "sheet.png"
    common = (
        f"--model={runs['stylegan2_ada']}",
        f"--out={out}",
        "--mix_rows=1-2",
        "--mix_cols=3-5",
    )
    code, _, message = command("generate", *common, "--mix_layers=0-2")
    assert code == 0, message
    with Image.open(out) as picture:
        assert picture.size == (4 * 18 + 2, 3 * 18 + 2)
    code, _, message = command("generate", *common, "--mix_layers=7")
    assert code == 2 and "the layers are 0 to 5" in message


@pytest.mark.parametrize(
    "name, space, suffix", [("dcgan", "z", "gif"), ("stylegan2_ada", "w", "mp4")]
)
def test_walking(runs, tmp_path, name, space, suffix):
    out = tmp_path / f"way.{suffix}"
    common = (f"--model={runs[name]}", f"--interpolate={space}", "--seeds=1-2", "--frames=3")
    code, printed, message = command("generate", *common, f"--out={out}")
    assert code == 0 and "Wrote 6 frames" in printed, message
    assert num_frames(out) == 6
    code, _, message = command("generate", *common, f"--out={tmp_path / 'way.png'}")
    assert code == 2 and "an animation is a .gif or an .mp4" in message


def test_projecting(runs, tmp_path):
    """With a random VGG19 in a file of the layout that users bring, of an image with holes."""
    shapes = {"block1_conv1": (3, 64), "block1_conv2": (64, 64), "block2_conv1": (64, 128)}
    shapes["block2_conv2"] = (128, 128)
    rng, arrays = np.random.default_rng(0), {}
    for layer, shape in shapes.items():
        arrays[f"{layer}__kernel"] = rng.normal(0, 0.05, (3, 3, *shape)).astype(np.float32)
        arrays[f"{layer}__bias"] = np.zeros(shape[1], np.float32)
    np.savez(tmp_path / "vgg.npz", **arrays)
    run = shutil.copytree(runs["stylegan2_ada"], tmp_path / "run")
    recipe = config.load("stylegan2_ada")
    recipe.data.background = "grey"
    config.save(recipe, run / "config.json")
    source, out = photo(tmp_path / "photo.png", mode="RGBA"), tmp_path / "found.png"
    code, printed, message = command(
        "generate",
        f"--model={run}",
        f"--project={source}",
        "--project_steps=3",
        f"--vgg_weights={tmp_path / 'vgg.npz'}",
        f"--out={out}",
    )
    assert code == 0 and "3 steps, distance" in printed, message
    assert np.load(tmp_path / "found.npz")["styles"].shape == (1, 6, 16)
    with Image.open(out) as picture, Image.open(source) as image:
        assert picture.size == (2 * 18 + 2, 18 + 2)
        target = prepare(image, Preparation(16, 3, background="grey"))
        np.testing.assert_array_equal(np.asarray(picture)[2:18, 2:18], target)


def test_translating_a_photo_of_any_size(runs, tmp_path):
    source, out = photo(tmp_path / "photo.png"), tmp_path / "new" / "out.jpg"
    common = (f"--model={runs['cyclegan']}", f"--input={source}", f"--out={out}")
    assert command("generate", *common, "--direction=b2a", "--tile=128", "--batch=2")[0] == 0
    with Image.open(out) as picture:
        assert (picture.size, picture.format) == ((50, 37), "JPEG")
    code, _, message = command("generate", *common, "--direction=a2c", "--overwrite")
    assert code == 2 and "Unknown mode 'a2c'. Did you mean a2b" in message


def test_upscaling_a_folder_with_alpha_and_a_bad_file(runs, tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    photo(tmp_path / "in" / "a.png", mode="RGBA")
    photo(tmp_path / "in" / "deep" / "b.jpg", size=(20, 20))
    (tmp_path / "in" / "bad.png").write_text("hello")
    (tmp_path / "in" / "notes.txt").write_text("hello")
    common = (f"--model={runs['srgan']}", f"--input={tmp_path / 'in'}", f"--out={tmp_path / 'out'}")
    code, printed, message = command("generate", *common)
    assert code == 2 and "Wrote 2 images" in printed
    assert "1 files could not be read" in message and "bad.png" in message
    with Image.open(tmp_path / "out" / "a.png") as picture:
        assert (picture.size, picture.mode) == ((200, 148), "RGBA")
    with Image.open(tmp_path / "out" / "deep" / "b.png") as picture:
        assert (picture.size, picture.mode) == ((80, 80), "RGB")


def test_what_conversion_leaves_out_and_changes_is_told(runs, tmp_path):
    (tmp_path / "in").mkdir()
    photo(tmp_path / "in" / "a.png", size=(9, 8), mode="RGBA")
    photo(tmp_path / "in" / "unnamed.png", size=(9, 8)).rename(tmp_path / "in" / "unnamed")
    frames = [Image.new("RGB", (9, 8), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "in" / "b.gif", save_all=True, append_images=frames[1:])
    for name in ("._a.png", "IMG.HEIC", "notes.txt"):
        (tmp_path / "in" / name).write_text("hello")
    common = (f"--model={runs['srgan']}", f"--input={tmp_path / 'in'}")
    code, printed, message = command("generate", *common, f"--out={tmp_path / 'out'}")
    assert code == 2 and "IMG.HEIC cannot be read" in message
    assert "hidden: ._a.png" in printed and "no images: notes.txt" in printed
    assert "b.gif: 2 frames, one is used" in printed and "Wrote 3 images" in printed
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "unnamed.png"]
    code, printed, message = command("generate", *common, f"--out={tmp_path / 'out'}")
    assert code == 2 and "a.png and 2 more exist already" in message and "Wrote" not in printed
    (tmp_path / "out" / "old.png").write_text("mine")
    replacing = (*common, f"--out={tmp_path / 'out'}", "--overwrite")
    assert "out, which holds 1 other files, too" in command("generate", *replacing).out
    common = (f"--model={runs['srgan']}", f"--input={tmp_path / 'in' / 'a.png'}")
    code, printed, message = command("generate", *common, f"--out={tmp_path / 'a.jpg'}")
    assert code == 0 and "a.png: white where it is transparent, as .jpg cannot be" in printed
    code, _, message = command("generate", *common, f"--out={tmp_path / 'in' / 'a.png'}")
    assert code == 2 and "is an original" in message
    code, printed, _ = command("generate", *common, f"--out={tmp_path / 'new'}/")
    assert code == 0 and (tmp_path / "new" / "a.png").exists()


def test_an_interrupted_conversion_of_a_folder_goes_on(runs, tmp_path, monkeypatch):
    names, out, save = ["a.png", "b.png", "c.png"], tmp_path / "out", pictures.save
    (tmp_path / "in").mkdir()
    for name in names:
        photo(tmp_path / "in" / name, size=(9, 8))
    common = (f"--model={runs['srgan']}", f"--input={tmp_path / 'in'}", f"--out={out}")

    def cut(picture, path, **options):
        if path.name.endswith("b.png"):
            path.write_text("half a picture")
            raise KeyboardInterrupt
        save(picture, path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(pictures, "save", cut)
        code, _, message = command("generate", *common)
    assert code == 130 and "a folder with --skip_existing" in message
    assert [name for name in names if (out / name).exists()] == ["a.png"]
    first = (out / "a.png").stat().st_mtime_ns
    code, _, message = command("generate", *common)
    assert code == 2 and "a.png exists already" in message and "--skip_existing" in message
    code, printed, message = command("generate", *common, "--skip_existing")
    assert code == 0 and "Skipped 1 images" in printed and "Wrote 2 images" in printed, message
    assert sorted(path.name for path in out.iterdir()) == names
    assert (out / "a.png").stat().st_mtime_ns == first
    assert {pictures.opened(path).size for path in out.iterdir()} == {(36, 32)}
    for wrong in ((*common, "--overwrite"), (*common, f"--input={tmp_path / 'in' / 'a.png'}")):
        code, _, message = command("generate", *wrong, "--skip_existing")
        assert code == 2 and "--skip_existing goes with a folder" in message


def test_drawing_replaces_no_folder_and_no_photo(runs, tmp_path):
    source = photo(tmp_path / "000001.png")
    common = (f"--model={runs['stylegan2_ada']}", "--num=2")
    folder = (*common, "--format=folder", f"--out={tmp_path}")
    code, _, message = command("generate", *folder)
    assert code == 2 and "000001.png exists already" in message
    assert len(list(tmp_path.iterdir())) == 1
    (tmp_path / "000007.png").write_text("mine")
    code, printed, message = command("generate", *folder, "--overwrite")
    assert code == 0 and f"to {tmp_path}, which holds 1 other files, too" in printed, message
    for out, words in (("a.xyz", "no picture can be written as .xyz"), ("a/", "is a folder")):
        code, _, message = command("generate", *common, f"--out={tmp_path}/{out}")
        assert code == 2 and words in message
    common = (f"--model={runs['stylegan2_ada']}", f"--project={source}", f"--out={source}")
    code, _, message = command("generate", *common)
    assert code == 2 and "is an original" in message


@pytest.mark.parametrize(
    "name, arguments, words",
    [
        ("ssgan", ("--input=a.png", "--out=b.png"), "drop --input"),
        ("srgan", ("--out=b.png",), "name one, or a folder, with --input=PATH"),
        ("ssgan", ("--project=a.png", "--out=b.png"), "SSGAN has no styles"),
        ("ssgan", ("--truncation=0.5", "--out=b.png"), "Unknown flag of SSGAN '--truncation'"),
    ],
)
def test_requests_that_do_not_fit_the_model_are_told(runs, name, arguments, words):
    code, _, message = command("generate", f"--model={runs[name]}", *arguments)
    assert code == 2 and words in message and "Traceback" not in message


def test_evaluating_an_upscaler(runs, tmp_path):
    photo(tmp_path / "a.png")
    common = (f"--model={runs['srgan']}", f"--dataset=folder:{tmp_path}")
    code, printed, message = command("evaluate", *common, "--metrics=psnr_y,ssim_rgb")
    assert code == 0, message
    lines = (runs["srgan"] / "metrics.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert (first["metric"], second["metric"]) == ("psnr_y", "ssim_rgb")
    assert first["border"] == 4 and first["images"] == 1 and 0 < first["value"] < 50
    assert f"psnr_y    {first['value']:.4f}" in printed


def test_evaluating_a_translator(runs):
    common = (f"--model={runs['cyclegan']}", "--dataset=solid2striped", "--num=3")
    code, _, message = command("evaluate", *common, "--direction=b2a")
    assert code == 0, message
    lines = (runs["cyclegan"] / "metrics.jsonl").read_text().splitlines()
    psnr = json.loads(lines[0])
    assert (psnr["direction"], psnr["images"], psnr["border"]) == ("b2a", 3, 0)
    pairs = open_translations("solid2striped", image_size=32, channels=3)
    trivial = [RECONSTRUCTION["psnr_y"](a, b) for _, a, b in itertools.islice(pairs, 3)]
    assert psnr["trivial"] == pytest.approx(np.mean(trivial), abs=1e-9)
    code, _, message = command("evaluate", *common, "--border=-3")
    assert code == 2 and "--border" in message


def saved_network(path):
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.GlobalAveragePooling2D()(keras.layers.AveragePooling2D(4)(inputs))
    keras.Model(inputs, outputs).save(path)
    return path


def test_what_a_translator_makes_is_compared_as_a_set(runs, tmp_path):
    weights = f"--weights={saved_network(tmp_path / 'net.keras')}"
    common = (f"--model={runs['cyclegan']}", "--dataset=solid2striped", "--metrics=fd10_keras")
    code, printed, message = command("evaluate", *common, "--mode=b2a", weights)
    assert code == 0 and "fd10_keras" in printed and "direction: b2a" in printed, message
    code, _, message = command("evaluate", f"--model={runs['srgan']}", *common[1:])
    assert code == 2 and "two sets of images of one size are compared" in message


def test_evaluating_a_model_that_draws(runs, tmp_path):
    weights = saved_network(tmp_path / "net.keras")
    common = (f"--model={runs['dcgan']}", f"--weights={weights}", "--dataset=shapes")
    metrics = "--metrics=fd40_keras,kd40_keras,pr20_keras"
    code, printed, message = command("evaluate", *common, metrics, "--seeds=2")
    assert code == 0, message
    assert "recall20_keras " in printed and "(deviation" in printed
    lines = (runs["dcgan"] / "metrics.jsonl").read_text().splitlines()
    line = json.loads(lines[0])
    assert (line["metric"], line["real_images"]) == ("fd40_keras", 40)
    assert len(line["model_fingerprint"]) == 64 and line["tensorflow"] == tf.__version__
    assert line["dataset"] == "shapes" and line["seeds"] == [0, 1] and line["network"] == "keras"
    metrics = "--metrics=fd40_keras,fd40_squeezenet"
    code, _, message = command("evaluate", *common, metrics)
    assert code == 2 and "several networks (keras, squeezenet)" in message


def test_evaluating_a_folder_with_a_model_alone(runs, tmp_path):
    best = shutil.copytree(runs["dcgan"] / "model", tmp_path / "best")
    metric = "--metrics=fd32_convnet-shapes"
    code, printed, message = command("evaluate", f"--model={best}", metric, "--dataset=shapes")
    assert code == 0, message
    assert "fd32_convnet-shapes" in printed
    line = json.loads((tmp_path / "metrics.jsonl").read_text())
    weights = (best / "generator.weights.h5").read_bytes()
    assert line["model_fingerprint"] == hashlib.sha256(weights).hexdigest()
    alone = best.rename(tmp_path / "alone")
    code, printed, message = command("evaluate", f"--model={alone}", metric, "--dataset=shapes")
    assert code == 0 and (alone / "metrics.jsonl").exists(), message
    code, printed, message = command("evaluate", f"--model={alone}", metric)
    assert code == 2 and "--dataset" in message


def picture(path, pixels):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels.squeeze()).save(path)


def test_folders_are_compared_in_color_and_as_a_whole(tmp_path):
    """Neither the order of the folders nor the shape of the images leaves anything out."""
    rng, weights = np.random.default_rng(0), saved_network(tmp_path / "net.keras")
    for index in range(12):
        color = np.full((16, 32, 3), rng.integers(0, 256, 3), np.uint8)
        picture(tmp_path / "color" / f"{index}.png", color)
        picture(tmp_path / "grey" / f"{index}.png", color[..., :1])
        color[:, :8] = 255
        picture(tmp_path / "edged" / f"{index}.png", color)

    def distance(images, reference):
        folders = (f"--images={tmp_path / images}", f"--reference={tmp_path / reference}")
        done = command("evaluate", *folders, "--metrics=fd12_keras", f"--weights={weights}")
        assert done.code == 0, done.err
        return float(done.out.split()[1])

    assert distance("grey", "color") == pytest.approx(distance("color", "grey"), rel=0.01) != 0
    assert distance("color", "edged") > 0.01


def test_images_smaller_than_a_window_are_named(runs, tmp_path):
    photo(tmp_path / "a.png")
    (tmp_path / "about.txt").write_text("no image, passed over")
    photo(tmp_path / "b.png", size=(16, 16))
    common = (f"--model={runs['srgan']}", f"--dataset=folder:{tmp_path}", "--metrics=ssim_y")
    code, _, message = command("evaluate", *common)
    assert code == 2 and "error: b.png of folder:" in message and "at least 11" in message


def test_comparing_two_runs(runs, tmp_path):
    runs = [saved(tmp_path / name, "dcgan") for name in "ab"]
    for run, dataset in zip(runs, ("shapes", "shapes"), strict=True):
        line = {"metric": "fd40_keras", "value": 3.5, "dataset": dataset, "seeds": [0]}
        (run / "metrics.jsonl").write_text(json.dumps(line) + "\n")
    code, printed, message = command("evaluate", "--compare", *runs)
    assert code == 0, message
    assert [row.split() for row in printed.splitlines()] == [
        ["metric", str(runs[0]), str(runs[1])],
        ["fd40_keras", "3.5000", "3.5000"],
    ]
    (runs[1] / "metrics.jsonl").write_text(json.dumps(line | {"seeds": [1]}) + "\n")
    code, _, message = command("evaluate", "--compare", *runs)
    assert code == 2 and "different protocols, seeds differs" in message
    code, _, message = command("evaluate", "--compare", runs[0])
    assert code == 2 and "--compare RUN_DIR RUN_DIR" in message


def test_comparing_two_folders(tmp_path):
    weights = saved_network(tmp_path / "net.keras")
    rng = np.random.default_rng(0)
    for folder, low in (("a", 0), ("b", 100)):
        (tmp_path / folder).mkdir()
        for index in range(12):
            pixels = rng.integers(low, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / folder / f"{index}.png")
    folders = (f"--images={tmp_path / 'a'}", f"--reference={tmp_path / 'b'}")
    common = ("evaluate", *folders, f"--weights={weights}")
    code, printed, message = command(*common, "--metrics=fd12_keras")
    assert code == 0, message
    value = float(printed.split("fd12_keras ")[1].split()[0])
    assert value == pytest.approx(3 * 50**2, rel=0.05)  # of the means of three channels
    code, _, message = command(*common, "--metrics=fd20_keras")
    assert code == 2 and "has 12 images; 20 are asked for" in message
