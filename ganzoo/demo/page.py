"""The page: a choice of models, and for each the controls of what it can do."""

import functools
import html
import math
from collections.abc import Callable, Sequence
from types import MappingProxyType

import gradio as gr

from ganzoo import models
from ganzoo.demo import actions
from ganzoo.engine import GAN
from ganzoo.errors import UserError
from ganzoo.inputs import Image, Probabilities
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
    for title, fill in _tabs(model, vgg_weights).items():
        with gr.Tab(title):
            fill(model)
    with gr.Accordion("About this model", open=False):
        gr.Markdown(model.card)
        gr.Code(model.describe(), language=None, label="What it can do")


def _tabs(model: GAN, vgg_weights: str | None) -> dict[str, Callable[[GAN], None]]:
    """What fills each tab, by its title: as the model's modes declare it."""
    tabs, modes = {}, model.modes().values()
    if any(mode.draws for mode in modes):
        tabs |= {"Images": _draw_tab, "Interpolation": _between_tab}
    if isinstance(model, StyleGAN):
        project = functools.partial(_project_tab, vgg_weights=vgg_weights)
        tabs |= {"Style mixing": _mix_tab, "Projection": project}
    returned = {type(mode.outputs[0]) for mode in modes if mode.find(Image)}
    if Image in returned:
        tabs["Photo"] = _convert_tab
    if Probabilities in returned:
        tabs["Classes"] = _classify_tab
    return tabs


def _draw_tab(model: LatentGAN) -> None:
    count = ("Images", 1, 64, 16 if model.image_size <= 64 else 4)
    label = "Images of consecutive seeds"
    _live(actions.draw, label, model, ("First seed", 0, SEEDS, 0), count)


def _between_tab(model: LatentGAN) -> None:
    seeds = ("From seed", 0, SEEDS, 0), ("To seed", 0, SEEDS, 1)
    step = ("On the way", 0, actions.STEPS, actions.STEPS // 2)
    _live(actions.between, "Image on the way", model, *seeds, step)


def _mix_tab(model: StyleGAN) -> None:
    count = actions.num_styles(model)
    coarse = ("Seed of the coarse styles", 0, SEEDS, 0)
    fine = ("Seed of the fine styles", 0, SEEDS, 1)
    crossover = ("Coarse layers", 0, count, count // 2)
    _live(actions.mix, "Coarse, mixed, fine", model, coarse, fine, crossover)


def _project_tab(model: StyleGAN, vgg_weights: str | None = None) -> None:
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


def _convert_tab(model: ImageGAN) -> None:
    """A photo, what else a mode is given, and a button for each mode."""
    modes = {n: m for n, m in model.modes().items() if isinstance(m.outputs[0], Image)}
    with gr.Row():
        with gr.Column(scale=1):
            photo = _photo()
            others = {o.name: o for mode in modes.values() for o in mode.inputs[1:]}
            controls = {name: _control(other) for name, other in others.items()}
            side = _slider("Reduce the photo to, in pixels", 64, 1024, 512)
            ways = {gr.Button(name): name for name in modes}
        with gr.Column(scale=2), gr.Row():
            before = _picture("Photo", "before")
            after = _picture("Result", "result")

    def convert(name, path, side, *values):
        given = dict(zip(controls, values, strict=True))
        own = {other.name: given[other.name] for other in modes[name].inputs[1:]}
        return actions.convert(model, path, name, side, **own)

    given = [photo, side, *controls.values()]
    for button, name in ways.items():
        _connect(button.click, functools.partial(convert, name), given, [before, after])
    first = functools.partial(convert, next(iter(modes)))
    _connect(photo.upload, first, given, [before, after])


def _classify_tab(model: GAN) -> None:
    """A photo, and the probabilities of its classes."""
    with gr.Row():
        photo = _photo()
        label = gr.Label(label="Classes", num_top_classes=5, elem_id="classes")
    _connect(photo.upload, functools.partial(actions.classify, model), [photo], label)


def _control(given) -> gr.components.Component:
    """The control of an input or an option, by what it declares."""
    title = given.name.capitalize()
    if isinstance(given, Image):
        return gr.File(label=title, file_count="single", type="filepath")
    if hasattr(given, "choices"):
        first = given.choices[0]
        value = first[1] if isinstance(first, tuple) else first
        return gr.Dropdown(list(given.choices), value=value, label=title, interactive=True)
    return gr.Textbox(label=title, info=str(given))


def _options(model: LatentGAN) -> dict[str, gr.components.Component]:
    """Controls of what the model's images depend on besides a seed, by the names of arguments."""
    mode, options = model.mode(), {}
    if model.condition in mode.inputs:
        options["label"] = _control(model.condition)
    for name, option in mode.options.items():
        if math.isfinite(option.high - option.low):
            span = option.low, option.high, option.default, (option.high - option.low) / 20
            options[name] = _slider(name.capitalize(), *span)
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
            picture = _picture(label, value=act(*(control.value for control in inputs)))
    for control in inputs:
        _connect(control.change, act, inputs, picture, trigger_mode="always_last")


def _connect(listener: Callable, action: Callable, inputs, outputs, **kwargs) -> None:
    listener(
        _explained(action), inputs, outputs, show_progress="minimal", **_ONE_AT_A_TIME, **kwargs
    )


def _explained(action: Callable) -> Callable:
    """The action, whose UserErrors the page shows."""

    @functools.wraps(action)
    def act(*args, **kwargs):
        try:
            return action(*args, **kwargs)
        except UserError as error:
            words = html.escape(str(error), quote=False)
            raise gr.Error(words, print_exception=False) from error

    return act
