"""A trainer that is killed and started again ends with the bits of one that was left alone.

GANZOO_KILLS=20 python -m pytest -m slow tests/test_kill.py    kills more often than the usual 2
"""

import os
import random
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("GANZOO_KILLS", "2"))
BATCH, TICK, IMAGES = 8, 64, 50
TOTAL = TICK * (KILLS + 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Fifty images, so that training passes over them many times."""
    folder = tmp_path_factory.mktemp("images")
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, 32, 32, 3), np.uint8)
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def straight(folder, tmp_path_factory):
    """The state that an uninterrupted run ends with."""
    workdir = tmp_path_factory.mktemp("straight")
    finish(command(folder, workdir))
    return final_state(workdir)


def command(folder, workdir, before=""):
    """A trainer in a process of its own, after some Python."""
    program = f"{before}\nfrom ganzoo import cli, train\ncli.run(train.main, train.define_flags)"
    return [
        *(sys.executable, "-c", program, "--model=dcgan", f"--dataset=folder:{folder}"),
        *(f"--workdir={workdir}", "--config.data.flip=true", "--precision=float32"),
        *(f"--config.total_images={TOTAL}", f"--config.tick_images={TICK}"),
        *(f"--config.batch_size={BATCH}", "--config.num_samples=1"),
        *("--config.model.width=8", "--config.model.ema_half_life_images=100"),
    ]


def finish(arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def final_state(workdir):
    """Every number in the last checkpoint and in the model, under its name."""
    last = max((workdir / "checkpoints").glob("step-*"))
    assert last.name == f"step-{TOTAL // BATCH:09d}.weights.h5"
    state = {}
    for path in (last, *(workdir / "model").glob("*.h5")):
        with h5py.File(path) as file:
            file.visititems(
                lambda name, item, path=path: state.update(
                    {f"{path.name} {name}": item[()]} if isinstance(item, h5py.Dataset) else {}
                )
            )
    return state


def assert_same(state, expected):
    assert state.keys() == expected.keys() and len(state) > 100
    for name, value in expected.items():
        np.testing.assert_array_equal(state[name], value, err_msg=name)


def kill_somewhere(arguments, workdir, delay):
    """Kills a trainer `delay` ticks' time after its first checkpoint; False when it was faster."""
    known = set(workdir.glob("checkpoints/step-*"))
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    start = None
    while process.poll() is None:
        if start is None and set(workdir.glob("checkpoints/step-*")) - known:
            start = time.monotonic()
        if start is not None and time.monotonic() - start > delay:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.002)
    return False


def test_killed_at_random_moments(folder, straight, tmp_path):
    random.seed(0)
    arguments = command(folder, tmp_path)
    killed = sum(kill_somewhere(arguments, tmp_path, random.uniform(0, 0.3)) for _ in range(KILLS))
    assert killed >= KILLS / 2  # the others came when the run was complete
    print(f"{killed} kills")
    finish(arguments)
    assert_same(final_state(tmp_path), straight)


@pytest.mark.parametrize("moment", ["inside the write", "before the rename"])
def test_killed_inside_a_checkpoint(folder, straight, tmp_path, moment):
    """The second checkpoint is half there when the process dies."""
    patch = (
        "replace = os.replace\ndef die(source, target):\n    if 'step-000000016' in str(target):\n"
    )
    if moment == "inside the write":
        patch += "        os.truncate(source, 5000)\n"
    patch += "        os.kill(os.getpid(), 9)\n    replace(source, target)\nos.replace = die"
    killed = subprocess.run(command(folder, tmp_path, f"import os\n{patch}"), capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert left == ["step-000000008.weights.h5", "unfinished-step-000000016.weights.h5"]
    finish(command(folder, tmp_path))
    assert_same(final_state(tmp_path), straight)


def test_killed_while_the_last_model_is_written(folder, straight, tmp_path):
    """A run that says it is complete has the model of its end."""
    patch = f"""
import os
replace, written = os.replace, []
def die(source, target):
    written.extend([target] * str(target).endswith("generator.weights.h5"))
    if len(written) == {TOTAL // TICK}:
        os.kill(os.getpid(), 9)
    replace(source, target)
os.replace = die
"""
    killed = subprocess.run(command(folder, tmp_path, patch), capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finish(command(folder, tmp_path))
    assert_same(final_state(tmp_path), straight)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_inside_a_tick(folder, straight, tmp_path, number):
    """It comes from the fifth step of the second tick."""
    send = f"""
import os
from ganzoo import engine
step = engine.GAN._follow_schedules
def signalled(model, images):
    if images == {TICK + 5 * BATCH}:
        os.kill(os.getpid(), {int(number)})
    return step(model, images)
engine.GAN._follow_schedules = signalled
"""
    stopped = subprocess.run(command(folder, tmp_path, send), capture_output=True, text=True)
    assert stopped.returncode == 128 + number
    assert "saved. The same command resumes from here." in stopped.stderr
    assert (tmp_path / "checkpoints" / "step-000000014.weights.h5").exists()
    finish(command(folder, tmp_path))
    assert_same(final_state(tmp_path), straight)
