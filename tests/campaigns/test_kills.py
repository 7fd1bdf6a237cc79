"""Work that is killed at random moments leaves the old or the new result, and goes on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).with_name("kills.py")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")


def counts(tmp_path, work, count, seed):
    """What was seen in some trials, each of which checked what was left."""
    command = [sys.executable, KILLS, work, str(count), str(seed), tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("work", ["write", "zarr"])
def test_writing_is_killed(tmp_path, work):
    seen = counts(tmp_path, work, 8, seed=1)
    assert seen["trials"] == 8
    assert seen["killed"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("work", ["store", "train"])
def test_networks_are_killed(tmp_path, work):
    seen = counts(tmp_path, work, 3, seed=1)
    assert seen["trials"] == 3


@pytest.mark.nightly
@pytest.mark.parametrize("work", ["write", "zarr", "store", "train"])
def test_two_hundred_kills(tmp_path, work):
    seen = counts(tmp_path, work, 200, seed=2)
    assert seen["trials"] == 200
    assert seen["killed"] > 50
