"""The trainer on bundled data: what it writes, what it refuses."""

import inspect
import json
import multiprocessing
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from ganzoo import augment, checkpoints, config, data, files, models, runs, trainer
from ganzoo.errors import UserError
from ganzoo.losses import perceptual
from ganzoo.runs import RunDirectory
from tests.ports import free_ports

pytestmark = pytest.mark.usefixtures("eager")

ONE = tf.distribute.get_strategy()


TINY = {"image_size": 32, "width": 4}


def recipe(**changes):
    """DCGAN on shapes, as small as it gets: it compiles in no time."""
    recipe = config.load("dcgan_shapes")
    recipe.update({"batch_size": 8, "total_images": 32, "tick_images": 16, "model": TINY})
    recipe.update({"num_samples": 4, "keep_checkpoints": 1, "precision": "float32"})
    recipe.update(changes)
    return recipe


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run."""
    run = RunDirectory(tmp_path_factory.mktemp("run"))
    assert trainer.train(recipe(), run, ONE) is None
    return run


def log_of(run):
    return [json.loads(line) for line in run.log.read_text().splitlines()]


def test_the_run_directory_holds_everything(run):
    assert config.read(run.config).model.width == 4
    assert [path.name for path in sorted(run.samples.iterdir())] == [
        "000000016.png",
        "000000032.png",
    ]
    with Image.open(run.samples / "000000032.png") as grid:
        assert grid.size == (70, 70)  # 2 x 2 images and borders
    assert checkpoints.saved_steps(run.checkpoints) == [4]
    assert list(run.path.glob("events.out.tfevents.*"))
    assert models.load(run.path).generate(2).shape == (2, 32, 32, 3)


@pytest.mark.slow
def test_measuring_while_training(tmp_path):
    run = RunDirectory(tmp_path)
    evaluation = {"metrics": "fd16_convnet-shapes,modes16_convnet-shapes"}
    trainer.train(recipe(evaluate_images=32, evaluation=evaluation), run, ONE)
    first, last = log_of(run)
    names = {"fd16_convnet-shapes", "modes16_convnet-shapes", "modes_kl16_convnet-shapes"}
    assert not names & first.keys() and names <= last.keys()
    told = json.loads((run.best / "metrics.json").read_text())
    assert told == {"images": 32} | {name: last[name] for name in names}
    assert models.load(run.best).generate(1).shape == (1, 32, 32, 3)


def test_a_run_may_lie_in_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # on Windows
    assert RunDirectory("~/runs/a").log == tmp_path / "runs" / "a" / "log.jsonl"
    with pytest.raises(UserError, match="~nobody-here stands for no home directory here"):
        RunDirectory("~nobody-here/runs")


def test_what_is_to_be_measured_must_be_said(tmp_path):
    with pytest.raises(UserError, match="say what to measure"):
        trainer.train(recipe(evaluate_images=32), RunDirectory(tmp_path), ONE)


@pytest.mark.slow
def test_starting_from_another_run(run, tmp_path):
    fresh = RunDirectory(tmp_path)
    trainer.train(recipe(init_from=str(run.path), total_images=8, seed=5), fresh, ONE)
    images = [models.load(path).generate(4) for path in (run.path, fresh.path)]
    assert 0 < np.abs(images[0] - images[1]).mean() < 0.1  # one step away


def test_what_does_not_fit_to_start_from_is_told(run, tmp_path, monkeypatch):
    """Before the data are prepared, which may take long."""
    monkeypatch.setattr(trainer, "open_stream", None)
    fresh = RunDirectory(tmp_path / "run")
    message = (
        r"width is 4 there and 8 here; .*kernel is \(100, 256\) there and \(100, 512\) here, and"
        r" \d+ more arrays differ\. Start from it with the same"
    )
    with pytest.raises(UserError, match=message):
        wider = TINY | {"width": 8}
        trainer.train(recipe(init_from=str(run.path), model=wider), fresh, ONE)
    with pytest.raises(UserError, match=r"another kind of model, SSGAN: start .* DCGAN"):
        trainer.train(recipe(init_from="ssgan_cifar10_small"), fresh, ONE)
    assert not fresh.path.exists()


@pytest.mark.slow
def test_what_a_run_was_started_from_is_needed_once(run, tmp_path, capsys):
    fresh = RunDirectory(tmp_path)
    trainer.train(recipe(init_from=str(run.path), total_images=8), fresh, ONE)
    for other in (None, "elsewhere"):
        trainer.train(recipe(init_from=other, total_images=8), fresh, ONE)
        assert config.read(fresh.config).init_from == str(run.path)
    assert "--init_from=elsewhere has no effect" in capsys.readouterr().out


def test_the_log_has_a_line_per_tick(run):
    first, last = log_of(run)
    assert (first["step"], first["images"]) == (2, 16)
    assert (last["step"], last["images"]) == (4, 32)
    names = ["seconds", "images_per_second", "peak_memory_mb", "discriminator/loss"]
    names += ["generator/loss", "generator/gradient_norm", "discriminator/learning_rate"]
    assert all(np.isfinite(line[name]) for name in names for line in (first, last))


def test_tensorboard_has_the_scalars_and_grids(run):
    events = next(run.path.glob("events.out.tfevents.*"))
    records = tf.data.TFRecordDataset(str(events))
    tags = {
        (event.step, value.tag)
        for event in map(tf.compat.v1.Event.FromString, records.as_numpy_iterator())
        for value in event.summary.value
    }
    assert {(16, "discriminator/loss"), (32, "images_per_second"), (32, "samples")} <= tags


def test_a_complete_run_is_not_trained_further(run, capsys):
    before = run.log.read_text()
    assert trainer.train(recipe(), run, ONE) is None
    assert "is complete: 4 steps" in capsys.readouterr().out
    assert run.log.read_text() == before


def test_harmless_changes_go_on_and_others_are_refused(tmp_path):
    run = RunDirectory(tmp_path / "run")
    trainer.train(recipe(total_images=16), run, ONE)
    with pytest.raises(UserError, match=r"(?s)batch_size: 8 -> 4.*seed: 0 -> 7.*--restart"):
        trainer.train(recipe(batch_size=4, seed=7), run, ONE)
    trainer.train(recipe(total_images=24, num_samples=1), run, ONE)
    assert [line["step"] for line in log_of(run)] == [2, 3]
    assert config.read(run.config).total_images == 24
    trainer.train(recipe(total_images=16, seed=7), run, ONE, restart=True)
    assert [line["step"] for line in log_of(run)] == [2]
    assert [line["step"] for line in log_of(RunDirectory(tmp_path / "run.1"))] == [2, 3]


def last_weights(run):
    """All that the last checkpoint holds."""
    found = {}
    step = checkpoints.saved_steps(run.checkpoints)[-1]
    with h5py.File(checkpoints.path_of(run.checkpoints, step)) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]} if hasattr(item, "shape") else {})
        )
    return found


def assert_same_weights(run, other):
    left, right = last_weights(run), last_weights(other)
    assert left.keys() == right.keys() and len(left) > 20
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name], err_msg=name)


@pytest.mark.slow
def test_schedules_are_recorded_and_resumed(tmp_path):
    """Each kind of value that may follow one, as R3GAN has them."""
    changes = {
        "optimizers.generator.learning_rate": ("cosine", (0, 2e-4), (24, 1e-4)),
        "optimizers.generator.beta_2": ("linear", (8, 0.9), (24, 0.99)),
        "model.ema_half_life_images": ("linear", (0, 0), (32, 64)),
        "augment.pipe": "rotation",
        "augment.strength": ("step", (0, 0.0), (16, 0.5)),
    }
    options = recipe()
    options.update_from_flattened_dict(changes)
    config.validate(options)
    straight, stopped = RunDirectory(tmp_path / "straight"), RunDirectory(tmp_path / "stopped")
    trainer.train(options, straight, ONE)
    for images in (16, 32):
        options.total_images = images
        trainer.train(options, stopped, ONE)
    assert_same_weights(straight, stopped)
    for run in (straight, stopped):
        first, last = log_of(run)  # of the steps that began with 8 and with 24 images
        assert first["generator/learning_rate"] == pytest.approx(1.75e-4)
        assert last["generator/learning_rate"] == pytest.approx(1e-4)
        assert [line["generator/beta_2"] for line in (first, last)] == pytest.approx([0.9, 0.99])
        assert [line["model/ema_half_life_images"] for line in (first, last)] == [16.0, 48.0]
        assert [line["augment/strength"] for line in (first, last)] == [0.25, 0.5]  # after and mean
    saved = config.flatten(config.read(straight.config))
    assert {key: saved[key] for key in changes} == changes
    assert models.load(straight.path).generate(1).shape == (1, 32, 32, 3)


@pytest.mark.slow
def test_a_run_from_before_random_streams_had_names_is_resumed_as_it_began(tmp_path, capsys):
    """Its files lack what was not recorded then, and have learning rates that decay."""
    options = recipe()
    options.optimizers.generator.learning_rate = ("linear", (8, 2e-4), (24, 0.0))
    straight, stopped = RunDirectory(tmp_path / "straight"), RunDirectory(tmp_path / "stopped")
    with mock.patch.object(trainer, "RANDOM_STREAMS", 1):
        for run, images in ((straight, 32), (stopped, 16)):
            options.total_images = images
            trainer.train(options, run, ONE)
    facts = json.loads(stopped.facts.read_text())
    assert facts.pop("random_streams") == 1
    stopped.facts.write_text(json.dumps(facts))
    saved = json.loads(stopped.config.read_text())
    for player, start, end in (("generator", 8, 24), ("discriminator", 0, 0)):
        old = {"decay_start_images": start, "decay_end_images": end, "final_learning_rate": 0.0}
        saved["optimizers"][player] |= {**old, "learning_rate": 2e-4}
        del saved["optimizers"][player]["name"]
    stopped.config.write_text(json.dumps(saved))
    options.total_images = 32
    trainer.train(options, stopped, ONE)
    assert "keyed by the positions of updates, and keeps its numbers" in capsys.readouterr().out
    assert_same_weights(straight, stopped)
    assert json.loads(stopped.facts.read_text())["random_streams"] == 1
    fresh = RunDirectory(tmp_path / "fresh")
    trainer.train(options, fresh, ONE)
    assert json.loads(fresh.facts.read_text())["random_streams"] == 2
    assert log_of(fresh)[0]["generator/loss"] != log_of(straight)[0]["generator/loss"]


def test_another_optimizer_is_chosen_by_its_name(tmp_path, capsys):
    options = recipe(total_images=16)
    options.optimizers.discriminator.name = "RMSprop"
    config.validate(options)
    run = RunDirectory(tmp_path)
    trainer.train(options, run, ONE)
    assert "RMSprop of discriminator has no beta_1, beta_2: left out" in capsys.readouterr().out
    saved = config.read(run.config).optimizers
    assert set(saved.discriminator) == {"name", "learning_rate", "epsilon"}
    assert any("discriminator_optimizer" in name for name in last_weights(run))
    options.optimizers.discriminator.name = "RMSProp"
    with pytest.raises(UserError, match=r"Unknown optimizer 'RMSProp'\. Did you mean RMSprop"):
        trainer.train(options, RunDirectory(tmp_path / "other"), ONE)


@pytest.mark.slow
def test_a_start_that_failed_forbids_nothing(tmp_path):
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(UserError, match="image_size 40"):
        trainer.train(recipe(model=TINY | {"image_size": 40}), run, ONE)
    trainer.train(recipe(), run, ONE)
    assert config.read(run.config).batch_size == 8


def test_a_run_at_work_is_not_set_aside(tmp_path):
    run = RunDirectory(tmp_path / "run")
    with run.locked():
        run.record(recipe(), {})
        run.log.touch()
        with pytest.raises(UserError, match="Another trainer is at work"):
            trainer.train(recipe(), RunDirectory(tmp_path / "run"), ONE, restart=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_the_folder_one_is_in_is_not_set_aside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RunDirectory(".").record(recipe(), {})
    with pytest.raises(UserError, match=r"cannot be set aside \(it is the folder you are in\)"):
        trainer.train(recipe(), RunDirectory("."), ONE, restart=True)


@pytest.mark.parametrize(
    "labels, classes, answer",
    [
        (False, 10, "num_classes is 10, and shapes has 0 classes.*labels=true"),
        (True, 3, "num_classes is 3, and shapes has 5 classes"),
    ],
)
def test_classes_are_those_of_the_data(labels, classes, answer):
    options = config.load("ssgan_shapes")
    options.data.labels, options.model.num_classes = labels, classes
    with pytest.raises(UserError, match=answer):
        trainer.prepare(options, ONE)


def test_a_run_keeps_the_names_of_its_classes(tmp_path, capsys):
    options = config.load("ssgan_shapes")
    options.data.labels, options.model.num_classes = True, 5
    stream = trainer.open_stream(options)
    names = trainer._class_names(options, stream)
    assert names == list(stream.source.class_names) and len(names) == 5
    assert f"Classes: 0 = {names[0]}, 1 = {names[1]}" in capsys.readouterr().out
    options.model.num_classes = 0
    assert trainer._class_names(options, stream) == [] and not capsys.readouterr().out


def test_a_model_that_is_always_conditional_has_labels_without_asking():
    options = config.load("ssgan_shapes")
    options.model.num_classes = None
    with options.unlocked():
        del options.data["labels"]
    setup = trainer.prepare(options, ONE)
    assert setup.config.model.num_classes == 5
    assert len(setup.model.class_names) == 5
    assert setup.model.class_names == tuple(setup.facts["class_names"])
    assert trainer.prepare(recipe(), ONE).model.class_names == ()


def test_a_run_that_does_not_know_its_classes_is_resumed_on_the_same_data_only(tmp_path):
    run, facts = RunDirectory(tmp_path), {"data_fingerprint": "a"}
    run.record(recipe(), facts)
    run.log.touch()
    names = {"class_names": ["2", "10"]}
    run.refuse_changes(recipe(), facts | names)
    with pytest.raises(UserError, match=r"(?s)'a' -> 'b'.*class_names: .*folder 10 came before"):
        run.refuse_changes(recipe(), {"data_fingerprint": "b"} | names)


def test_data_are_known_by_their_content(tmp_path, monkeypatch):
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "home"))
    photos = tmp_path / "photos"
    photos.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    for index in (0, 1):
        Image.fromarray(noise[index]).save(photos / f"{index}.png")
    options = recipe(total_images=8).copy_and_resolve_references()
    options.data.dataset = f"folder:{photos}"
    run = RunDirectory(tmp_path / "run")
    trainer.train(options, run, ONE)
    monkeypatch.chdir(tmp_path)
    photos = photos.rename(tmp_path / "moved")
    shutil.make_archive("packed", "zip", photos)
    for place in ("zip:packed.zip", "folder:./moved/"):
        options.data.update({"dataset": place, "on_bad_file": "skip"})
        trainer.train(options, run, ONE)
        assert config.read(run.config).data.dataset == place
    Image.fromarray(noise[2]).save(photos / "2.png")
    with pytest.raises(UserError, match=r"data_fingerprint: .* -> "):
        trainer.train(options, run, ONE)
    options.data.dataset = "shapes"
    with pytest.raises(UserError, match=r"dataset: 'folder:\./moved/' -> 'shapes'"):
        trainer.train(options, run, ONE)


def test_weights_of_losses_are_known_by_their_content(tmp_path):
    run, options = RunDirectory(tmp_path), config.load("srgan_shapes")
    options.model.vgg_weights = "/here/vgg.npz"
    run.record(options, {"vgg_fingerprint": "1a"})
    run.log.touch()
    options.model.vgg_weights = "/there/vgg.npz"
    run.refuse_changes(options, {"vgg_fingerprint": "1a"})
    with pytest.raises(UserError, match=r"(?s)'/here/vgg.npz' -> '/there.*'1a' -> '2b'"):
        run.refuse_changes(options, {"vgg_fingerprint": "2b"})


@pytest.mark.parametrize("text", ["", '{"precision": "flo', "[1]"])
def test_damaged_facts_are_told_and_written_again(tmp_path, text):
    run, options = RunDirectory(tmp_path), recipe()
    run.record(options, {"jit": False})
    run.log.touch()
    run.facts.write_text(text)
    with pytest.raises(UserError, match=r"run\.json is damaged .*remove it"):
        run.refuse_changes(options, {})
    run.facts.unlink()
    run.refuse_changes(options, {"jit": True})


def test_checkpoints_without_a_recipe_are_told(tmp_path):
    run = RunDirectory(tmp_path)
    run.checkpoints.mkdir()
    checkpoints.path_of(run.checkpoints, 1).touch()
    with pytest.raises(UserError, match=r"has checkpoints, but no config\.json"):
        run.refuse_changes(recipe(), {})


def test_damaged_lines_of_the_log_are_left_out(tmp_path, capsys):
    run = RunDirectory(tmp_path)
    rest = {"images": 8, "images_per_second": 16.0, "peak_memory_mb": 100.0}
    one, three, five = ({"step": n, "seconds": n / 2, **rest} for n in (1, 3, 5))
    lines = [json.dumps(one), "", '{"step": 2, "sec', json.dumps(three)]
    flipped = json.dumps(one).replace("images_per", "imagds_per").encode()
    run.log.write_bytes("\n".join(lines).encode() + b"\n\xff\x00\n" + flipped + b'\n{"step": 4')
    assert [line["step"] for line in runs.read_lines(run.log)] == [1, 3]
    told = capsys.readouterr().err
    assert all(f"{run.log}: line {n} is damaged and left out" in told for n in (3, 5, 6))
    runs.append_lines(run.log, [five])
    assert [line["step"] for line in runs.read_lines(run.log)] == [1, 3, 5]
    assert run.rewind_log(3) == 1.5
    assert [line["step"] for line in log_of(run)] == [1, 3]


@pytest.mark.slow
def test_auto_keeps_its_meaning_in_a_run(tmp_path, monkeypatch):
    run = RunDirectory(tmp_path)
    trainer.train(recipe(total_images=16, precision="auto"), run, ONE)
    before = run.read_facts()["precision"]
    other = {"float32": "mixed_bfloat16", "mixed_bfloat16": "float32"}[before]
    monkeypatch.setattr(trainer.devices, "resolve_precision", lambda name: other)
    trainer.train(recipe(total_images=24, precision="auto"), run, ONE)
    assert run.read_facts()["precision"] == before


def test_a_second_trainer_is_refused(tmp_path):
    run = RunDirectory(tmp_path)
    other = "from ganzoo.runs import RunDirectory as R\nwith R(sys.argv[1]).locked(): print('in')"
    command = [sys.executable, "-c", f"import sys\n{other}", str(tmp_path)]
    with run.locked():
        second = subprocess.run(command, capture_output=True, text=True)
        assert "Another trainer is at work" in second.stderr
    assert subprocess.run(command, capture_output=True, text=True).stdout == "in\n"


def translation(**changes):
    """CycleGAN, as small as it gets: no image sees the others of its batch, so that replicas
    compute what one device does."""
    recipe = config.load("cyclegan_solid2striped")
    recipe.update({"batch_size": 4, "total_images": 16, "tick_images": 8, "num_samples": 4})
    recipe.update({"model": dict(models.model_class("cyclegan").TINY), "precision": "float32"})
    recipe.model.pool_size = 0
    recipe.update(changes)
    return recipe


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory, two_replicas):
    """A run on two replicas."""
    run = RunDirectory(tmp_path_factory.mktemp("shared"))
    trainer.train(translation(), run, two_replicas)
    return run


def assert_same_logs(run, other, local=()):
    """Whether two runs wrote the same, but for times and what is `local` to a replica."""
    others = {"seconds", "images_per_second", "peak_memory_mb", *local}
    for one, two in zip(log_of(run), log_of(other), strict=True):
        assert one.keys() == two.keys()
        for name in one.keys() - others:
            assert one[name] == pytest.approx(two[name], rel=1e-3, abs=1e-5), name


@pytest.mark.slow
def test_two_replicas_write_what_one_does(shared_run, tmp_path):
    run = RunDirectory(tmp_path)
    trainer.train(translation(), run, ONE)
    norms = [f"{player}/gradient_norm" for player in ("generators", "discriminators")]
    assert_same_logs(run, shared_run, local=norms)


def test_nothing_is_written_before_the_batch_fits_the_replicas(tmp_path, two_replicas):
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(UserError, match="The nearest batch size is 6 or 8"):
        trainer.train(recipe(batch_size=7), run, two_replicas)
    assert not run.path.exists()


def test_sizes_without_a_network_are_refused(tmp_path):
    options = recipe()
    options.model.image_size = 40
    with pytest.raises(UserError, match=r"image_size 40: .* 28, 32, 64, 128 pixels"):
        trainer.train(options, RunDirectory(tmp_path), ONE)


def test_a_directory_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"file/run cannot be written .*--workdir"):
        trainer.train(recipe(), RunDirectory(tmp_path / "file" / "run"), ONE)


def test_a_full_disk_keeps_the_earlier_checkpoint(tmp_path, monkeypatch):
    model = trainer.prepare(recipe(), ONE).model
    checkpoints.save(model, tmp_path, keep=1)
    model.step.assign(1)

    def full(path):
        with open(path, "w") as file:
            file.write("half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model, "save_weights", full)
    with pytest.raises(UserError, match=r"No space left on the disk of .* the same command again"):
        checkpoints.save(model, tmp_path, keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000000.weights.h5"]


def test_hdf5_never_meets_a_disk_that_is_too_small(tmp_path, capfd):
    """It crashes there, also long after its error was caught."""
    model = trainer.prepare(recipe(), ONE).model
    size = checkpoints.save(model, tmp_path, keep=1).stat().st_size
    model.step.assign(1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (size // 3, size - 5000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with pytest.raises(UserError, match=r"No space left on the disk of .*File too large"):
                checkpoints.save(model, tmp_path, keep=1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000000.weights.h5"]
    checkpoints.save(model, tmp_path, keep=1)
    assert capfd.readouterr().err == ""


def test_a_disk_that_fills_up_at_a_tick_is_told(tmp_path, monkeypatch):
    def full(writer, tick):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trainer.SampleWriter, "__call__", full)
    with pytest.raises(UserError, match=r"No space left on the disk of .* the same command again"):
        trainer.train(recipe(), RunDirectory(tmp_path), ONE)


@pytest.mark.parametrize(
    "error",
    [
        OSError(30, "Read-only file system", "r/log.jsonl"),
        OSError("unable to open file (errno = 13, error message = 'Permission denied')"),  # HDF5
        tf.errors.PermissionDeniedError(None, None, "r/events; Permission denied"),
    ],
)
def test_a_folder_that_became_read_only_is_told(error):
    message = r"^r cannot be written \(.*\)\. Make it writable, or"
    with pytest.raises(UserError, match=message), files.explain_write_errors(Path("r")):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file or directory", "r/log.jsonl"),
        OSError(5, "Input/output error"),
        tf.errors.NotFoundError(None, None, "r/events; No such file or directory"),
    ],
)
def test_a_disk_that_is_gone_is_told(error):
    message = r"^r is gone, or its disk fails \(.*\)\. Bring it back and run the same command again"
    with pytest.raises(UserError, match=message), files.explain_write_errors(Path("r")):
        raise error


def test_a_training_that_diverges_is_not_saved(tmp_path, capsys):
    run, options = RunDirectory(tmp_path), recipe()
    options.optimizers.discriminator.learning_rate = 1e38
    with pytest.raises(UserError, match=r"not finite at step 2: .*diverged.*=float32\.$"):
        trainer.train(options, run, ONE)
    (line,) = log_of(run)
    shown = " ".join(map(str, trainer.open_stream(options).indices(0, np.arange(8))["image"]))
    told = f"not finite at 16 images, since step 1 (image {shown} of the data, seed 0)"
    assert told in line["health"][0] and told in capsys.readouterr().out
    assert not run.checkpoints.exists() and not run.model.exists()


def test_a_moment_that_is_infinite_is_not_saved(tmp_path):
    """It stops a weight for ever, of which no loss tells."""
    model = trainer.prepare(recipe(), ONE).model
    moment = model.optimizer_of("generator").variables[-1]
    moment.assign(np.full(moment.shape, np.inf, np.float32))
    with pytest.raises(UserError, match=r"1 weights, such as .*, are not finite at step 0"):
        checkpoints.require_finite(model, tmp_path)


def test_a_damaged_checkpoint_is_told(tmp_path):
    run = RunDirectory(tmp_path)
    trainer.train(recipe(total_images=8), run, ONE)
    os.truncate(checkpoints.path_of(run.checkpoints, 1), 3000)
    with pytest.raises(UserError, match=r"is damaged .*\n.*--init_from=.*model, or give --restart"):
        trainer.train(recipe(), run, ONE)


def flip_a_bit(path):
    """In the middle of the largest array of a weights file."""
    arrays = []
    with h5py.File(path) as file:
        file.visititems(lambda _, item: arrays.append(item) if hasattr(item, "shape") else None)
        largest = max(arrays, key=lambda array: array.size)
        position = largest.id.get_offset() + largest.nbytes // 2
    with path.open("r+b") as file:
        file.seek(position)
        bits = file.read(1)[0] ^ 64
        file.seek(position)
        file.write(bytes([bits]))


def test_the_checkpoint_before_a_damaged_one_is_used(tmp_path, capsys):
    model = trainer.prepare(recipe(), ONE).model
    for step in (1, 2):
        model.step.assign(step)
        checkpoints.save(model, tmp_path, keep=2)
    flip_a_bit(checkpoints.path_of(tmp_path, 2))
    assert checkpoints.restore_latest(model, tmp_path) == model.step.numpy() == 1
    told = capsys.readouterr().err
    assert "step-000000002.weights.h5 is damaged (its content does not match its checksum)" in told
    assert "Using the checkpoint of step 1 instead" in told
    assert checkpoints.saved_steps(tmp_path) == [1, 2]
    assert checkpoints.restore_latest(model, tmp_path, set_aside=True) == 1
    assert checkpoints.saved_steps(tmp_path) == [1]
    assert (tmp_path / "damaged-step-000000002.weights.h5").exists()
    flip_a_bit(checkpoints.path_of(tmp_path, 1))
    with pytest.raises(UserError, match=r"(?s)is damaged .*No checkpoint in .* is left"):
        checkpoints.restore_latest(model, tmp_path)


def test_a_damaged_model_is_told(run, tmp_path):
    model = shutil.copytree(run.model, tmp_path / "model")
    flip_a_bit(model / "generator.weights.h5")
    with pytest.raises(UserError, match=r"is damaged .*Copy it again"):
        models.load(tmp_path)


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "expected JSON"),
        ("[]", "expected JSON"),
        ('{"cluster": {"worker": "a:1"}}', "expected JSON"),
        ('{"cluster": {"worker": ["a:1"]}}', "its task has to be one of the machines"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 3}}',
            "its task has to be one of the machines",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "evaluator", "index": 0}}',
            "makes this machine the 'evaluator', which has nothing to do",
        ),
        (
            '{"cluster": {"chief": ["a:1", "b:1"]}, "task": {"type": "chief", "index": 0}}',
            "there is at most one chief",
        ),
    ],
)
def test_clusters_that_cannot_be_are_told(text, message, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(UserError, match=f"(?s)TF_CONFIG .*{message}"):
        trainer.devices.strategy("cpu")


@pytest.mark.parametrize("text", ["", "{}", '{"task": {"type": "worker", "index": 0}}'])
def test_without_a_cluster_one_machine_trains(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    assert trainer.devices.strategy("cpu") is ONE


def test_the_master_is_the_chief(monkeypatch):
    cluster = {"master": ["a:1"], "worker": ["b:1", "c:1"], "ps": ["d:1"]}
    task = {"type": "master", "index": "0"}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    found = trainer.devices._cluster()
    assert (found.task_type, found.task_id) == ("chief", 0)
    assert found.cluster_spec().as_dict() == {"chief": ["a:1"], "worker": ["b:1", "c:1"]}


@pytest.mark.parametrize("workers, raised", [(True, UserError), (False, tf.errors.AbortedError)])
def test_a_worker_whose_peer_has_ended_says_so(workers, raised):
    kind = tf.distribute.MultiWorkerMirroredStrategy if workers else tf.distribute.Strategy
    error = tf.errors.AbortedError(None, None, "Collective ops is aborted by: recvmsg")
    match = "^Another worker has ended, .* Start all" if workers else "aborted"
    lost = trainer.devices.explain_lost_workers(mock.Mock(spec=kind))
    with pytest.raises(raised, match=match), lost:
        raise error


@pytest.mark.parametrize(
    "shape, expected",
    [((100, 90, 3), 64), ((500, 400, 3), 128), ((20, 20, 3), 32), ((48, 50), 48)],
)
def test_sizes_are_inferred_from_the_data(tmp_path, shape, expected, capsys):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    options = config.load("ssgan")
    options.data.dataset = f"folder:{tmp_path}"
    options = trainer.inferred(options, num_replicas=1)
    assert options.model.image_size == expected
    assert options.model.channels == (3 if len(shape) == 3 else 1)
    assert options.model.num_classes == 0
    assert f"model.image_size = {expected}" in capsys.readouterr().out


def _tiny(name):
    """A config with narrow networks, on bundled data."""
    options = config.load(name)
    model = models.model_class(options.model_name)
    options.data.dataset = data.FORMATS[model.DATA].bundled
    options.model.update(model.TINY)
    if options.model.get("num_classes"):
        options.model.num_classes = 5  # those of shapes
    options.augment.pipe = "none"  # it has tests of its own, and takes long to compile
    options.batch_size = 4
    return options


def _of_each_structure():
    """One config of all that compile the same steps: they differ in sizes, rates and weights."""
    found = {}
    for name in config.bundled():
        options = _tiny(name)
        values = sorted(options.model.items())
        kinds = [(key, v if isinstance(v, str) else v != 0) for key, v in values]
        found.setdefault((options.model_name, *kinds), name)
    return list(found.values())


@pytest.fixture
def random_vgg19(monkeypatch):
    """In place of a download."""
    monkeypatch.setattr(perceptual, "_downloaded", lambda: None)
    monkeypatch.setattr(perceptual.arrays, "read", lambda path: {})
    monkeypatch.setattr(perceptual.arrays, "assign", lambda *args: None)


@pytest.mark.parametrize("name", config.bundled())
def test_every_config_has_the_arguments_of_its_model(name):
    options = config.load(name)
    model = models.model_class(options.model_name)
    assert set(options.model) == inspect.signature(model).parameters.keys() - {"kwargs"}


@pytest.mark.slow
@pytest.mark.parametrize("name", config.bundled())
def test_every_config_makes_its_model(name, random_vgg19):
    """At its own size; in a graph, which allocates nothing."""
    options = config.load(name)
    model = models.model_class(options.model_name)
    options.data.dataset = data.FORMATS[model.DATA].bundled
    options = trainer.inferred(options, num_replicas=1)
    data.require_divisible(options.batch_size, 1)
    with tf.Graph().as_default():
        model = models.build(options.model_name, augment.make(**options.augment), **options.model)
        model.compile(trainer.optimizers(options, "float32"), options.batch_size)
    shares = trainer.shares(model, config.steps(options.total_images, options.batch_size))
    assert {update.player for updates in shares for update in updates} == set(options.optimizers)
    assert sum(shares.values()) == pytest.approx(1)


def assert_dry(setup, printed):
    """Whether a dry run says what the config and its model are, and what a step takes."""
    for networks in setup.model.players().values():
        for network in networks:
            assert f"{network.name}, {trainer.trainable_parameters(network):,} param" in printed
    for update in setup.model.updates():
        assert f"Update of {update.player}: at {update.offset} modulo {update.every}" in printed
    assert config.to_json(setup.config) in printed
    seconds = float(re.search(r"averaged over the schedule: ([\d.]+)\n", printed)[1])
    hours = float(re.search(r"Estimated for [\d,]+ steps: ([\d.]+) hours\n", printed)[1])
    steps = config.steps(setup.config.total_images, setup.config.batch_size)
    assert hours == pytest.approx(seconds * steps / 3600, abs=0.1 + 0.0005 * steps / 3600)
    assert float(re.search(r"Peak memory: (\d+) MiB", printed)[1]) > 100


def test_a_dry_run_says_what_a_step_takes(capsys):
    setup = trainer.prepare(recipe(), ONE)
    trainer.dry_run(setup)
    assert_dry(setup, capsys.readouterr().out)


def test_a_dry_run_finds_the_parts_of_a_batch_that_fit_a_memory(capsys, monkeypatch):
    """Of 8 images: 2 GiB for the process, and 1 for each image that is looked at together."""
    setup = trainer.prepare(recipe(), ONE)

    def peak():
        return 1024 * (2 + 8 / setup.model.microbatch)

    monkeypatch.setattr(trainer, "peak_memory_mb", peak)
    monkeypatch.setattr(trainer, "StepTimer", mock.Mock(return_value=mock.Mock(seconds=float)))
    trainer.dry_run(setup, memory_gib=6.5)
    printed = capsys.readouterr().out
    assert "--config.microbatch=2 stays within 6.5 GiB" in printed
    assert "config.microbatch=1:" not in printed  # it would take 10, which is known before
    with pytest.raises(UserError, match=r"takes 3.00 GiB in parts of 1 images"):
        trainer.dry_run(setup, memory_gib=2.5)


@pytest.mark.slow
@pytest.mark.parametrize("name", _of_each_structure())
def test_a_config_of_each_structure_runs_dry(name, capsys, random_vgg19):
    setup = trainer.prepare(_tiny(name), ONE)
    trainer.dry_run(setup)
    assert_dry(setup, capsys.readouterr().out)


def _work(index, ports, workdir, threads):
    """One of two workers, in a process of its own, which rounds as the tests' own does."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    os.environ["TF_CONFIG"] = json.dumps(
        {"cluster": cluster, "task": {"type": "worker", "index": index}}
    )
    strategy = trainer.devices.strategy("cpu")
    assert trainer.devices.is_chief(strategy) == (index == 0)
    trainer.train(translation(), RunDirectory(workdir), strategy)


@pytest.mark.slow
def test_two_workers_train_what_two_replicas_do(tmp_path, shared_run):
    """Two processes on this machine, of which only the first writes."""
    context = multiprocessing.get_context("spawn")
    ports = free_ports(2)
    arguments = ports, tmp_path / "run", tf.config.threading.get_intra_op_parallelism_threads()
    workers = [context.Process(target=_work, args=(index, *arguments)) for index in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=300)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert_same_logs(RunDirectory(tmp_path / "run"), shared_run)


@pytest.mark.parametrize(
    "model, options, total_steps, expected",
    [
        ("ssgan", {"discriminator_steps": 5}, 1000, {("D",): 0.8, ("D", "G"): 0.2}),
        ("srgan", {"pretrain_images": 75 * 8}, 100, {("P",): 0.75, ("G", "D"): 0.25}),
        ("srgan", {"pretrain_images": 75 * 8}, 50, {("P",): 1.0}),
        ("cyclegan", {}, 7, {("G", "D"): 1.0}),
    ],
)
def test_a_step_is_timed_as_often_as_the_schedule_has_it(model, options, total_steps, expected):
    model = models.construct(model, **(dict(models.model_class(model).TINY) | options))
    model.batch_size = 8
    shares = trainer.shares(model, total_steps)
    found = {tuple(u.player[0].upper() for u in kind): share for kind, share in shares.items()}
    assert found == pytest.approx(expected)
