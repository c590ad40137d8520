"""The page: a choice of models, and for each the controls of what it can do."""

import functools
import html
from collections.abc import Callable, Sequence
from types import MappingProxyType

import gradio as gr

from ganzoo import models
from ganzoo.demo import actions
from ganzoo.errors import UserError
from ganzoo.latents import LatentGAN
from ganzoo.styles import StyleGAN
from ganzoo.translation import ImageGAN

_ONE_AT_A_TIME = MappingProxyType({"concurrency_limit": 1, "concurrency_id": "model"})
SEEDS = 9999  # the largest
LOOK = """
.picture img { object-fit: contain !important; }
.drawn img { image-rendering: pixelated; }
.picture .image-container { box-sizing: border-box; padding-top: 2.2rem; }
footer { display: none !important; }
"""

load = functools.lru_cache(maxsize=2)(models.load)


def build(names: Sequence[str], chosen: str, vgg_weights: str | None) -> gr.Blocks:
    """The page; `chosen` is among the names.

    Args:
        names: what `models.load` takes.
        chosen: the one at first.
        vgg_weights: of VGG19, which projection needs.
    """
    with gr.Blocks(title="ganzoo", analytics_enabled=False) as blocks:
        gr.Markdown("# ganzoo")
        name = gr.Dropdown(
            list(names),
            value=chosen,
            label="Model",
            info="a name, or the path of a run; python -m ganzoo.models fetch NAME gets more",
            allow_custom_value=True,
            elem_id="model",
        )
        controls = functools.partial(_controls, vgg_weights=vgg_weights)
        gr.render(inputs=name, **_ONE_AT_A_TIME)(controls)
    return blocks


def _controls(name: str, vgg_weights: str | None) -> None:
    """What there is to do with a model, a tab each."""
    try:
        model = load(name)
    except UserError as error:
        gr.Markdown(f"**{error}**", elem_id="trouble")
        return
    for kind, tabs in _TABS.items():
        if isinstance(model, kind):
            for title, fill in tabs.items():
                with gr.Tab(title):
                    fill(model, vgg_weights)
    with gr.Accordion("About this model", open=False):
        gr.Markdown(model.card)


def _draw_tab(model: LatentGAN, vgg_weights: str | None) -> None:
    count = ("Images", 1, 64, 16 if model.image_size <= 64 else 4)
    label = "Images of consecutive seeds"
    _live(actions.draw, label, model, ("First seed", 0, SEEDS, 0), count)


def _between_tab(model: LatentGAN, vgg_weights: str | None) -> None:
    seeds = ("From seed", 0, SEEDS, 0), ("To seed", 0, SEEDS, 1)
    step = ("On the way", 0, actions.STEPS, actions.STEPS // 2)
    _live(actions.between, "Image on the way", model, *seeds, step)


def _mix_tab(model: StyleGAN, vgg_weights: str | None) -> None:
    count = actions.num_styles(model)
    coarse = ("Seed of the coarse styles", 0, SEEDS, 0)
    fine = ("Seed of the fine styles", 0, SEEDS, 1)
    crossover = ("Coarse layers", 0, count, count // 2)
    _live(actions.mix, "Coarse, mixed, fine", model, coarse, fine, crossover)


def _project_tab(model: StyleGAN, vgg_weights: str | None) -> None:
    if vgg_weights is None:
        gr.Markdown("Start the demo with `--vgg_weights=FILE`, the weights of VGG19.")
        return

    def project(photo, steps, progress=gr.Progress()):  # noqa: B008  Gradio looks for the default
        def on_step(done, distance):
            progress((done, steps), desc=f"distance {distance:.3f}")

        return actions.project(model, photo, steps, vgg_weights, on_step)

    with gr.Row():
        with gr.Column(scale=1):
            photo = _photo()
            steps = _slider("Steps", 10, 1000, 200)
            button = gr.Button("Find it", variant="primary")
        with gr.Column(scale=2):
            picture = _picture("Photo, and the closest image")
    _connect(button.click, project, [photo, steps], picture)


def _convert_tab(model: ImageGAN, vgg_weights: str | None) -> None:
    with gr.Row():
        with gr.Column(scale=1):
            photo = _photo()
            side = _slider("Reduce the photo to, in pixels", 64, 1024, 512)
            ways = {gr.Button(direction): direction for direction in model.DIRECTIONS}
        with gr.Column(scale=2), gr.Row():
            before = _picture("Photo", "before")
            after = _picture("Result", "result")

    def convert(direction, path, side):
        return actions.convert(model, path, direction, side)

    for button, direction in ways.items():
        action = functools.partial(convert, direction)
        _connect(button.click, action, [photo, side], [before, after])
    first = functools.partial(convert, model.DIRECTIONS[0])
    _connect(photo.upload, first, [photo, side], [before, after])


_TABS = {
    LatentGAN: {"Images": _draw_tab, "Interpolation": _between_tab},
    StyleGAN: {"Style mixing": _mix_tab, "Projection": _project_tab},
    ImageGAN: {"Photo": _convert_tab},
}


def _options(model: LatentGAN) -> dict[str, gr.Slider]:
    """Controls of what the model's images depend on besides a seed, by the names of arguments."""
    options = {}
    if model.num_classes:
        options["label"] = _slider("Class", 0, model.num_classes - 1, 0)
    if "truncation" in model.OPTIONS:
        options["truncation"] = _slider("Truncation", 0.0, 1.0, 1.0, 0.05)
    return options


def _slider(label: str, low, high, value, step=1) -> gr.Slider:
    # Gradio would take it for a display, since inside `render` it has a value before a listener.
    return gr.Slider(low, high, value=value, step=step, label=label, interactive=True)


def _picture(label: str, name: str = "drawn", value=None) -> gr.Image:
    return gr.Image(
        value,
        label=label,
        alt_text=label,
        format="png",
        height=480,
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_classes=["picture", name],
    )


def _photo() -> gr.File:
    return gr.File(label="Drop a photo", file_count="single", type="filepath", elem_classes="photo")


def _live(action: Callable, label: str, model: LatentGAN, *sliders: tuple) -> None:
    """A picture that follows sliders, each as `_slider` takes it, and the model's options."""

    def act(*values):
        count = len(sliders)
        return action(model, *values[:count], **dict(zip(options, values[count:], strict=True)))

    with gr.Row():
        with gr.Column(scale=1):
            inputs, options = [_slider(*each) for each in sliders], _options(model)
            inputs += options.values()
        with gr.Column(scale=2):
            picture = _picture(label, value=act(*(slider.value for slider in inputs)))
    for slider in inputs:
        _connect(slider.change, act, inputs, picture, trigger_mode="always_last")


def _connect(listener: Callable, action: Callable, inputs, outputs, **kwargs) -> None:
    listener(_told(action), inputs, outputs, show_progress="minimal", **_ONE_AT_A_TIME, **kwargs)


def _told(action: Callable) -> Callable:
    """The action, whose UserErrors the page shows."""

    @functools.wraps(action)
    def act(*args, **kwargs):
        try:
            return action(*args, **kwargs)
        except UserError as error:
            words = html.escape(str(error), quote=False)
            raise gr.Error(words, print_exception=False) from error

    return act
