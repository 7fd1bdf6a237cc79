"""How much memory is free: of the machine, or of the container that this process lives in."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")
_PROCESS = Path("/proc/self")
_UNLIMITED = 2**62


def free_memory() -> int:
    """Bytes that this process may still take without swapping."""
    import psutil

    return min(int(psutil.virtual_memory().available), _left_in_group(_GROUP))


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


def _left_in_group(group: Path) -> int:
    """What a container may still take (cgroup v2), or more than any machine has.

    Pages of files that were read count as used there, but are given back when memory is short.
    """
    try:
        limit = int((group / "memory.max").read_text("ascii"))
        used = int((group / "memory.current").read_text("ascii"))
        pages = dict(
            line.split() for line in (group / "memory.stat").read_text("ascii").splitlines()
        )
        return max(limit - used + int(pages.get("inactive_file", 0)), 0)
    except (OSError, ValueError):  # no such group, or "max"
        return _UNLIMITED
