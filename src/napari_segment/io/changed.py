"""What tells a file from the one that was there before it, without reading it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, TypeAlias

from napari_segment.errors import ChangedFileError

State: TypeAlias = tuple[int, ...]


def state_of(path: Path) -> State:
    """Return the file's number, size and times of its last change, for the key of a cache.

    A file of an older date that is copied over it, and one that is given its date, have another
    state: the time at which the system noted the change cannot be set.
    """
    status = path.stat()
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def state_of_folder(folder: Path) -> State:
    """Return the number, total size and times of the files below a folder."""
    count = size = newest = total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            status = Path(parent, name).stat()
            changed = max(status.st_mtime_ns, status.st_ctime_ns)
            count, size, total = count + 1, size + status.st_size, total + changed
            newest = max(newest, changed)
    return (count, size, newest, total)


class Unchanged:
    """A context in which files must be those that were there when it was made.

    Other hosts may number a shared folder's files otherwise, so sizes and times are compared.

    Parameters
    ----------
    path : Path
        What the user opened, for the message.
    files : iterable of Path
        What it consists of.
    """

    def __init__(self, path: Path, files: Iterable[Path]) -> None:
        self.path = Path(path)
        self.first = {Path(file).absolute(): state_of(file)[2:] for file in files}

    def __enter__(self) -> None:
        self._check()

    def __exit__(self, *_: object) -> Literal[False]:
        self._check()  # what was read of a file that was being rewritten, or raised, is of no use
        return False

    def states(self) -> tuple[State, ...]:
        """Return the present states of the files; an empty one for each that is gone."""
        return tuple(state_of(file)[2:] if file.exists() else () for file in self.first)

    def _check(self) -> None:
        for file, before in self.first.items():
            if state_of(file)[2:] != before:
                raise ChangedFileError(
                    f"{self.path.name} was rewritten after it was opened lazily"
                    f"{'' if file.name == self.path.name else f' ({file.name})'}: its pixels are "
                    "no longer those that were opened. Open it again."
                )
