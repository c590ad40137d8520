"""The demo's pictures are those of the models, and a person gets them in a browser."""

import functools
import importlib.util
import io
import os
import socket
import subprocess
import sys
import urllib.request

import numpy as np
import pytest
from PIL import Image

from ganzoo import config, models
from ganzoo import images as pictures
from ganzoo.data.decode import Preparation, prepare
from ganzoo.demo import actions
from ganzoo.errors import UserError

RIGHT, CTRL, ENTER = "\ue014", "\ue009", "\ue007"

load = functools.cache(models.load)


def saved(folder, name):
    """A run directory that holds a small, untrained model."""
    arguments = dict(models.model_class(name).TINY)
    models.save(models.build(name, **arguments), name, arguments, folder / "model")
    config.save(config.load(name), folder / "config.json")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    saved(folder / "styles", "stylegan2_ada")
    return folder


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photos") / "photo.png"
    noise = np.random.default_rng(0).integers(0, 256, (5, 8, 3), np.uint8)
    Image.fromarray(noise).resize((80, 50), Image.Resampling.BICUBIC).save(path)
    return path


@pytest.fixture(scope="module")
def vgg_weights(tmp_path_factory):
    """A random VGG19 in a file of the layout that users bring."""
    shapes = {"block1_conv1": (3, 64), "block1_conv2": (64, 64)}
    shapes |= {"block2_conv1": (64, 128), "block2_conv2": (128, 128)}
    rng, arrays = np.random.default_rng(0), {}
    for layer, shape in shapes.items():
        arrays[f"{layer}__kernel"] = rng.normal(0, 0.05, (3, 3, *shape)).astype(np.float32)
        arrays[f"{layer}__bias"] = np.zeros(shape[1], np.float32)
    path = tmp_path_factory.mktemp("weights") / "vgg.npz"
    np.savez(path, **arrays)
    return path


def array(picture) -> np.ndarray:
    return np.asarray(picture).astype(int)


def test_models_that_need_no_network_are_offered(runs):
    names = actions.names(runs)
    assert {"dcgan_mnist", "cyclegan_solid2striped", "srresnet_x4"} < set(names)
    assert names[-1] == str(runs / "styles")
    assert "cyclegan_horse2zebra" not in names  # it was never downloaded


def test_a_grid_of_consecutive_seeds():
    model = load("dcgan_mnist")
    images = [model.generate(1, seed=seed)[0] for seed in (5, 6, 7)]
    expected = pictures.grid(pictures.to_uint8(np.stack(images)))[..., 0]
    np.testing.assert_allclose(array(actions.draw(model, 5, 3)), expected, atol=1)


def test_the_way_leads_from_seed_to_seed():
    model = load("dcgan_mnist")
    way = [array(actions.between(model, 3, 8, step)) for step in (0, 10, actions.STEPS)]
    for seed, image in ((3, way[0]), (8, way[2])):
        expected = pictures.to_uint8(model.generate(1, seed=seed))[0, ..., 0]
        np.testing.assert_allclose(image, expected, atol=1)
    assert np.abs(way[1] - way[0]).max() > 20 < np.abs(way[1] - way[2]).max()


def test_mixtures_lie_between_their_sources(runs):
    model = load(runs / "styles")
    count = actions.num_styles(model)
    for crossover, same in ((count, 0), (0, 2)):
        sheet = array(actions.mix(model, 1, 2, crossover, truncation=0.7))[2:-2]
        parts = [sheet[:, 2 + 18 * i : 18 + 18 * i] for i in range(3)]
        np.testing.assert_array_equal(parts[1], parts[same])
        assert np.abs(parts[1] - parts[2 - same]).max() > 0


@pytest.mark.slow
def test_transparent_photos_are_projected_on_white(runs, vgg_weights, tmp_path):
    Image.new("RGBA", (20, 30)).save(tmp_path / "photo.png")
    model, path = load(runs / "styles"), str(tmp_path / "photo.png")
    sheet = array(actions.project(model, path, 1, str(vgg_weights), lambda done, distance: None))
    assert (sheet[:, :18] == 255).all() and (sheet[2:-2, 20:-2] != 255).any()


@pytest.fixture(scope="module")
def upscaler():
    return models.build("srgan", **models.model_class("srgan").TINY)


def test_photos_are_reduced_and_converted(upscaler, photo):
    model, scale = upscaler, upscaler.scale
    before, after = actions.convert(model, str(photo), "upscale", side=40)
    assert before.size == (40, 25) and after.size == (40 * scale, 25 * scale)
    np.testing.assert_allclose(array(after), array(model.upscale(before)), atol=1)


def test_files_that_are_no_images_are_named(upscaler, tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("not a picture")
    with pytest.raises(UserError, match=r"^notes.png is no image, or damaged. Drop a file"):
        actions.convert(upscaler, str(path), "upscale", 64)
    with pytest.raises(UserError, match="no photo yet"):
        actions.project(upscaler, None, 10, "vgg.npz", print)


@pytest.mark.slow
def test_photos_are_classified(photo, tmp_path):
    """As the model itself does it; the page has a tab for it where a mode returns classes."""
    model = models.load(saved(tmp_path, "acgan"))
    model.class_names = ("star",)
    found = actions.classify(model, str(photo))
    assert [*found][:2] == ["0 = star", "1"]
    np.testing.assert_allclose([*found.values()], model.classify(photo), atol=1e-6)
    page = pytest.importorskip("ganzoo.demo.page")
    assert [*page._tabs(model, None)] == ["Images", "Interpolation", "Classes"]


def test_without_gradio_the_demo_says_what_to_install():
    code = (
        "import runpy, sys; sys.modules['gradio'] = None; sys.argv = ['demo'];"
        "runpy.run_module('ganzoo.demo', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2 and "pip install '.[demo]'" in done.stderr


@pytest.fixture(scope="module")
def page(runs, vgg_weights, browser):
    """The demo's address, open in the browser."""
    if importlib.util.find_spec("gradio") is None:
        pytest.skip("needs gradio, the extra demo")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "ganzoo.demo", "--model=dcgan_mnist", f"--runs={runs}"]
    server = subprocess.Popen(
        [*command, f"--vgg_weights={vgg_weights}", f"--port={port}"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"no_proxy": "127.0.0.1"},
    )
    with server:
        try:
            first = server.stdout.readline()
            assert first.startswith(f"Open http://127.0.0.1:{port} in a browser"), first
            yield Person(browser, f"http://127.0.0.1:{port}/")
        finally:
            server.terminate()


class Person:
    """What somebody does on the page, and sees there."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address

    def open(self, model, width=1280):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.browser.get(self.address)
        self.wait(lambda: self.shown("button[role=tab]"))
        self.choose(model)

    def choose(self, model):
        entry = self.browser.find_element("css selector", "#model input")
        if entry.get_attribute("value") != model:
            entry.send_keys(CTRL + "a")
            entry.send_keys(model + ENTER)

    def shown(self, selector):
        found = self.browser.find_elements("css selector", selector)
        return [element for element in found if element.is_displayed()]

    def tab(self, title):
        self.wait(lambda: [t for t in self.shown("button[role=tab]") if t.text == title])[0].click()

    def button(self, title):
        self.wait(lambda: [b for b in self.shown("button") if b.text == title])[0].click()

    def set(self, label, value):
        """A slider, by the box of its number."""
        box = self.browser.find_element(
            "css selector", f"input[aria-label='number input for {label}']"
        )
        box.send_keys(CTRL + "a")
        box.send_keys(f"{value}{ENTER}")

    def drop(self, path):
        selector = "input[type=file]"
        self.wait(lambda: self.browser.find_elements("css selector", selector))[0].send_keys(
            str(path)
        )

    def picture(self, size=None, label=".drawn"):
        """The picture that is shown, once it has a size."""

        def seen():
            for image in self.shown(f"{label} img"):
                with urllib.request.urlopen(image.get_attribute("src")) as answer:
                    picture = Image.open(io.BytesIO(answer.read()))
                return picture if size in (None, picture.size) else None

        return self.wait(seen)

    def wait(self, condition):
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(self.browser, 60, 0.1, [StaleElementReferenceException])
        return wait.until(lambda browser: condition())


def test_a_slider_changes_the_picture(page):
    page.open("dcgan_mnist")
    model = load("dcgan_mnist")
    np.testing.assert_allclose(array(page.picture()), array(actions.draw(model, 0, 16)), atol=1)
    page.set("Images", 9)
    size = actions.draw(model, 0, 9).size
    page.picture(size)
    slider = page.shown("input[type=range]")[0]
    slider.send_keys(RIGHT)
    expected = array(actions.draw(model, 1, 9))
    page.wait(lambda: np.abs(array(page.picture(size)) - expected).max() <= 1)


def test_styles_are_mixed(page, runs):
    page.open(str(runs / "styles"))
    page.tab("Style mixing")
    model = load(runs / "styles")
    page.set("Coarse layers", 0)
    expected = array(actions.mix(model, 0, 1, 0, truncation=1.0))
    page.wait(lambda: np.abs(array(page.picture((56, 20))) - expected).max() <= 1)


def test_the_style_of_a_photo_is_found(page, runs, photo):
    page.open(str(runs / "styles"))
    page.tab("Projection")
    page.set("Steps", 10)
    page.drop(photo)
    page.wait(lambda: page.shown(".photo a"))  # it has arrived
    page.button("Find it")
    target = prepare(Image.open(photo), Preparation(16, 3))
    np.testing.assert_array_equal(array(page.picture((38, 20)))[2:18, 2:18], target)


def test_a_photo_comes_back_translated(page, photo):
    page.open("cyclegan_solid2striped")
    page.tab("Photo")
    page.drop(photo)
    result = array(page.picture((80, 50), ".result"))
    model = load("cyclegan_solid2striped")
    np.testing.assert_allclose(result, array(model.translate(str(photo))), atol=1)
    page.button("b2a")
    expected = array(model.translate(str(photo), "b2a"))
    page.wait(lambda: np.abs(array(page.picture((80, 50), ".result")) - expected).max() <= 1)
    assert page.shown(".result a[download]")


def test_a_photo_comes_back_upscaled_on_a_phone(page, photo):
    page.open("srresnet_x4", width=390)
    page.tab("Photo")
    page.drop(photo)
    assert page.picture((320, 200), ".result")
    assert page.browser.execute_script("return document.documentElement.scrollWidth") <= 390


def test_a_bad_file_gives_a_readable_message(page, tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("not a picture")
    page.open("srresnet_x4")
    page.tab("Photo")
    page.drop(path)
    (message,) = page.wait(lambda: page.shown("[data-testid=toast-body]"))
    assert "notes.png is no image, or damaged. Drop a file" in message.text


def test_an_unknown_model_gives_a_readable_message(page):
    page.open("dcgan_mnits")
    message = page.wait(lambda: page.shown("#trouble"))[0]
    assert "Did you mean dcgan_mnist" in message.text


def test_nothing_comes_from_elsewhere(page):
    page.open("dcgan_mnist")
    page.picture()
    script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    urls = page.browser.execute_script(script)
    assert urls and all(url.startswith((page.address, "data:", "blob:")) for url in urls)
