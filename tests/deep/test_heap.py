"""Freed memory kept while networks compute."""

import platform
import resource
import sys

import numpy as np
import pytest

from napari_segment.deep.heap import kept_memory

glibc = pytest.mark.skipif(
    not (sys.platform == "linux" and platform.libc_ver()[0] == "glibc"), reason="needs glibc"
)
MEGABYTES = 100


def faults_of_filling() -> int:
    """Page faults of taking, filling and freeing memory ten times."""
    np.ones(MEGABYTES * 2**20, np.uint8)
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.ones(MEGABYTES * 2**20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begun


def resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize()


@glibc
def test_memory_is_used_again_inside_and_given_back_at_the_end():
    with kept_memory(False):
        outside = faults_of_filling()
    with kept_memory():
        with kept_memory():
            pass
        assert faults_of_filling() < outside / 2  # an inner use does not end the outer one
        inside = resident()
    assert inside - resident() > 0.9 * MEGABYTES * 2**20


@glibc
def test_it_ends_with_an_error_too():
    with pytest.raises(ValueError, match="on purpose"), kept_memory():
        raise ValueError("on purpose")
    before = resident()
    np.ones(MEGABYTES * 2**20, np.uint8)
    assert resident() - before < 0.5 * MEGABYTES * 2**20
