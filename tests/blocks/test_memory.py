"""Free memory of the machine, in containers, and under limits of the process."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from napari_segment.blocks import memory

resource = pytest.importorskip("resource")


def test_the_least_of_machine_and_group_counts(monkeypatch):
    assert memory.free_memory() <= psutil.virtual_memory().total
    monkeypatch.setattr(memory, "memory_left", lambda: 500_000)
    assert memory.free_memory() == 500_000
    monkeypatch.setattr(memory, "memory_left", lambda: 2**62)
    assert memory.free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not enforce these limits")
@pytest.mark.parametrize("kind", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_limits_of_the_process_count(kind):
    code = f"""
import resource
import numpy as np
from napari_segment.blocks.memory import free_memory
resource.setrlimit(resource.{kind}, (2**31, 2**31))
print(free_memory())
held = np.ones(2**29, np.uint8)
print(free_memory())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert 2**29 < before < 2**31
    assert before - after == pytest.approx(2**29, rel=0.01)
