import keras
import numpy as np
import pytest

from ganzoo import convert, models
from ganzoo.errors import UserError
from ganzoo.models import named
from ganzoo.programs import cyclegan_pytorch
from ganzoo.weights import layouts
from tests import commands

pytestmark = pytest.mark.usefixtures("eager")

STYLES = {"latent_dim": 24, "style_dim": 16, "mapping_layers": 3, "channel_base": 256}
CASES = [
    ("stylegan2-ada-pytorch", "G_ema.", {**STYLES, "image_size": 32, "channel_max": 32}),
    ("stylegan2-ada-pytorch", "", {**STYLES, "image_size": 16, "num_classes": 3}),
    (
        "stylegan2-ada-pytorch",
        "G.",
        {**STYLES, "image_size": 16, "generator_architecture": "resnet"},
    ),
    ("dcgan-pytorch", "", {"image_size": 64, "width": 8, "latent_dim": 20}),
    ("dcgan-pytorch", "", {"image_size": 28, "width": 8, "channels": 1}),
    ("mimicry", "model_state_dict.", {"architecture": "mimicry", "generator_width": 8}),
]


def tiers(cases, heavy=("mimicry", "stylegan2-ada-pytorch")):
    """The first case of each program is of the first tier, but for the heavy ones."""
    programs = [program for program, *_ in cases]
    again = [program in (*heavy, *programs[:index]) for index, program in enumerate(programs)]
    marks = [pytest.mark.slow if late else () for late in again]
    return [pytest.param(*case, marks=mark) for case, mark in zip(cases, marks, strict=True)]


@pytest.mark.parametrize("program, prefix, arguments", tiers(CASES))
def test_networks_are_told_from_their_arrays(tmp_path, program, prefix, arguments):
    chosen = models.PROGRAMS[program]
    model = models.construct(chosen.model_name, **arguments)
    model.build_for_inference()
    (network,) = model.generators().values()
    arrays = layouts.export(chosen.layout(network))
    np.savez(tmp_path / "net.npz", **{f"{prefix}{name}": a for name, a in arrays.items()})
    assert models.read_model(tmp_path / "net.npz")[1] == chosen.model_name  # without being told
    convert.convert(program, tmp_path / "net.npz", tmp_path / "out")
    loaded = models.load(tmp_path / "out")
    np.testing.assert_allclose(loaded.generate(3, seed=2), model.generate(3, seed=2), atol=1e-5)


CYCLE = {"image_size": 128, "generator_width": 4}
TANH = {"output": "tanh", "normalized_bias": True}
TRANSLATORS = [
    ("cyclegan-pytorch", CYCLE | {"num_blocks": 2}),
    ("cyclegan-pytorch", CYCLE | {"num_blocks": 2, "normalization": "batch"}),
    ("cyclegan-pytorch", CYCLE | {"generator": "unet"}),
    ("cyclegan-pytorch", CYCLE | {"num_blocks": 1, "normalization": "none"}),
    ("cyclegan-pytorch", CYCLE | {"generator": "unet", "normalization": "none"}),
    ("cyclegan-pytorch", CYCLE | {"generator": "unet", "normalization": "batch"}),
    ("pix2pix-pytorch", CYCLE | {"dropout": "pytorch", "out_channels": 1}),
    ("leftthomas-srgan", {"num_blocks": 2, "width": 4, **TANH}),
    ("leftthomas-srgan", {"num_blocks": 1, "width": 4, **TANH, "trunk_end": "prelu"}),
    ("mmagic", {"architecture": "msrresnet", "num_blocks": 2, "width": 4, "scale": 2}),
]


PROGRAMS = [*TRANSLATORS, *((program, arguments) for program, _, arguments in CASES[3:])]


@pytest.mark.parametrize("program, arguments", tiers([*PROGRAMS, (CASES[1][0], CASES[1][2])]))
def test_the_way_there_and_back(tmp_path, program, arguments):
    name = models.PROGRAMS[program].model_name
    model = models.construct(name, **arguments)
    model.build_for_inference()
    models.save(model, name, arguments, tmp_path / "model")
    convert.export(program, str(tmp_path), tmp_path / "net.pth")
    (_, generator), *_ = model.generators().items()
    back, found, told = models.read_model(tmp_path / "net.pth", program)
    assert all(arguments[key] == told[key] for key in arguments.keys() & told.keys())
    (other,) = back.generators().values()
    assert found == name
    for ours, theirs in zip(generator.variables, other.variables, strict=True):
        if ours.name != "count":
            np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


@pytest.mark.slow
@pytest.mark.parametrize("program, arguments", [*PROGRAMS, (CASES[1][0], CASES[1][2])])
def test_training_starts_from_an_authors_model(tmp_path, monkeypatch, program, arguments):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path))
    chosen = models.PROGRAMS[program]
    model = models.construct(chosen.model_name, **arguments)
    model.build_for_inference()
    (part, generator), *_ = model.generators().items()
    np.savez(tmp_path / "net.npz", **layouts.export(chosen.layout(generator)))
    url = (tmp_path / "net.npz").as_uri()
    monkeypatch.setitem(named.TABLE, "theirs", models.Preset("theirs", "", "", url, program))
    fresh = models.build(chosen.model_name, **models.load("theirs").arguments)
    models.start_from(fresh, "theirs")
    started = [fresh.generators()[part], *(average.source for average in fresh.averages())]
    for network in started:
        for ours, theirs in zip(network.variables, generator.variables, strict=True):
            if ours.name != "count":
                np.testing.assert_array_equal(ours, theirs, err_msg=ours.path)


def test_dropout_and_unused_averages_of_cyclegan(tmp_path):
    """Dropout moves the names, and instance normalization once kept averages."""
    model = models.construct("cyclegan", **CYCLE, num_blocks=1)
    model.build_for_inference()
    arrays = layouts.export(cyclegan_pytorch.generator(model.a2b))
    moved = {n.replace("conv_block.5", "conv_block.6"): a for n, a in arrays.items()}
    averages = {"model.2.running_mean": np.zeros(4), "model.2.num_batches_tracked": np.array(1)}
    np.savez(tmp_path / "net.npz", **moved, **averages)
    back, _, _ = models.read_model(tmp_path / "net.npz")
    for ours, theirs in zip(model.a2b.variables, back.a2b.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.savez(tmp_path / "net.npz", **moved, other=np.zeros(3))
    with pytest.raises(UserError, match="holds 1 arrays that this network does not have, such as"):
        models.read_model(tmp_path / "net.npz")


def test_slopes_by_channel_cannot_be_written_for_a_program_with_one(tmp_path):
    arguments = {"num_blocks": 1, "width": 4, **TANH}
    model = models.construct("srgan", **arguments)
    model.build_for_inference()
    model.generator.head[1].alpha.assign([[[0.1, 0.2, 0.3, 0.4]]])
    models.save(model, "srgan", arguments, tmp_path / "model")
    with pytest.raises(UserError, match="has a slope for each channel"):
        convert.export("leftthomas-srgan", str(tmp_path), tmp_path / "net.pth")


def test_files_for_other_runtimes_by_their_suffix(tmp_path):
    out = tmp_path / "digits.savedmodel"
    done = commands.run("convert", "--input=dcgan_mnist", f"--out={out}")
    assert done.code == 0, done.err
    assert "whose images differ by" in done.out and (out / "saved_model.pb").exists()


def test_models_by_name_need_a_file_that_can_be_written(tmp_path):
    for out, words in (
        ("digits.ONNX", "write the suffix in lower case, .onnx"),
        ("digits.h5", "can load already; expected a name that ends with .onnx, .tflite"),
        ("folder", "can load already; expected a name that ends with .onnx, .tflite"),
    ):
        done = commands.run("convert", "--input=dcgan_mnist", f"--out={tmp_path / out}")
        assert done.code == 2 and words in done.err
    assert not any(tmp_path.iterdir())


def with_averages(**arguments):
    """A CycleGAN with batch normalization, whose averages are not those of a new one."""
    model = models.construct("cyclegan", **CYCLE, normalization="batch", **arguments)
    model.build_for_inference()
    for variable in model.a2b.variables:
        if variable.name.startswith("moving"):
            variable.assign(2.0 + variable)
    return model


@pytest.mark.slow
def test_the_program_is_obeyed_whatever_is_written(tmp_path):
    """A U-Net with averages is one of pix2pix, unless it is called CycleGAN's."""
    model = with_averages(generator="unet")
    np.savez(tmp_path / "net.npz", **layouts.export(cyclegan_pytorch.generator(model.a2b)))
    image = np.random.default_rng(0).uniform(-1, 1, (1, 128, 128, 3)).astype(np.float32)
    files = (f"--input={tmp_path}/net.npz", f"--out={tmp_path}/net.keras")
    for program, title in (("cyclegan-pytorch", "CycleGAN"), ("pix2pix-pytorch", "Pix2Pix")):
        assert commands.run("convert", *files, f"--from={program}").code == 0
        expected, _, _ = models.read_model(tmp_path / "net.npz", program)
        written = keras.saving.load_model(tmp_path / "net.keras")
        assert type(written).__name__ == type(expected).__name__ == title
        np.testing.assert_allclose(written(image), expected(image), atol=1e-6)
        np.testing.assert_allclose(written(image), model(image), atol=1e-6)


@pytest.mark.parametrize("program", [None, "pix2pix-pytorch"])
def test_resnets_of_pix2pix_are_cyclegans(tmp_path, program):
    """So are they, and U-Nets with the statistics of each image, written again."""
    arguments = CYCLE | {"num_blocks": 1, "normalization": "batch"}
    model = with_averages(num_blocks=1)
    models.save(model, "cyclegan", arguments, tmp_path / "run" / "model")
    convert.export("cyclegan-pytorch", str(tmp_path / "run"), tmp_path / "net.pth")
    resnet, name, found = models.read_model(tmp_path / "net.pth", program)
    assert name == "cyclegan" and found["normalization"] == "image"
    unet = models.construct("cyclegan", **CYCLE, generator="unet", normalization="image")
    unet.build_for_inference(["a2b"])
    for number, each in enumerate((resnet, unet)):
        path = tmp_path / f"{number}.pth"
        models.save(each, "cyclegan", each.arguments, tmp_path / str(number) / "model")
        convert.export("pix2pix-pytorch", str(tmp_path / str(number)), path)
        back, name, _ = models.read_model(path, program)
        assert name == ("cyclegan", "pix2pix")[number]
        image = np.random.default_rng(0).uniform(-1, 1, (1, 128, 128, 3)).astype(np.float32)
        options = {"update_moments": False} if each is unet else {}
        np.testing.assert_allclose(back.generator(image, **options), each(image), atol=1e-4)


def test_averages_are_not_used_unless_they_are_asked_for(tmp_path):
    """As in the authors' test.py without --eval, which their pictures were made by."""
    model = models.construct("cyclegan", **CYCLE, num_blocks=1, normalization="batch")
    model.build_generators()
    np.savez(tmp_path / "net.npz", **layouts.export(cyclegan_pytorch.generator(model.a2b)))
    assert models.load(tmp_path / "net.npz").arguments["normalization"] == "image"
    told, _, _ = models.read_model(tmp_path / "net.npz", "cyclegan-pytorch")
    assert told.arguments["normalization"] == "batch"


@pytest.mark.parametrize("program, arguments", tiers([PROGRAMS[0], PROGRAMS[-1]]))
def test_networks_that_were_trained_on_several_gpus(tmp_path, program, arguments):
    chosen = models.PROGRAMS[program]
    model = models.construct(chosen.model_name, **arguments)
    model.build_generators()
    arrays = layouts.export(chosen.layout(next(iter(model.generators().values()))))
    for number, prefix in enumerate(("module.", *(f"{p}module." for p in chosen.prefixes))):
        path = tmp_path / f"{number}.npz"
        np.savez(path, **{f"{prefix}{name}": array for name, array in arrays.items()})
        assert models.read_model(path)[1] == chosen.model_name


@pytest.mark.parametrize("channels", [2, 4, 6])
def test_images_of_other_channels_are_told(tmp_path, channels):
    shapes = {"main.0.weight": (8, 4, 4, 4), "main.9.weight": (4, channels, 4, 4)}
    shapes |= {f"main.{number}.weight": (4,) for number in (1, 3, 4, 6, 7)}
    np.savez(tmp_path / "net.npz", **{name: np.ones(shape) for name, shape in shapes.items()})
    with pytest.raises(UserError, match=rf"net\.npz holds .*channels = {channels}.* 1 channel"):
        models.read_model(tmp_path / "net.npz", "dcgan-pytorch")
    with pytest.raises(UserError, match=f"channels = {channels}: the images of dcgan have 1"):
        models.build("dcgan", image_size=32, width=8, channels=channels)


def test_variants_that_a_program_lacks_are_told(tmp_path):
    arguments = {"architecture": "mimicry", "generator_width": 8, "self_modulation": True}
    models.save(_generators("ssgan", arguments), "ssgan", arguments, tmp_path / "model")
    with pytest.raises(UserError, match=r"mimicry has no such network .* depends on latents"):
        convert.export("mimicry", str(tmp_path), tmp_path / "net.pth")


def _generators(name, arguments):
    model = models.construct(name, **arguments)
    model.build_generators()
    return model


def test_programs_that_lack_the_model_are_told(tmp_path):
    with pytest.raises(UserError, match="mimicry has no DCGAN, which dcgan_mnist is"):
        convert.export("mimicry", "dcgan_mnist", tmp_path / "net.pth")


def test_networks_of_tensorflow_are_told(tmp_path):
    np.savez(tmp_path / "net.npz", **{"2.synthesis.4x4/Const/const": np.zeros((1, 8, 4, 4))})
    with pytest.raises(UserError, match="holds networks of TensorFlow"):
        models.read_model(tmp_path / "net.npz")


def test_files_of_another_program_are_told(tmp_path):
    np.savez(tmp_path / "net.npz", **{"main.0.weight": np.zeros((4, 3, 2, 2))})
    with pytest.raises(UserError, match="holds no generator of stylegan2-ada-pytorch"):
        convert.convert("stylegan2-ada-pytorch", tmp_path / "net.npz", tmp_path / "out")
    with pytest.raises(UserError, match="Did you mean mimicry"):
        convert.convert("mimikry", tmp_path / "net.npz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


STYLED = {"mapping.w_avg": (9,), "mapping.fc0.weight": (1, 8), "mapping.embed.weight": (1, 1)}
STYLED |= {"synthesis.b4.conv1.weight": (1,)}
LEVELS = {f"{level}.1.weight": (1,) for level in range(200)}
BLOCK = {"model.10.conv_block.1.weight": (1,)}


@pytest.mark.parametrize(
    "program, shapes, words",
    [
        ("cyclegan-pytorch", {"model.1.weight": (3000, 3, 0, 0), **BLOCK}, "an array is empty"),
        ("cyclegan-pytorch", {"model.1.weight": (300, 3, 1, 1), **BLOCK}, "a network of 42,"),
        ("stylegan2-ada-pytorch", STYLED, "no latents beside the labels"),
        ("mmagic", {"conv_first.weight": ()}, "IndexError"),
        ("dcgan-pytorch", {"main.300000000.weight": (1,), "main.0.weight": (1,) * 4}, "longer"),
        ("pix2pix-pytorch", LEVELS | {"model.model.0.weight": (1,) * 4}, "more than 100 levels"),
    ],
)
def test_small_files_of_large_networks(tmp_path, program, shapes, words):
    np.savez(tmp_path / "net.npz", **{name: np.ones(shape) for name, shape in shapes.items()})
    with pytest.raises(UserError, match=words):
        models.read_model(tmp_path / "net.npz", program)
