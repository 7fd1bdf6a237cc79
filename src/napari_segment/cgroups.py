"""Limits of the control groups of this process (Linux): of a container, a unit or a batch job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path, PurePosixPath

_MOUNT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_UNLIMITED = 2**62
_MEMORY = (  # limit, usage, and the entry of memory.stat: of version 2, of version 1
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def cpu_quota() -> float:
    """Return how many cores' time the control groups allow; infinite without a limit."""
    return min(map(_quota, _groups("cpu")), default=inf)


def memory_left() -> int:
    """Return how many bytes the control groups still allow; 2⁶² without a limit.

    Pages of files that were read count as used there, but are given back when memory is short.
    """
    return min(map(_left, _groups("memory")), default=_UNLIMITED)


def _groups(controller: str) -> Iterator[Path]:
    """Yield the folders of the process's group and of the groups that hold it."""
    try:
        lines = _MEMBERSHIP.read_text("utf-8").splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mount = _MOUNT / controller if controllers else _MOUNT  # version 1, version 2
        group = PurePosixPath(path.lstrip("/"))
        yield from (mount / folder for folder in (group, *group.parents))


def _quota(group: Path) -> float:
    with suppress(OSError, ValueError, ZeroDivisionError):  # no such group, or "max"
        if (group / "cpu.max").is_file():
            quota, period = map(int, (group / "cpu.max").read_text("ascii").split())
        else:
            quota, period = (
                int((group / f"cpu.cfs_{name}_us").read_text("ascii"))
                for name in ("quota", "period")
            )
        return quota / period if quota > 0 else inf
    return inf


def _left(group: Path) -> int:
    for limit, usage, pages in _MEMORY:
        with suppress(OSError, ValueError):  # no such group, or "max"
            most = int((group / limit).read_text("ascii"))
            used = int((group / usage).read_text("ascii"))
            lines = (group / "memory.stat").read_text("ascii").splitlines()
            statistics = dict(line.split() for line in lines)
            return max(most - used + int(statistics.get(pages, 0)), 0)
    return _UNLIMITED
