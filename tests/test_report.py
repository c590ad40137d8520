"""The page of a run has all of it, inside one file."""

import base64
import html.parser
import io
import json
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image

from ganzoo import cli, report
from ganzoo import config as configs
from ganzoo.errors import UserError
from ganzoo.runs import RunDirectory
from tests import commands

METRICS = [
    {"metric": "fd10k_<net>", "value": 49.92841, "dataset": "a", "data_fingerprint": "d" * 64},
    {"metric": "recall10k", "value": 0.7406, "dataset": "a", "data_fingerprint": "d" * 64},
    {"metric": "psnr_y", "value": 25.65, "deviation": 0.25, "trivial": 23.24, "direction": "b2a"},
]
VOID = {"meta", "link", "input", "img", "br"}


class Page(html.parser.HTMLParser):
    """A page taken apart; elements that are not closed in turn are errors."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def text(self):
        return " ".join(" ".join(self.words).split())

    def frames(self):
        return [attrs for tag, attrs in self.elements if tag == "img" and "data-images" in attrs]


def config_of(name, **changes):
    config = configs.load(name).copy_and_resolve_references()
    config.update_from_flattened_dict(changes)
    return config


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory of 30 ticks."""
    run = RunDirectory(tmp_path_factory.mktemp("runs") / "run")
    run.samples.mkdir(parents=True)
    changes = {"data.dataset": "folder:/<b>x & y", "batch_size": 32, "model.image_size": 32}
    run.record(config_of("ssgan", **changes), {"precision": "mixed_bfloat16", "jit": True})
    with run.log.open("w") as log:
        for tick in range(1, 31):
            line = {"step": tick, "images": 1000 * tick, "seconds": 60.0 * tick}
            line |= {"images_per_second": 17.0, "peak_memory_mb": 800.0, "recall10k": 0.1}
            line |= {"d/real_logits": 1.0, "d/fake_logits": -1.0, "d/loss": 1.0, "d/other": 1.0}
            line |= {"health": ["samples are <alike>"]} if tick == 7 else {}
            log.write(json.dumps(line) + "\n")
            grey = np.full((900, 700), 8 * tick, np.uint8)
            Image.fromarray(grey).save(run.samples / f"{1000 * tick:09d}.png")
    run.metrics.write_text("".join(json.dumps(line) + "\n" for line in METRICS))
    run.best.mkdir()
    (run.best / "metrics.json").write_text(json.dumps({"images": 12000, "recall10k": 0.8125}))
    return run


@pytest.fixture(scope="module")
def text(run):
    return report.page(run)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


@pytest.fixture
def copy(run, tmp_path):
    """A run to be changed."""
    return RunDirectory(shutil.copytree(run.path, tmp_path / "copy"))


def test_the_page_needs_nothing_else(text, page):
    for _, attrs in page.elements:
        for name in ("src", "href", "srcset", "data", "action"):
            assert attrs.get(name, "data:").startswith("data:")
    assert "http://" not in text and "https://" not in text and "@import" not in text


def test_the_page_tells_what_happened(page):
    text = page.text()
    assert "30,000 of 12,800,000" in text and "0.50" in text  # images and hours
    assert "folder:/<b>x & y" in text and "mixed_bfloat16" in text
    assert "At 7,000 images: samples are <alike>" in text
    assert "Best in training, at 12,000 images: recall10k 0.8125." in text


def test_the_page_has_every_metric_with_its_protocol(page):
    text = page.text()
    for line in METRICS:
        assert f"{line['metric']} {line['value']:.4f}" in text
    assert "deviation 0.2500" in text and "trivial answer 23.2400" in text
    assert text.count("dataset a · data fingerprint dddddddddddd…") == 1  # of two metrics
    assert "direction b2a" in text


def test_the_page_marks_what_differs_from_the_default_recipe(run, page):
    changed = {s.key: (s.value, s.default) for s in report.settings(configs.read(run.config))}
    changed = {key: values for key, values in changed.items() if values[0] != values[1]}
    assert changed == {
        "data.dataset": ("folder:/<b>x & y", "None"),
        "batch_size": ("32", "64"),
        "model.image_size": ("32", "None"),
    }
    assert len([tag for tag, attrs in page.elements if attrs.get("class") == "changed"]) == 3
    assert all(key in page.text() for key in configs.flatten(configs.read(run.config)))


def test_frames_are_few_and_small_and_reach_from_first_to_last(page):
    frames = page.frames()
    images = [int(attrs["data-images"].replace(",", "")) for attrs in frames]
    assert len(images) == 24 and images == sorted(set(images))
    assert (images[0], images[-1]) == (1000, 30000)
    assert [index for index, attrs in enumerate(frames) if "hidden" not in attrs] == [23]
    for count, attrs in zip(images, frames, strict=True):
        content = base64.b64decode(attrs["src"].partition("base64,")[2])
        with Image.open(io.BytesIO(content)) as image:
            assert max(image.size) == 640
            assert abs(np.asarray(image).mean() - 8 * count / 1000) < 2


def test_curves_of_all_that_was_logged(page):
    curves = [attrs["alt"] for tag, attrs in page.elements if tag == "img"][24:]
    assert sorted(curves) == [
        "d: loss",
        "d: other",
        "d: real logits, fake logits",
        "images_per_second (images/s)",
        "peak_memory_mb (MiB)",
        "recall10k",
    ]


@pytest.mark.parametrize(
    "config",
    [
        config_of("dcgan_mnist", batch_size=32, **{"optimizers.generator.beta_1": 0.25}),
        config_of("srgan_small", **{"data.dataset": "folder:/it's a b", "data.turn": False}),
        config_of("cyclegan", **{"data.dataset": "solid2striped", "model.image_size": 64}),
    ],
)
def test_the_command_makes_the_same_config(config):
    words = " ".join(map(shlex.quote, report.arguments(config)))

    def command():
        cli.run(lambda argv: print(configs.to_json(cli.from_flags())), cli.define_config_flags)

    done = commands.call(command, *shlex.split(words))
    assert done.out == configs.to_json(config) + "\n", done.err


def test_the_command_starts_from_the_nearest_recipe():
    config = config_of("srgan_small", **{"data.dataset": "folder:x", "data.data_dir": "/mine"})
    assert report.arguments(config) == ["--config=srgan_small", "--config.data.dataset=folder:x"]


def test_the_command_does_not_resume_the_run(page):
    assert "python -m ganzoo.train \\ --config=ssgan" in page.text()
    assert "--workdir=runs/run-again" in page.text()


@pytest.mark.slow
def test_the_command_line(run, text, tmp_path):
    out = tmp_path / "new" / "page.html"
    done = commands.run("report", run.path, f"--out={out}")
    assert done.code == 0 and f"Wrote {out}" in done.out, done.err
    frames = Page(text).frames()
    assert Page(out.read_text()).frames() == frames
    done = commands.run("report", tmp_path)
    assert done.code == 2 and "Is its folder a run directory?" in done.err


def test_a_run_before_its_first_tick(copy):
    copy.log.unlink()
    with pytest.raises(UserError, match="writes it at its first tick"):
        report.page(copy)


@pytest.mark.parametrize("damaged", ["best/metrics.json", "samples/000001000.png"])
def test_damaged_files_of_a_run_are_named(copy, damaged):
    (copy.path / damaged).write_bytes(b'{"images": 12\xff')
    done = commands.run("report", copy.path)
    assert done.code == 2 and str(copy.path / damaged) in done.err


@pytest.mark.slow
def test_a_run_without_samples_and_metrics(copy):
    for path in (copy.metrics, copy.best / "metrics.json", *copy.samples.glob("*")):
        path.unlink()
    page = Page(report.page(copy))
    assert page.frames() == [] and "Nothing yet." in page.text()


def test_the_slider_moves_through_the_samples(text, browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(text)
    browser.get(path.as_uri())

    def seen():
        frames = browser.find_elements("css selector", "#frames img")
        (frame,) = [frame for frame in frames if frame.is_displayed()]
        images = frame.get_attribute("data-images")
        assert browser.find_element("id", "when").text == f"{images} images"
        return images

    assert seen() == "30,000"
    browser.find_element("id", "time").send_keys("\ue012")  # the left arrow
    assert seen() == "29,000"
    browser.find_element("id", "play").click()
    assert browser.find_element("id", "play").text == "Pause"
    loaded = "return [...document.images].every((image) => image.complete && image.naturalWidth)"
    assert browser.execute_script(loaded)
    assert browser.get_log("browser") == []  # nothing that the page's own policy had to forbid
