"""Freed memory is held while networks compute.

Each test in a process of its own: in one that has worked before, arrays may fit into memory
that is free but not given back, because something small lies above it.
"""

import platform
import subprocess
import sys
import textwrap

import pytest

from napari_segment.deep import allocator

glibc = pytest.mark.skipif(
    not (sys.platform == "linux" and platform.libc_ver()[0] == "glibc"), reason="needs glibc"
)
BEGIN = """
import resource
from pathlib import Path
import numpy as np
from napari_segment.deep.allocator import retained_memory

SIZE = 100 * 2**20

def faults_of_filling():
    '''Page faults of taking, filling and freeing memory ten times.'''
    np.ones(SIZE, np.uint8)
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(SIZE, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begun

def resident():
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()
"""


def passes(code):
    """Run code with asserts after the imports above."""
    command = [sys.executable, "-c", BEGIN + textwrap.dedent(code)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@glibc
def test_memory_is_used_again_inside_and_given_back_at_the_end():
    passes(
        """
        with retained_memory(False):
            outside = faults_of_filling()
        with retained_memory():
            with retained_memory():
                pass
            assert faults_of_filling() < outside / 2  # an inner use does not end the outer one
            inside = resident()
        assert inside - resident() > 0.9 * SIZE
        """
    )


@glibc
def test_it_ends_with_an_error_too():
    passes(
        """
        try:
            with retained_memory():
                raise ValueError("on purpose")
        except ValueError:
            pass
        before = resident()
        np.ones(SIZE, np.uint8)
        assert resident() - before < 0.5 * SIZE
        """
    )


def test_the_environment_switches_it_off(monkeypatch):
    def refuse(step):
        raise AssertionError(step)

    monkeypatch.setattr(allocator, "_enter", refuse)
    monkeypatch.setenv("NAPARI_SEGMENT_MALLOC", "0")
    with allocator.retained_memory():
        pass
