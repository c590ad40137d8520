"""Two minutes of the campaign of faults, and what its table says."""

import subprocess
import sys

import pytest

from tests.faults.campaign import POINTS, table
from tests.faults.trying import Try


def test_the_table_has_what_was_not_survived():
    found = {
        ("signals", "SIGTERM"): [("srgan", Try("SIGTERM", True, "it went on"))] * 2,
        ("kills", "kill -9"): [
            ("dcgan", Try("kill -9", False, "two lines | of the log\ndiffer")),
            ("ssgan", Try("kill -9", True, "it went on")),
        ],
        ("disks", "full"): [("dcgan", Try("full", None, "needs root"))],
    }
    assert table(found).splitlines()[2:] == [
        "| kills | kill -9 | dcgan, ssgan | 2 | 1 | two lines \\| of the log differ |",
        "| signals | SIGTERM | srgan | 2 | 2 | it went on |",
        "| disks | full | dcgan | 0 | cannot be tried here | needs root |",
    ]


@pytest.mark.slow
def test_two_minutes_of_it_are_survived(tmp_path):
    """Of the points that need no training, whose tries do not depend on the machine's speed."""
    out = tmp_path / "faults.md"
    options = ("--minutes=2", "--seed=1", "--points=files,security", f"--out={out}")
    command = [sys.executable, "-m", "tests.faults.campaign", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = out.read_text().splitlines()[2:]
    assert len(lines) > 3 and all(line.split("|")[1].strip() in POINTS for line in lines)
