"""Time and memory of one call, estimated on a small part; the time left while it runs."""

from __future__ import annotations

import math
import re
import threading
import time
import tracemalloc
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import numpy as np

from napari_segment.arrays import Index
from napari_segment.blocks import is_lazy
from napari_segment.blocks.memory import free_memory
from napari_segment.errors import MemoryShortError, SegmentError
from napari_segment.step import Step

Arrays = Mapping[str, Any]
Call = Callable[[Arrays], Any]

LARGE = 2**21  # voxels from which a call is estimated
SAMPLE = 2**16  # voxels of the part on which that is done
PATIENCE = 3.0  # seconds from which on the time left is said
STEEPEST = 1.4  # power of the number of voxels with which time may grow
INTERVAL = 0.5  # seconds between two Steps
DOUBT = 1.25  # times what is free that an estimate must be for a call to be refused
TIGHT = 8  # times its input that a call may need before its memory is estimated


def supervised(title: str, call: Call, arrays: Arrays, spatial: int) -> Generator[Step, None, Any]:
    """Call a function that yields no Steps; say how much time is left, or that it does not fit.

    Parameters
    ----------
    title : str
        The entry, for messages.
    call : callable
        From arrays by name to the result.
    arrays : mapping of str to array
        Those of the image have `spatial` trailing axes of one shape.
    spatial : int
        How many trailing axes are spatial.

    Yields
    ------
    Step
        Twice a second with the time left, if the call is expected to take seconds.

    Returns
    -------
    object
        What `call` returns.

    Raises
    ------
    MemoryShortError
        If the call needs more memory than is free.
    """
    shape = _shape(arrays, spatial)
    size = int(np.prod(shape))
    if size < LARGE or any(is_lazy(array) for array in arrays.values()):
        return call(arrays)
    _require_memory(title, call, arrays, shape)
    seconds = _seconds(call, arrays, shape)
    if seconds < PATIENCE:
        return call(arrays)
    return (yield from _timed(title, call, arrays, seconds))


@contextmanager
def memory_said(title: str, arrays: Arrays) -> Iterator[None]:
    """Say in a sentence that there is too little memory for the work within."""
    try:
        yield
    except SegmentError:
        raise
    except MemoryError as error:
        voxels = max((np.size(array) for array in arrays.values()), default=0)
        asked = re.search(r"allocate (\S+ \S+) for", str(error))
        more = f" (it asked for {asked[1]} more)" if asked else ""
        raise MemoryShortError(
            f"{title} needs more memory than the {free_memory() / 1e9:.2g} GB that are free for "
            f"{voxels:,} voxels{more}. {_LESS}"
        ) from error


_LESS = (
    "Close other programs, crop the image, work plane by plane (apply_to='plane'), or, if the "
    "entry allows it, leave the image on disk (lazy=True, --lazy)."
)


def _shape(arrays: Arrays, spatial: int) -> tuple[int, ...]:
    """Return the spatial shape of the largest array."""
    shapes = [np.shape(array)[-spatial:] for array in arrays.values() if np.ndim(array) >= spatial]
    return max(shapes, key=lambda shape: int(np.prod(shape)), default=())


# ---- parts ----


def _part(arrays: Arrays, shape: tuple[int, ...], size: int, *, spread: bool) -> tuple[Arrays, int]:
    """Return about so many voxels, and how many: the centre of all arrays, or each n-th voxel."""
    share = min((size / np.prod(shape)) ** (1 / len(shape)), 1.0)
    index: tuple[slice, ...]
    if spread:
        index = tuple(slice(None, None, max(round(1 / share), 1)) for _ in shape)
    else:
        sides = [min(max(round(n * share), 8), n) for n in shape]
        starts = [(n - side) // 2 for n, side in zip(shape, sides, strict=True)]
        index = tuple(slice(a, a + side) for a, side in zip(starts, sides, strict=True))
    parts = {name: _cut(array, shape, index) for name, array in arrays.items()}
    return parts, int(np.prod([len(range(n)[i]) for n, i in zip(shape, index, strict=True)]))


def _cut(array: Any, shape: tuple[int, ...], index: Index) -> Any:
    if np.shape(array)[-len(shape) :] != shape:
        return array
    return np.ascontiguousarray(array[(..., *index)])  # type: ignore[misc]


def _run(call: Call, arrays: Arrays) -> float:
    """Return the seconds that a call takes; what it warns of is not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        begun = time.perf_counter()
        result = call(arrays)
        if hasattr(result, "close"):  # long work that yields its own Steps
            result.close()
        return time.perf_counter() - begun


# ---- time ----


def _seconds(call: Call, arrays: Arrays, shape: tuple[int, ...]) -> float:
    """Return about how long a call will take; 0 where no part can be worked on by itself."""
    for spread in (False, True):
        small, size = _part(arrays, shape, SAMPLE, spread=spread)
        try:
            whole = float(np.prod(shape))
            seconds = _run(call, small) * whole / size
            if seconds < PATIENCE:
                return seconds
            seconds = _run(call, small)  # without what was compiled or imported by the first
            large, more = _part(arrays, shape, 4 * SAMPLE, spread=spread)
            longer = _run(call, large)
        except Exception:  # such as no markers there: the call itself says what is wrong
            continue
        growth = math.log(max(longer / seconds, 1)) / math.log(max(more / size, 2))
        return float(longer * (whole / more) ** min(max(growth, 1.0), STEEPEST))
    return 0.0


def _timed(title: str, call: Call, arrays: Arrays, seconds: float) -> Generator[Step, None, Any]:
    """Call in a thread, and say meanwhile how much time is left.

    A call cannot be ended: closing the generator waits for it, as a call without Steps would.
    """
    answer: dict[str, Any] = {}

    def work() -> None:
        try:
            answer["result"] = call(arrays)
        except BaseException as error:
            answer["error"] = error

    yield _step(title, 0.0, seconds)
    thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True)
    begun = time.perf_counter()
    thread.start()
    try:
        while thread.is_alive():
            thread.join(INTERVAL)
            yield _step(title, time.perf_counter() - begun, seconds)
    except GeneratorExit:
        thread.join()
        raise
    if "error" in answer:
        raise answer["error"]
    return answer["result"]


def _step(title: str, elapsed: float, seconds: float) -> Step:
    left = seconds - elapsed
    if left <= 0:
        over = f"longer than the {_duration(seconds)} that were expected"
        return Step(99, 100, f"{title}: {over}")
    return Step(int(99 * elapsed / seconds), 100, f"{title}: about {_duration(left)} left")


def _duration(seconds: float) -> str:
    if seconds < 99:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5940 else f"{seconds / 3600:.1f} h"


# ---- memory ----


def _require_memory(title: str, call: Call, arrays: Arrays, shape: tuple[int, ...]) -> None:
    """Refuse what needs more memory than is free, as far as parts of two sizes tell it."""
    held = sum(getattr(array, "nbytes", 0) for array in arrays.values())
    free = free_memory()
    if TIGHT * held < free:
        return
    need = _bytes(call, arrays, shape)
    if need > DOUBT * free:
        size = int(np.prod(shape))
        raise MemoryShortError(
            f"{title} needs about {need / 1e9:.2g} GB of memory for {size:,} voxels, but "
            f"{free / 1e9:.2g} GB are free. {_LESS}"
        )


def _bytes(call: Call, arrays: Arrays, shape: tuple[int, ...]) -> float:
    """Return about how much memory a call takes besides its input: a line through two parts."""
    peaks = []
    try:
        for size in (SAMPLE, 2 * SAMPLE):
            part, voxels = _part(arrays, shape, size, spread=False)
            _run(call, part)  # compiles, and makes what lasts
            peaks.append((voxels, _peak(call, part)))
    except Exception:
        return 0.0
    (small, low), (large, high) = peaks
    slope = max(high - low, 0) / max(large - small, 1)
    return low + slope * (float(np.prod(shape)) - small)


def _peak(call: Call, arrays: Arrays) -> int:
    """Return the bytes of arrays that a call holds at once."""
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start()
    try:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        _run(call, arrays)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not tracing:
            tracemalloc.stop()
