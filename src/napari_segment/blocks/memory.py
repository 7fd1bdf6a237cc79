"""How much memory is free: of the machine, or of the container that this process lives in."""

from __future__ import annotations

from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")
_UNLIMITED = 2**62


def free_memory() -> int:
    """Bytes that this process may still take without swapping."""
    import psutil

    return min(int(psutil.virtual_memory().available), _left_in_group(_GROUP))


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
