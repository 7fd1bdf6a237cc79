"""How much memory is free: of the machine, of the control group and of the process's limits."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from napari_segment.cgroups import memory_left

_PROCESS = Path("/proc/self")
_UNLIMITED = 2**62


def free_memory() -> int:
    """Bytes that this process may still take without swapping, within all limits set to it."""
    import psutil

    return min(int(psutil.virtual_memory().available), memory_left(), _left_of_limits())


def reset_peak_memory() -> None:
    """Let `peak_memory` count from now on, where the system can (Linux)."""
    with suppress(OSError):
        (_PROCESS / "clear_refs").write_text("5", "ascii")


def peak_memory() -> int | None:
    """The most bytes that this process held at once, since its start or the last reset.

    None where the system does not say.
    """
    try:
        lines = (_PROCESS / "status").read_text("utf-8").splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM:"))
        return int(peak.split()[1]) * 1024
    except (OSError, StopIteration):
        import psutil

        memory = psutil.Process().memory_info()
        return getattr(memory, "peak_wset", None)  # Windows


def _left_of_limits() -> int:
    """Return what the limits of the process (``ulimit``) leave; more than any machine without."""
    try:
        import resource
    except ImportError:  # Windows
        return _UNLIMITED
    import psutil

    held = psutil.Process().memory_info()
    pairs = (resource.RLIMIT_AS, held.vms), (resource.RLIMIT_DATA, getattr(held, "data", 0))
    limits = ((resource.getrlimit(kind)[0], used) for kind, used in pairs)
    return min(
        (max(most - used, 0) for most, used in limits if most != resource.RLIM_INFINITY),
        default=_UNLIMITED,
    )
