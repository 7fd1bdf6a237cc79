"""Zip files of others: unpacked with bounds, and nothing outside of their folder."""

from __future__ import annotations

import atexit
import shutil
from functools import lru_cache
from pathlib import Path, PurePosixPath
from stat import S_ISLNK
from typing import TYPE_CHECKING

from napari_segment.errors import FormatError
from napari_segment.io.changed import State, state_of
from napari_segment.io.temporary import temporary_folder

if TYPE_CHECKING:
    from zipfile import ZipFile

# What a zip file may unpack to: 20 times its size, or 64 MiB where that is less; 10,000 files.
_LARGEST, _ALWAYS, _MEMBERS = 20, 2**26, 10_000


def unpacked(path: Path) -> Path:
    """Unpack a zip file once; the folder is removed when the process ends.

    Raises
    ------
    FormatError
        If it is no zip file, holds a link or a path outside of its folder, or unpacks to more than
        20 times its size and 64 MiB.
    """
    return _unpacked(path.resolve(), state_of(path))


def names_in(path: Path) -> list[str]:
    """Return the names in a zip file; none where it is no zip file."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            return archive.namelist()
    except (BadZipFile, OSError):
        return []


@lru_cache(maxsize=4)
def _unpacked(path: Path, state: State) -> Path:  # noqa: ARG001 - part of the key
    from zipfile import BadZipFile, ZipFile

    folder = temporary_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        with ZipFile(path) as archive:
            _check_members(path, archive)
            _check_size(path, archive)
            archive.extractall(folder)
    except (BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path} cannot be unpacked: {error}") from None
    return folder


def _check_members(path: Path, archive: ZipFile) -> None:
    """Refuse an archive with a link or a path outside of its folder."""
    for entry in archive.infolist():
        parts = PurePosixPath(entry.filename.replace("\\", "/"))
        is_link = S_ISLNK(entry.external_attr >> 16)
        if parts.is_absolute() or ".." in parts.parts or ":" in entry.filename or is_link:
            raise FormatError(
                f"{path} holds {entry.filename!r}, a link or a path outside of its folder. Nothing "
                "of it was unpacked."
            )


def _check_size(path: Path, archive: ZipFile) -> None:
    """`ZipFile` unpacks no more of a member than the sizes that are added up here."""
    members = archive.infolist()
    size, limit = sum(m.file_size for m in members), max(_LARGEST * path.stat().st_size, _ALWAYS)
    if size > limit or len(members) > _MEMBERS:
        raise FormatError(
            f"{path} has {path.stat().st_size:,} bytes and would unpack to {size:,} bytes in "
            f"{len(members):,} files; at most {limit:,} bytes in {_MEMBERS:,} files are unpacked. "
            "If you trust it, unpack it and give the folder."
        )
