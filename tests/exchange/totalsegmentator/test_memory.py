"""The benchmark of memory in small: killed, resumed, the same labels."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "nnunet_memory.py"


@pytest.mark.nightly
def test_a_killed_run_of_five_networks_gives_the_same_labels():
    given = [sys.executable, "-P", str(SCRIPT), "--small"]
    said = subprocess.run(given, capture_output=True, text=True, check=True).stdout
    assert "killed at tile" in said
    assert "labels equal: True" in said
