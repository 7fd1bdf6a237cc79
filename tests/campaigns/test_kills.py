"""Work that is killed at random moments leaves the old or the new result, and goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLS = Path(__file__).with_name("kills.py")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")


def counts(tmp_path, work, count, seed):
    """What was seen in some trials, each of which checked what was left."""
    command = [sys.executable, KILLS, work, str(count), str(seed), tmp_path]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # threads are not there in a fork
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=alone)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_writing_is_killed(tmp_path):
    seen = counts(tmp_path, "write", 6, seed=1)
    assert seen["trials"] == 6
    assert seen["killed"] > 0


@pytest.mark.nightly
@pytest.mark.parametrize("work", ["write", "zarr", "store", "train"])
def test_two_hundred_kills(tmp_path, work):
    seen = counts(tmp_path, work, 200, seed=2)
    assert seen["trials"] == 200
    assert seen["killed"] > 50
