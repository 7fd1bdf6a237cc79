"""Lock: one process at a time writes into a folder of results."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time

from napari_segment.errors import FormatError, SettingError
from napari_segment.io.owner import Owner

LOCK = ".lock.json"
_WRITING = 10.0  # seconds that a lock may lie there empty, before its owner is written into it

_held: dict[Path, Owner] = {}


@contextmanager
def locked(folder: Path, work: str) -> Iterator[None]:
    """Hold a folder for oneself; it is made where it is missing.

    What a process left unfinished that has ended is removed (``.*.partial``).

    Parameters
    ----------
    folder : Path
        Of a training, or of a store.
    work : str
        What is done in it ("a training"), for the message to whom comes second.

    Raises
    ------
    SettingError
        If a process that may still run holds it.
    FormatError
        If the folder cannot be written to.

    Warns
    -----
    UserWarning
        If the lock of a process that has ended was taken over.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        owner = _taken(folder, work)
    except OSError as error:
        raise (
            error
            if isinstance(error, FormatError)
            else FormatError(f"Nothing can be written to the folder {folder}: {error.strerror}.")
        ) from None
    key = folder.resolve()
    _held[key] = owner
    try:
        _remove_partials(folder)
        yield
    finally:
        del _held[key]
        _release(folder, owner, made)


def check_held(path: Path) -> bool:
    """Check, before a file is written, that its folder is still the one that was locked.

    Parameters
    ----------
    path : Path
        The file to be written.

    Returns
    -------
    bool
        Whether the file lies in a folder that this process holds.

    Raises
    ------
    FormatError
        If the folder was removed, or taken by another process.
    """
    for folder, owner in list(_held.items()):
        if not path.resolve().is_relative_to(folder):
            continue
        if Owner.read(folder / LOCK) == owner:
            return True
        raise FormatError(
            f"The folder {folder} was removed, or taken over by another process, while this one "
            "was writing to it. Nothing more is written there. Begin again, with a folder that "
            "stays."
        )
    return False


def _taken(folder: Path, work: str) -> Owner:
    path, owner = folder / LOCK, Owner.current()
    while True:
        with suppress(FileExistsError):
            _write(path, owner)
            return owner
        text = _text(path)
        earlier = Owner.read(path)
        if earlier.is_running if earlier else _is_new(path):
            raise SettingError(_refusal(folder, work, earlier))
        if _moved_away(path, text):
            who = earlier or "an unknown process"
            warnings.warn(
                f"The lock on {folder} of {who} is taken over: that process has ended.",
                UserWarning,
                stacklevel=4,
            )


def _write(path: Path, owner: Owner) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(owner.to_json())


def _moved_away(path: Path, text: str) -> bool:
    """Remove a lock whose owner has ended, unless another process was faster."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with suppress(FileNotFoundError):
        path.rename(aside)
        if _text(aside) == text:
            aside.unlink()
            return True
        with suppress(FileExistsError):  # the new lock of another process goes back
            os.link(aside, path)
        aside.unlink()
    return False


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _is_new(path: Path) -> bool:
    try:
        return time() - path.stat().st_mtime < _WRITING
    except OSError:
        return False


def _refusal(folder: Path, work: str, owner: Owner | None) -> str:
    return (
        f"{folder} is in use by {work} ({owner or 'a process that is just starting'}). Wait until "
        f"it has ended, or give another folder. If that process no longer exists, remove "
        f"{folder / LOCK}."
    )


def _release(folder: Path, owner: Owner, made: bool) -> None:
    """Remove the lock, and the folder where nothing was written to it."""
    if Owner.read(folder / LOCK) != owner:
        return
    with suppress(OSError):
        (folder / LOCK).unlink()
        if made:
            folder.rmdir()


def _remove_partials(folder: Path) -> None:
    for path in (*folder.glob(".*.partial"), *folder.glob("*/.*.partial")):
        path.unlink(missing_ok=True)
