"""Threads: how many this process may use, and how those of other libraries wait for work.

OpenMP lets an idle thread spin for a while, which is quick where every thread has a core of its
own, and takes the cores from other programs, and from the threads that are waited for, where they
are shared. The settings are environment variables, which are read when a library is loaded.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from math import ceil

from napari_segment.cgroups import cpu_quota

THREADS, SWITCH = "NAPARI_SEGMENT_THREADS", "NAPARI_SEGMENT_RUNTIME"
_WAITS = {
    "GOMP_SPINCOUNT": "10000",  # GNU OpenMP (PyTorch on Linux): rounds, 0.1 to 0.5 ms
    "KMP_BLOCKTIME": "1",  # LLVM and Intel OpenMP (PyTorch on macOS and Windows): ms
}
_OPENMP_COUNT = "OMP_NUM_THREADS"
_COUNTS = (
    _OPENMP_COUNT, "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS", "OPENCV_FOR_THREADS_NUM",
)  # fmt: skip
_READ_ONCE = ("torch", "numpy", "cv2", "numba")


def threads() -> int:
    """Return how many threads kernels use.

    That is ``NAPARI_SEGMENT_THREADS``, else the cores that this process may use: those of its
    affinity, and no more than the quota of its control group.
    """
    given = os.environ.get(THREADS, "")
    if given.isdigit() and int(given):
        return int(given)
    affinity = getattr(os, "sched_getaffinity", None)  # Linux
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, ceil(min(cores, cpu_quota())))


def configure_runtime() -> dict[str, str]:
    """Let the threads of other libraries wait without taking cores from other programs.

    It sets environment variables of GNU, LLVM and Intel OpenMP, and where this process may use
    fewer cores than the machine has, the numbers of threads of OpenMP, BLAS libraries, OpenCV and
    numba. What is set already stays as it is. Call it before NumPy, PyTorch, OpenCV or numba are
    imported: they read the variables once. The command line and the process that works for napari
    call it themselves; importing the library changes nothing. ``NAPARI_SEGMENT_RUNTIME=0``
    switches it off.

    Returns
    -------
    dict of str to str
        The variables that were set.

    Examples
    --------
    >>> from napari_segment import configure_runtime
    >>> configure_runtime()  # doctest: +SKIP
    {'GOMP_SPINCOUNT': '10000', 'KMP_BLOCKTIME': '1', ...}
    """
    added = set_variables()
    loaded = [name for name in _READ_ONCE if name in sys.modules]
    if added and loaded:
        warnings.warn(
            f"{', '.join(loaded)} were imported before configure_runtime() was called and keep "
            "their settings of threads. Call it first.",
            stacklevel=2,
        )
    return added


def set_variables() -> dict[str, str]:
    """Set the variables of `configure_runtime`, whatever is loaded, and return them."""
    added = variables(os.environ, threads(), os.cpu_count() or 1)
    os.environ.update(added)
    return added


def variables_of_share(environment: Mapping[str, str], processes: int) -> dict[str, str]:
    """Return the environment of one of several processes that share the threads of this one.

    Parameters
    ----------
    environment : mapping of str to str
        Of this process.
    processes : int
        How many there are.
    """
    share = max(1, threads() // processes)
    shared = {**environment, THREADS: str(share)}
    for name in _COUNTS:
        if environment.get(name, "").isdigit() and int(environment[name]) > share:
            shared[name] = str(share)
    return shared | variables(shared, share, os.cpu_count() or 1)


def variables(environment: Mapping[str, str], cores: int, machine: int) -> dict[str, str]:
    """Return the variables to add to an environment.

    Parameters
    ----------
    environment : mapping of str to str
        What is set already wins.
    cores : int
        Cores that the process may use.
    machine : int
        Cores of the machine, which some libraries take without asking for more.
    """
    if environment.get(SWITCH, "") == "0":
        return {}
    waits = {} if "OMP_WAIT_POLICY" in environment else _WAITS
    counts = dict.fromkeys(_COUNTS, str(cores)) if cores != machine else {}
    if _OPENMP_COUNT in environment:  # BLAS libraries follow it
        counts = {k: v for k, v in counts.items() if k not in _COUNTS[1:3]}
    return {k: v for k, v in (waits | counts).items() if k not in environment}
