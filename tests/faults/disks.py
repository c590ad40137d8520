"""Point 3: disks that are full, read-only, gone, broken or slow in the middle of a training."""

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

from tests.faults.trying import HALF, Try, at_step

PER_MODEL = True
MIDDLE = HALF + 2


def tries(context, name):
    """Each fault once; the run must then go on when the disk is well again."""
    for fault, (message, happen) in FAULTS.items():
        training = context.training(name)
        with happen(training) as happened:
            if happened is None:
                yield Try(fault, None, "needs root")
                continue
            workdir, done, heal = happened
            trouble = ""
            if message is None:
                trouble = done.saw if done.code else ""
            elif not done.is_explained or not any(word in done.text for word in message):
                trouble = done.saw if done.code == 2 else f"{done.saw}: {done.text[-400:]}"
            saw = done.saw
            if not trouble:
                heal()
                done = training.run(workdir)
                trouble = done.saw if done.code else training.outcome(workdir)
            yield Try(fault, not trouble, trouble or saw)


@contextlib.contextmanager
def mounted(folder: Path, size: str = "64m"):
    """A file system in memory; None where one may not mount."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    try:
        if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
            yield None
            return
    except FileNotFoundError:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def _remount(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


@contextlib.contextmanager
def _full(training):
    with mounted(training.context.fresh("full")) as folder:
        if folder is None:
            yield None
            return
        workdir = training.copy(training.half, folder)
        used = sum(path.stat().st_size for path in workdir.rglob("*") if path.is_file())
        _remount(folder, f"size={used * 5 // 4 // 4096 * 4096}")
        done = training.run(workdir)
        yield workdir, done, lambda: _remount(folder, "size=64m")


@contextlib.contextmanager
def _read_only(training):
    """A copy of the run, which is read-only, takes its place: Linux locks none that is written."""
    with mounted(training.context.fresh("read-only")) as folder:
        if folder is None:
            yield None
            return
        workdir = training.copy(training.half)
        shutil.copytree(workdir, folder, dirs_exist_ok=True)
        _remount(folder, "ro")
        cover = ["mount", "--bind", str(folder), str(workdir)]
        uncover = ["umount", "-l", str(workdir)]
        done = training.run(
            workdir, fault=at_step(MIDDLE, lambda: subprocess.run(cover, check=True))
        )
        try:
            yield workdir, done, lambda: subprocess.run(uncover, check=True)
        finally:
            subprocess.run(uncover, capture_output=True)


@contextlib.contextmanager
def _forbidden(training):
    """Also to root, to whom mere permissions say nothing."""
    workdir = training.copy(training.half)

    def forbid(sign):
        paths = [path for path in [workdir, *workdir.rglob("*")] if path.name != ".lock"]
        command = ["chattr", f"{sign}i", *map(str, paths)]
        return subprocess.run(command, capture_output=True).returncode

    if os.geteuid() or not shutil.which("chattr") or forbid("+"):
        yield None
        return
    forbid("-")
    done = training.run(workdir, fault=at_step(MIDDLE, lambda: forbid("+")))
    try:
        yield workdir, done, lambda: forbid("-")
    finally:
        forbid("-")


@contextlib.contextmanager
def _quota(training):
    """A limit on the size of files, which is explained as a quota is."""
    workdir = training.copy(training.half)
    done = training.run(
        workdir, fault=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    )
    yield workdir, done, lambda: None


@contextlib.contextmanager
def _gone(training):
    """As a disk that somebody unplugs and plugs in again."""
    workdir = training.copy(training.half)
    away = workdir.with_name(f"{workdir.name}-away")

    def back():
        if workdir.exists():
            raise RuntimeError(f"another run was begun where the disk was: {workdir}")
        away.rename(workdir)

    done = training.run(workdir, fault=at_step(MIDDLE, lambda: workdir.rename(away)))
    yield workdir, done, back


def _failing(code):
    """What is to be written to the disk fails with an error."""

    @contextlib.contextmanager
    def happen(training):
        workdir = training.copy(training.half)

        def fail(descriptor):
            raise OSError(code, os.strerror(code))

        fault = at_step(MIDDLE, lambda: setattr(os, "fsync", fail))
        done = training.run(workdir, fault=fault)
        yield workdir, done, lambda: None

    return happen


@contextlib.contextmanager
def _slow(training):
    """Each write takes half a second longer."""
    workdir, fsync = training.copy(training.half), os.fsync
    fault = at_step(
        MIDDLE, lambda: setattr(os, "fsync", lambda file: (time.sleep(0.5), fsync(file)))
    )
    done = training.run(workdir, fault=fault)
    yield workdir, done, lambda: None


NO_SPACE, UNWRITABLE = ["No space left"], ["cannot be written"]
FAULTS = {
    "the disk is full": (NO_SPACE, _full),
    "the disk becomes read-only": (UNWRITABLE, _read_only),
    "the permission to write is lost": (UNWRITABLE, _forbidden),
    "a limit on the size of files": (NO_SPACE, _quota),
    "a quota is used up (EDQUOT)": (NO_SPACE, _failing(errno.EDQUOT)),
    "the disk is gone in the middle": (["is gone"], _gone),
    "the disk fails (EIO)": (["fails"], _failing(errno.EIO)),
    "a server of files is gone (ESTALE)": (["is gone"], _failing(errno.ESTALE)),
    "the disk is slow": (None, _slow),
}
