"""Whatever is pressed at whatever moment: napari lives, and nothing is left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

pytestmark = [
    pytest.mark.screen,
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL on Windows"),
]

ACTIONS = {"wait", "cancel", "delete", "close", "kill"}  # of which each occurs, and none is stuck
SCRIPT = Path(__file__).with_name("random_runs.py")


def random_runs(runs, seed, folder):
    """What the script reports, and the files that it left."""
    environment = os.environ | {"TMPDIR": str(folder), "PYTHONFAULTHANDLER": "1"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(runs), str(seed)],
        env=environment, capture_output=True, text=True, timeout=60 + 10 * runs, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1]), list(folder.glob("napari-segment-*"))


def check(runs, seed, folder):
    report, files = random_runs(runs, seed, folder)
    assert report["runs"] == runs, report
    assert {action.split()[0] for action in report["actions"]} == ACTIONS
    assert report["errors"] == []
    assert not any(psutil.pid_exists(pid) for pid in report["processes"])
    assert files == []


@pytest.mark.slow
def test_a_few_random_runs(tmp_path):
    check(12, 59, tmp_path)  # a seed by which each action occurs


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_300_random_runs(tmp_path):
    check(300, 2, tmp_path)
