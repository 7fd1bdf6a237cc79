"""Run work over slabs of an array in threads; it must spend its time without the GIL."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

from napari_segment.runtime import threads

T = TypeVar("T")

_inside = threading.local()


def over_slabs(work: Callable[[int, int], T], length: int, thickness: int = 0) -> list[T]:
    """Call ``work(start, stop)`` for consecutive slabs of an axis.

    Parameters
    ----------
    work : callable
        Must spend its time without the GIL, and write only to its own slab.
    length : int
        Of the axis.
    thickness : int
        Of a slab; 0 takes four slabs a thread, so that none waits long for the last.

    Returns
    -------
    list
        What the calls returned, in order.
    """
    count = threads()
    thickness = thickness or max(1, -(-length // (4 * count)))
    starts = range(0, length, thickness)
    stops = [min(start + thickness, length) for start in starts]
    if count == 1 or len(starts) < 2 or getattr(_inside, "slab", False):
        return [work(a, b) for a, b in zip(starts, stops, strict=True)]
    return list(_pool(count).map(work, starts, stops))


@lru_cache(maxsize=1)
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "slab", initializer=_enter)


def _enter() -> None:
    """Slabs of slabs are not given threads of their own."""
    _inside.slab = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork
