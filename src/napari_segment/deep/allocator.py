"""Hold memory that networks on the CPU free for their next step (glibc)."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

_TRIM, _MMAP = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
_RETAINED = {_MMAP: 2**30, _TRIM: 2**31 - 1}
_GIVEN_BACK = {_MMAP: 2**25, _TRIM: 2**26}  # as far as glibc goes by itself

SWITCH = "NAPARI_SEGMENT_MALLOC"  # "0" leaves the allocator of the process as it is

_lock = Lock()
_users = 0


@contextmanager
def retained_memory(wanted: bool = True) -> Iterator[None]:
    """Do not give freed memory back to the system for as long as this is entered.

    Otherwise the large arrays between a network's layers come from the system anew in each
    forward pass, and page faults take a quarter to a half of its time. At the end all that is
    free is given back. It is for the whole process; where the C library is not glibc, or the
    environment variable ``NAPARI_SEGMENT_MALLOC`` is 0, nothing happens.

    Parameters
    ----------
    wanted : bool
        Whether to do so at all (the network computes on the CPU).
    """
    if not wanted or os.environ.get(SWITCH) == "0":
        yield
        return
    _enter(1)
    try:
        yield
    finally:
        _enter(-1)


def give_back() -> None:
    """Give all memory that is free back to the system."""
    with suppress(AttributeError, TypeError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)


def faulted() -> int:
    """Bytes that this process has touched for the first time so far; 0 where nobody tells."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt * resource.getpagesize()


def _enter(step: int) -> None:
    global _users
    with _lock, suppress(AttributeError, TypeError):
        _users += step
        for name, value in (_RETAINED if _users else _GIVEN_BACK).items():
            ctypes.CDLL(None).mallopt(name, value)
        if not _users:
            give_back()
