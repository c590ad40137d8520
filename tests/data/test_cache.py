import errno
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from ganzoo.data import cache, open_source
from ganzoo.errors import UserError

from .helpers import noise, write_images


def _open(folder, **options):
    settings = {"image_size": 16, "channels": 3, "progress": False} | options
    return open_source(f"folder:{folder}", **settings)


def _command(folder, before=""):
    arguments = f"'folder:{folder}', image_size=16, channels=3"
    code = f"""
from ganzoo.data import cache, open_source
{before}
print(open_source({arguments}).fingerprint)
"""
    return [sys.executable, "-c", code]


def _entries(home):
    return sorted(path for path in (home / "data").glob("*") if path.suffix != ".lock")


def _never(*args):
    pytest.fail("prepared again")


@pytest.mark.parametrize("limit", [1 << 30, 0])
def test_the_second_start_prepares_nothing(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(cache, "IN_MEMORY", limit)
    first = _open(write_images(tmp_path, 5))
    monkeypatch.setattr(cache, "scan", _never)
    second = _open(tmp_path)
    assert first.fingerprint == second.fingerprint
    assert isinstance(second.arrays["image"], np.memmap) == (limit == 0)
    found = second.read(np.array([4, 0, 4]))
    assert np.array_equal(found["image"], [np.asarray(noise(i)) for i in (4, 0, 4)])
    assert found["label"].dtype == np.int32


def test_changed_content_under_the_same_path_is_prepared_anew(tmp_path, home):
    first = _open(write_images(tmp_path, 3))
    noise(7).save(tmp_path / "0001.png")
    second = _open(tmp_path)
    assert np.array_equal(second.image(1), np.asarray(noise(7)))
    assert first.fingerprint != second.fingerprint
    assert len(_entries(home)) == 2


def test_each_preparation_has_its_entry(tmp_path, home):
    write_images(tmp_path / "a", 2)
    for options in ({}, {"image_size": 8}, {"channels": 1}, {"resize": "box"}, {"labels": True}):
        _open(tmp_path, **options)
    assert len(_entries(home)) == 5


def test_cache_dir_comes_before_the_environment(tmp_path, home):
    _open(write_images(tmp_path / "images", 1), cache_dir=tmp_path / "cache")
    assert len(_entries(tmp_path / "cache")) == 1 and not _entries(home)


def test_images_are_a_plain_npy_file_of_the_usable_ones(tmp_path, home):
    write_images(tmp_path, 3)
    (tmp_path / "0001.png").write_text("hello")
    _open(tmp_path, on_bad_file="skip")
    (entry,) = _entries(home)
    images = np.load(entry / "images.npy", mmap_mode="r")
    assert np.array_equal(images, [np.asarray(noise(i)) for i in (0, 2)])


def test_too_small_a_disk_is_told_before_the_work(tmp_path, home, monkeypatch):
    usage = shutil.disk_usage(home)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    monkeypatch.setattr(cache, "scan", _never)
    with pytest.raises(UserError, match=r"need 2,316 bytes in .* 1,000 are free.*GANZOO_HOME"):
        _open(write_images(tmp_path, 3))
    assert not _entries(home)


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path, home, monkeypatch):
    scan = cache.scan

    def full(*args):
        yield next(scan(*args))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "scan", full)
    with pytest.raises(UserError, match=r"need 2,316 bytes .* are free.*GANZOO_HOME"):
        _open(write_images(tmp_path, 3))
    assert not _entries(home)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("GANZOO_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(UserError, match=r"Cannot write the prepared images.*GANZOO_HOME"):
        _open(write_images(tmp_path / "images", 1))


def test_a_prepared_entry_can_be_read_only(tmp_path, monkeypatch):
    fingerprint = _open(write_images(tmp_path, 2)).fingerprint
    monkeypatch.setattr(cache.filelock, "FileLock", _never)
    assert _open(tmp_path).fingerprint == fingerprint


@pytest.mark.slow
def test_a_killed_preparation_leaves_no_entry(tmp_path, home):
    die = """
import os
scan = cache.scan
def dying(*args):
    for i, row in enumerate(scan(*args)):
        if i == 3:
            os.kill(os.getpid(), 9)
        yield row
cache.scan = dying
"""
    folder = write_images(tmp_path, 5)
    killed = subprocess.run(_command(folder, die), capture_output=True, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert [path.suffix for path in _entries(home)] == [".partial"]
    assert len(_open(folder)) == 5
    assert [path.suffix for path in _entries(home)] == [""]


@pytest.mark.slow
def test_two_processes_prepare_once(tmp_path, home):
    command = _command(write_images(tmp_path, 600))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, **pipes) for _ in range(2)]
    out, err = zip(*(process.communicate() for process in both), strict=True)
    assert out[0] == out[1] and len(out[0]) == 65
    assert "".join(err).count("600 files") == 1
    assert len(_entries(home)) == 1


def test_without_a_home_directory_another_place_is_asked_for(tmp_path, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("GANZOO_HOME")
    monkeypatch.setattr(cache.Path, "home", homeless)
    with pytest.raises(UserError, match=r"no home directory .*Set GANZOO_HOME"):
        _open(write_images(tmp_path / "images", 1))


@pytest.mark.parametrize("name", ["entry.json", "images.npy", "labels.npy"])
def test_damaged_entries_are_told(tmp_path, home, name):
    _open(write_images(tmp_path, 2))
    (entry,) = _entries(home)
    os.truncate(entry / name, 100 if name == "images.npy" else 0)
    with pytest.raises(UserError, match=r"is damaged .*Remove that folder: its images"):
        _open(tmp_path)
