"""Figures show the numbers and the pixels that they were given."""

import json
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

from ganzoo import images as pictures
from ganzoo import plots
from ganzoo.errors import UserError

RNG = np.random.default_rng(0)
LINES = [
    {
        "step": tick,
        "images": 1000 * tick,
        "seconds": 10.0 * tick,
        "images_per_second": 100.0,
        "peak_memory_mb": 500.0,
        "discriminator/loss": 1.0 / tick,
        "discriminator/real_sign": 0.5 + 0.01 * tick,
        "augment/strength": 0.1 * tick,
        "health": ["in words"],
    }
    | ({"generator/loss": 2.0 + tick} if tick > 2 else {})
    | ({"fd10k_lenet-mnist": 50.0 - tick} if tick % 2 else {})
    for tick in range(1, 6)
]


@pytest.fixture
def run(tmp_path):
    """A run in training: its last line is not yet written to the end."""
    folder = tmp_path / "run"
    folder.mkdir()
    text = "".join(json.dumps(line) + "\n" for line in LINES)
    (folder / "log.jsonl").write_text(text + '{"step": 6, "ima')
    return folder


def drawn(axes) -> list[list[tuple]]:
    return [list(zip(*line.get_data(), strict=True)) for line in axes.get_lines()]


def logged(name, lines=LINES) -> list[tuple]:
    return [(line["images"], line[name]) for line in lines if name in line]


def encloses(axes) -> bool:
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    points = [point for line in drawn(axes) for point in line]
    return all(left <= x <= right and bottom <= y <= top for x, y in points)


def pixels(figure, image) -> np.ndarray:
    return np.asarray(figure.axes[image].get_images()[0].get_array())


def test_losses_are_those_of_the_log(run):
    figure = plots.losses(run)
    assert [axes.get_title("left") for axes in figure.axes] == [
        "discriminator: loss",
        "generator: loss",
    ]
    assert drawn(figure.axes[0]) == [logged("discriminator/loss")]
    assert drawn(figure.axes[1]) == [logged("generator/loss")]
    assert all(encloses(axes) and axes.get_xlim()[0] == 0 for axes in figure.axes)
    assert figure.axes[0].get_xlabel() == "images trained on"
    same = plots.losses(run / "log.jsonl")
    assert drawn(same.axes[0]) == drawn(figure.axes[0])


def test_runs_side_by_side_differ_in_color_and_are_named(run):
    other = [{"images": 9000, "generator/loss": 1.0}]
    figure = plots.losses({"first": run, "second": other})
    assert drawn(figure.axes[1]) == [logged("generator/loss"), [(9000, 1.0)]]
    assert all(encloses(axes) for axes in figure.axes)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["first", "second"]
    handles = [to_hex(line.get_color()) for line in legend.get_lines()]
    assert handles == [to_hex(line.get_color()) for line in figure.axes[1].get_lines()]
    assert len(set(handles)) == 2


def test_runs_of_one_name_are_told_apart_by_their_paths(run, tmp_path):
    twin = tmp_path / "elsewhere" / "run"
    twin.mkdir(parents=True)
    (twin / "log.jsonl").write_text(json.dumps(LINES[-1]) + "\n")
    (legend,) = plots.losses([run, twin]).legends
    assert [text.get_text() for text in legend.get_texts()] == [str(run), str(twin)]


def test_scalars_share_a_panel(run):
    figure = plots.curves(run, [("discriminator/loss", "generator/loss")], log_scale=True)
    (axes,) = figure.axes
    assert drawn(axes) == [logged("discriminator/loss"), logged("generator/loss")]
    assert axes.get_yscale() == "log"
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["discriminator/loss", "generator/loss"]


def test_scores_are_what_was_measured_between(run):
    (axes,) = plots.scores(run).axes
    assert axes.get_title("left") == "fd10k_lenet-mnist"
    assert drawn(axes) == [logged("fd10k_lenet-mnist")]


def test_the_strength_of_augmentation_and_its_target(run):
    strength, sign = plots.augmentation(run, target=0.6).axes
    assert drawn(strength) == [logged("augment/strength")]
    assert drawn(sign)[0] == logged("discriminator/real_sign")
    assert {y for _, y in drawn(sign)[1]} == {0.6} and encloses(strength)


@pytest.mark.parametrize(
    ("draw", "answer"),
    [
        (lambda run: plots.losses(run / "nothing"), "has no log.jsonl"),
        (lambda run: plots.curves(run, ["generator/los"]), "Did you mean generator/loss"),
        (lambda run: plots.scores({"": LINES[1:2]}), "--config.evaluate_images"),
        (lambda run: plots.augmentation({"": [{"images": 1, "a/loss": 1.0}]}), "augment.target"),
        (lambda run: plots.outputs({"real": []}), "real: expected finite logits, got 0"),
        (lambda run: plots.outputs({"fake": [np.nan]}), "fake: expected finite logits"),
        (lambda run: plots.samples(np.zeros((8, 8, 3))), "expected [N, H, W, C]"),
        (lambda run: plots.samples(np.full((1, 8, 8, 3), 255.0)), "values up to 255"),
        (
            lambda run: plots.pairs(np.zeros((2, 8, 8, 3)), np.zeros((1, 8, 8, 3))),
            "as many of each",
        ),
    ],
)
def test_mistakes_are_answered(run, draw, answer):
    with pytest.raises(UserError) as error:
        draw(run)
    assert answer in str(error.value)


def test_histograms_are_densities_on_shared_edges():
    real, fake, late = RNG.normal(1, 1, 500), RNG.normal(-1, 1, (50, 6, 6, 1)), RNG.normal(5, 1, 99)
    figure = plots.outputs({"real": real, "fake": fake}, {"real": late}, titles=["early", "late"])
    assert [axes.get_title("left") for axes in figure.axes] == ["early", "late"]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    names = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert names == ["real", "fake"]
    edges = np.histogram_bin_edges(np.concatenate([real, fake.ravel(), late]), 40)
    for axes, values in zip(figure.axes, (real, late), strict=True):
        heights = [bar.get_height() for bar in axes.containers[0].patches]
        np.testing.assert_allclose(heights, np.histogram(values, edges, density=True)[0])


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_are_the_grid_that_the_trainer_writes(channels):
    images = RNG.uniform(-1, 1, (5, 8, 6, channels)).astype(np.float32)
    expected = pictures.grid(pictures.to_uint8(images))
    figure = plots.samples(images, title="five")
    np.testing.assert_array_equal(
        pixels(figure, 0), expected[..., 0] if channels == 1 else expected
    )
    size = figure.axes[0].get_window_extent().size  # pixels are enlarged by a whole number
    np.testing.assert_allclose(size % expected.shape[1::-1], 0, atol=1e-6)
    assert size[0] >= 400


def test_a_strip_has_a_row_for_each_way():
    ways = RNG.integers(0, 256, (2, 9, 8, 8, 3), np.uint8)
    figure = plots.strip(ways, labels=["seed 1", "seed 2"])
    for row in range(2):
        np.testing.assert_array_equal(pixels(figure, row), pictures.grid(ways[row], columns=9))
    labels = [text for text in figure.axes[1].texts if text.get_text()]
    assert [text.get_text() for text in labels] == ["seed 1", "seed 2"]
    assert [text.xy[0] for text in labels] == pytest.approx([0.5 / 9, 8.5 / 9])
    np.testing.assert_array_equal(pixels(plots.strip(ways[0]), 0), pixels(figure, 0))


def test_models_are_compared_in_rows_of_one_width():
    small, large = (RNG.integers(0, 256, (3, size, size, 1), np.uint8) for size in (8, 32))
    figure = plots.comparison({"small": small, "large one": large}, title="both")
    assert [axes.get_ylabel() for axes in figure.axes] == ["small", "large one"]
    boxes = [axes.get_window_extent() for axes in figure.axes]
    assert boxes[0].width == boxes[1].width and boxes[0].y0 >= boxes[1].y1
    np.testing.assert_array_equal(pixels(figure, 0)[2:34:4, 2:34:4], small[0, ..., 0])
    figure.draw_without_rendering()
    left = min(axes.yaxis.label.get_window_extent().x0 for axes in figure.axes)
    assert left >= 0  # names fit on the page
    before = plots.pairs(small, large, names=("low", "high"))
    assert [axes.get_ylabel() for axes in before.axes] == ["low", "high"]


def test_a_figure_shows_in_notebooks_whatever_the_users_settings():
    with matplotlib.rc_context({"font.size": 40, "axes.grid": False}):
        strange = plots.losses({"": LINES})
        assert matplotlib.rcParams["font.size"] == 40  # and they stay
    assert strange._repr_png_() == plots.losses({"": LINES})._repr_png_()
    assert strange._repr_png_().startswith(b"\x89PNG")
    assert strange.encoded("svg").lstrip().startswith(b"<?xml")


def test_no_display_no_pyplot_no_tensorflow():
    code = (
        "import sys; from ganzoo import plots;"
        "plots.losses({'a': [{'images': 1, 'g/loss': 1.0}]})._repr_png_();"
        "assert not {'matplotlib.pyplot', 'tensorflow', 'keras'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
