"""Files that other files name: opened within the folder of the one that names them, or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_segment.errors import FormatError

VARIABLE = "NAPARI_SEGMENT_ALLOW_OUTSIDE"  # "1" allows it to a whole process, as to a window
_allowed = 0  # blocks of `allow_outside` that are open, in any thread


@contextmanager
def allow_outside() -> Iterator[None]:
    """Let files name others anywhere on the disk, in this process, while the block is open.

    Data set descriptions, detached headers and companions of OME-TIFF name other files. Those of
    somebody else may name any file by ``..``, an absolute path or a link, so that only files in
    the folder of the one that names them are opened otherwise.

    Examples
    --------
    >>> from napari_segment import io
    >>> with io.allow_outside():  # doctest: +SKIP
    ...     image = io.read("header.nrrd")
    """
    global _allowed
    _allowed += 1
    try:
        yield
    finally:
        _allowed -= 1


def is_allowed() -> bool:
    """Return whether files may name others anywhere, as `allow_outside` or the variable says."""
    return bool(_allowed) or os.environ.get(VARIABLE) == "1"


def contained(named: Path, folder: Path, source: Path) -> Path:
    """Return a path that a file names, if it leads nowhere outside of a folder.

    Parameters
    ----------
    named : Path
        The path, joined to the folder that it is relative to.
    folder : Path
        Where it must lie, links followed.
    source : Path
        The file that names it, for the message.

    Raises
    ------
    FormatError
        If it lies elsewhere and `allow_outside` is not open.
    """
    if is_allowed():
        return named
    if named.resolve().is_relative_to(folder.resolve()):
        return named
    raise FormatError(
        f"{source.name} names the file {named}, which leads out of its folder {folder}. Files of "
        "others may name anything on this machine. If it is right, allow it: --allow-outside on "
        "the command line, napari_segment.io.allow_outside() in Python, the environment variable "
        f"{VARIABLE}=1 for a window."
    )
