import contextlib
import functools
import io
import os
import sys
from unittest import mock

import pytest
from absl import flags

from ganzoo import cli, config
from ganzoo.errors import UserError
from tests import commands


def define_flags():
    flags.DEFINE_string("workdir", None, "where the run is written")
    cli.define_config_flags()


def main(argv):
    chosen = cli.from_flags()
    print(cli.run_name(), chosen.data.dataset, chosen.batch_size, chosen.data.flip, *argv[1:])


def expand(*argv: str) -> list[str]:
    return cli.expand_argv(["train", *argv])[1:]


@pytest.mark.parametrize(
    "argv",
    [
        ("--model=ssgan", "--dataset=cifar10"),
        ("--model", "ssgan", "-dataset", "cifar10"),
        ("--config=ssgan_cifar10",),
        ("--config", "ssgan_cifar10"),
    ],
)
def test_every_spelling_names_the_same_config(argv):
    assert expand(*argv) == ["--config=ssgan_cifar10"]


def test_the_config_comes_first_and_written_overrides_last():
    assert expand("--config.data.dataset=b", "--jit=on", "--dataset=a", "--model=ssgan", "x") == [
        "--config=ssgan",
        "--config.data.dataset=a",
        "--config.jit=on",
        "--config.data.dataset=b",
        "x",
    ]


def test_a_config_that_leaves_its_data_open_takes_a_data_set():
    assert expand("--config=ssgan", "--dataset=a") == ["--config=ssgan", "--config.data.dataset=a"]


def test_images_of_ones_own_get_the_recipe_for_folders():
    assert expand("--model=dcgan", "--dataset=folder:a/b") == [
        "--config=dcgan_folder",
        "--config.data.dataset=folder:a/b",
    ]


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ("1e-4", 1e-4),
        ('("cosine",(0,2e-4),(1_000,5e-5))', ("cosine", (0, 2e-4), (1000, 5e-5))),
    ],
)
@pytest.mark.parametrize("name", ["dcgan_shapes", "cyclegan_solid2striped"])  # constant, and not
def test_a_number_may_be_a_schedule_in_a_flag_as_well(name, words, rate, capsys):
    player = next(iter(config.load(name).optimizers))

    def show(argv):
        print(cli.from_flags().optimizers[player].learning_rate)

    arguments = f"--config={name}", f"--config.optimizers.{player}.learning_rate={words}"
    done = commands.call(lambda: cli.run(show, define_flags), *arguments)
    assert (done.code, done.out) == (0, f"{rate}\n"), done.err


def test_other_flags_are_left_alone():
    assert expand("--workdir", "runs/a", "--help") == ["--workdir", "runs/a", "--help"]


@pytest.mark.parametrize(
    "argv",
    [
        ("--dataset=shapes",),
        ("--config.batch_size=3",),
        ("--jit=on",),
        ("--config=ssgan_cifar10", "--dataset=shapes"),
        ("--config=ssgan", "--model=ssgan"),
    ],
)
def test_what_names_no_config_or_two_is_refused(argv):
    with pytest.raises(UserError):
        expand(*argv)


@pytest.mark.parametrize(
    ("argv", "printed"),
    [
        ("--model=ssgan --dataset=shapes", "ssgan_shapes shapes 16 False"),
        (
            "check --dataset folder:/x/My-Cats/ --model ssgan --config.batch_size 8"
            " --config.data.flip",
            "ssgan_my_cats folder:/x/My-Cats/ 8 True check",
        ),
    ],
)
def test_flags_become_a_config(argv, printed):
    done = _run(argv)
    assert (done.code, done.out.strip()) == (0, printed), done.err


@pytest.mark.parametrize(
    ("argv", "answer"),
    [
        ("", "Name what to train: --model=MODEL --dataset=NAME"),
        ("--model=ssgan", "No data set was named."),
        ("--model=ssgan --dataset", "Missing value for flag --dataset"),
        (
            "--config=ssgan_cifar10 --config.batch_size=abc",
            "batch_size=abc: expected int, as in 64.",
        ),
        ("--config=ssgan_mnist --config.batch_size=1.5", "batch_size=1.5: expected int"),
        ("--config=ssgan_mnist --config.bach_size=1", "'bach_size'. Did you mean batch_size"),
        ("--config=ssgan_mnist --config.jit=yes", "expected one of auto, on, off."),
        ("--config=ssgan_mnist --wrkdir=a", "'--wrkdir'. Did you mean --workdir"),
        ("--config=ssgan_mnist --config.data.flip false", "Unexpected argument 'false'"),
    ],
)
def test_mistakes_are_answered_in_one_line_with_code_2(argv, answer):
    done = _run(argv)
    assert done.code == 2
    assert done.err.startswith("error: ") and done.err.count("\n") == 1
    assert answer in done.err


def test_names_outside_of_the_code_page_do_not_end_a_command():
    out = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    with (
        mock.patch.object(sys, "argv", ["command"]),
        contextlib.redirect_stdout(out),
        pytest.raises(SystemExit) as end,
    ):
        cli.run(lambda argv: print("Wrote 大.png and", os.fsdecode(b"\xff.png")))
    out.flush()
    assert not end.value.code
    assert out.buffer.getvalue().strip() == rb"Wrote \u5927.png and \udcff.png"


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_reader_that_leaves_ends_no_work(name, monkeypatch):
    """As `| head` does."""
    reader, writer = os.pipe()
    os.close(reader)
    done = []

    def work(argv):
        for _ in range(3):
            print("a line", file=getattr(sys, name), flush=True)
        print("a line that is not flushed", file=getattr(sys, name))
        done.append(argv)

    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, name, stream)
        monkeypatch.setattr(sys, "argv", ["command"])
        with pytest.raises(SystemExit) as end:
            cli.run(work)
        assert (end.value.code, len(done)) == (None, 1)
        assert getattr(sys, name) is stream


def _run(argv: str) -> commands.Done:
    command = functools.partial(cli.run, main, define_flags, commands=("check",))
    return commands.call(command, *argv.split())
