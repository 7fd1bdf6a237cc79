"""What tells a file from the one that was there before it, without reading it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

State: TypeAlias = tuple[int, ...]


def state_of(path: Path) -> State:
    """Return the file's number, size and times of its last change, for the key of a cache.

    A file of an older date that is copied over it, and one that is given its date, have another
    state: the time at which the system noted the change cannot be set.
    """
    status = path.stat()
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
