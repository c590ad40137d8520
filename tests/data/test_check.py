import os
import shlex

import numpy as np
import pytest
from PIL import Image

from ganzoo.data import check, open_source
from ganzoo.data.catalog import find
from ganzoo.data.decode import Preparation
from ganzoo.data.formats import prepared
from ganzoo.errors import UserError
from tests import commands

from .helpers import encoded, noise, write_images


@pytest.fixture
def mixed(tmp_path):
    write_images(tmp_path, 3)
    (tmp_path / "cut.jpg").write_bytes(encoded(noise(size=64), "JPEG")[:-300])
    (tmp_path / "deep.png").write_bytes(encoded(Image.fromarray(np.zeros((16, 16), np.uint16))))
    (tmp_path / "long.png").write_bytes(encoded(Image.new("RGB", (100, 16))))
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "small.png").write_bytes(encoded(noise(size=4)))
    (tmp_path / "text.png").write_text("hello")
    return tmp_path


def test_every_problem_is_listed_with_its_reason(mixed, home):
    report = check(f"folder:{mixed}", progress=False)
    assert [(p.path, p.kind) for p in report.problems] == [
        ("cut.jpg", "bad"),
        ("deep.png", "notice"),
        ("long.png", "notice"),
        ("notes.txt", "notice"),
        ("small.png", "bad"),
        ("text.png", "bad"),
    ]
    reasons = [p.reason.split(":")[0].split(",")[0] for p in report.problems]
    assert reasons[:3] == ["unreadable", "16 bits", "100x16"]
    assert reasons[3:] == ["not an image", "tiny", "not an image that Pillow reads"]
    assert (report.count, report.usable) == (9, 5)
    assert not list(home.iterdir())


def test_what_is_tiny_depends_on_the_image_size(tmp_path):
    write_images(tmp_path, 2)
    assert not check(f"folder:{tmp_path}", image_size=64, progress=False).problems
    report = check(f"folder:{tmp_path}", image_size=128, progress=False)
    assert report.problems[0].reason == "tiny: 16x16, at least 32 px a side are needed"


def test_the_command_line_prints_a_table(mixed):
    done = commands.run("data", "check", f"--dataset=folder:{mixed}")
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0].startswith("bad     cut.jpg    unreadable")
    assert lines[1].startswith("notice  deep.png   16 bits")
    assert lines[-1].endswith("9 files, 5 images that can be used, 3 bad, 3 odd.")


@pytest.mark.parametrize("options", [{"fit": "keep"}, {"image_size": 80, "labels": True}])
def test_the_command_that_training_names_lists_what_it_refuses(tmp_path, options):
    for side in (14, 32, 64):
        write_images(tmp_path / "my photos" / "a" / str(side), 1, side)
    dataset, settings = f"folder:{tmp_path / 'my photos'}", {"image_size": 32} | options
    collection = find(dataset, labels=options.get("labels", False))
    fit = settings.get("fit", "crop")
    preparation = Preparation(settings["image_size"], 3, fit=fit, progress=False)
    with pytest.raises(UserError, match=r"14/0000\.png: tiny") as error:
        prepared(collection, preparation)
    command = str(error.value).split("All are listed by: python -m ganzoo.")[1]
    done = commands.run(*shlex.split(command))
    assert done.code == 1 and "3 files, 2 images that can be used, 1 bad" in done.out
    assert ("Classes: 0 = 14, 1 = 32, 2 = 64" in done.out) == ("labels" in options)


def test_a_name_that_is_not_utf8_is_a_name(tmp_path):
    name = os.fsdecode(b"\xff.png")
    (write_images(tmp_path, 1) / name).write_text("hello")
    done = commands.run("data", "check", f"--dataset=folder:{tmp_path}")
    assert done.code == 1 and name in done.out
    for _ in ("prepared", "from the cache"):
        options = {"image_size": 16, "channels": 3, "on_bad_file": "skip"}
        assert len(open_source(f"folder:{tmp_path}", **options)) == 1


def test_a_clean_data_set_exits_with_zero(tmp_path):
    write_images(tmp_path / "a", 2)
    done = commands.run(
        "data", "check", f"--dataset=folder:{tmp_path}", "--image_size=16", "--labels"
    )
    assert done.code == 0
    assert done.out.endswith("2 files, 2 images that can be used, 0 bad, 0 odd.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--dataset=folder:/missing"], "no folder"),
        (["check"], "Expected: python -m ganzoo.data check --dataset=NAME"),
        (["chekc", "--dataset=shapes"], "chekc"),
    ],
)
def test_a_wrong_command_line_exits_with_two(arguments, message):
    done = commands.run("data", *arguments)
    assert done.code == 2
    assert message in done.err and "Traceback" not in done.err


def test_what_is_no_file_is_bad(tmp_path, home):
    write_images(tmp_path, 1)
    (tmp_path / "away.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    report = check(f"folder:{tmp_path}", progress=False)
    assert [tuple(problem) for problem in report.problems] == [
        ("away.png", "unreadable: a link to nowhere", "bad"),
        ("pipe.png", "unreadable: not a file", "bad"),
    ]
    assert report.usable == 1


def test_a_folder_that_cannot_be_read_is_told(tmp_path, monkeypatch):
    def walk(root, onerror, followlinks):
        onerror(PermissionError(13, "Permission denied", str(root / "locked")))
        yield root, [], []

    monkeypatch.setattr(os, "walk", walk)
    with pytest.raises(UserError, match=r"locked' cannot be read: Permission denied"):
        check(f"folder:{tmp_path}", progress=False)


def test_drawings_need_no_check():
    assert check("shapes").usable == 50_000
    assert check("solid2striped").usable == 20_000
