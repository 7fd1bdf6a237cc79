"""Temporary pixels: folders that say who made them, and mapped files that have their disk space.

Folders of killed processes can be removed by that. The disk space of a mapped file is taken when it
is made: a disk that is full at a later write would end the process by a signal (SIGBUS).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from napari_segment.errors import FormatError
from napari_segment.io.owner import Owner, has_ended

PREFIX = "napari-segment-"
NOTE = ".owner.json"
_BLOCK = 2**20  # bytes that are written at once to fill holes


def temporary_folder() -> Path:
    """Make a folder for pixels that only this process needs; whoever makes it removes it.

    The first call of a process also removes the folders of processes of this user that have ended
    without doing so.
    """
    _remove_once()
    owner = Owner.current()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    (folder / NOTE).write_text(owner.to_json(), "utf-8")
    return folder


@cache
def _remove_once() -> None:
    remove_leftovers(Path(tempfile.gettempdir()))


def remove_leftovers(parent: Path) -> None:
    """Remove the temporary folders in `parent` of processes of this user that have ended."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or not _is_ours(folder):
                continue
            if has_ended(folder / NOTE):
                shutil.rmtree(folder)


def _is_ours(folder: Path) -> bool:
    return not hasattr(os, "geteuid") or folder.stat().st_uid == os.geteuid()


def mapped_file(path: Path, shape: Sequence[int], dtype: DTypeLike) -> np.memmap[Any, Any]:
    """Make a file of zeros that is mapped for writing, with all of its disk space.

    Parameters
    ----------
    path : Path
        An ``.npy`` file has NumPy's header, another nothing but the values.
    shape : sequence of int
        With at least one element.
    dtype : data type

    Raises
    ------
    FormatError
        If the disk has no room for it; nothing is left there.
    """
    size = prod(shape) * np.dtype(dtype).itemsize
    with temporary_space(path, size):
        if path.suffix == ".npy":
            target = np.lib.format.open_memmap(path, "w+", np.dtype(dtype), tuple(shape))
        else:
            target = np.memmap(path, dtype, "w+", shape=tuple(shape))
        _allocate(path)
        return target


@contextmanager
def temporary_space(path: Path, size: int) -> Iterator[None]:
    """Say in a sentence that there is no room for a temporary file, and remove what there is."""
    try:
        yield
    except OSError as error:
        path.unlink(missing_ok=True)
        if isinstance(error, FormatError):
            raise
        free = shutil.disk_usage(path.parent).free
        raise FormatError(
            f"Temporary pixels need {size:,} bytes, but the folder {path.parent} takes no more "
            f"({error.strerror or error}; {free:,} bytes are free). Make room, or set TMPDIR (in "
            "Windows TEMP) to a folder on another disk; a training writes to its run folder."
        ) from error


def _allocate(path: Path) -> None:
    """Take the disk space of a file's holes."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        elif os.name != "nt":  # macOS; Windows makes no holes
            for start in range(0, size, _BLOCK):
                held = os.pread(file.fileno(), _BLOCK, start)
                os.pwrite(file.fileno(), held, start)
