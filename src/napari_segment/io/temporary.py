"""Temporary folders that say who made them, so that those of killed processes can be removed."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from napari_segment.io.owner import Owner, has_ended

PREFIX = "napari-segment-"
NOTE = ".owner.json"


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
