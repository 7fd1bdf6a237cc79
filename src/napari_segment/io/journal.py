"""Journal: a file of JSON lines that grows, each on the disk before it is acknowledged."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_segment.errors import FormatError, SettingError

_LONGEST = 1 << 28  # bytes of one line
_BUSY = (errno.EACCES, errno.EAGAIN)


def read_lines(path: str | Path) -> tuple[list[dict[str, Any]], int]:
    """Read the whole lines of a journal; a last line that was half written is left out.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    lines : list of dict
        What was written, a mapping each.
    size : int
        How many bytes they take, from the beginning of the file.

    Raises
    ------
    FormatError
        If the file cannot be read, or a line that is not the last is no JSON.
    """
    path = Path(path)
    lines: list[dict[str, Any]] = []
    size = 0
    try:
        with path.open("rb") as stream:
            while raw := stream.readline(_LONGEST + 1):
                line = _parsed(raw)
                if line is None:
                    if stream.read(1):
                        raise FormatError(
                            f"Line {len(lines) + 1} of {path} cannot be read, so the edits after "
                            "it are not made either. Restore the file from a copy, or remove that "
                            "line and those after it."
                        )
                    break
                lines.append(line)
                size += len(raw)
    except FileNotFoundError:
        raise FormatError(f"There is no journal {path}.") from None
    except OSError as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"Cannot read the journal {path}: {error.strerror}.") from None
    return lines, size


def _parsed(raw: bytes) -> dict[str, Any] | None:
    """The mapping of a line; None where it is not whole."""
    if not raw.endswith(b"\n"):
        return None
    try:
        line = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


class JournalFile:
    """A journal that is open for writing, by one process at a time.

    Parameters
    ----------
    path : Path
        The file; it is made where it is missing, with its folder.

    Raises
    ------
    FormatError
        If it cannot be read or written.
    SettingError
        If another process has it open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made = not path.exists()
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o666)
        except OSError as error:
            raise FormatError(f"Cannot write the journal {path}: {error.strerror}.") from None
        try:
            _lock(self._descriptor, path)
            self.lines, self._size = read_lines(path)
            self._count = len(self.lines)
            os.ftruncate(self._descriptor, self._size)  # a half-written line goes
            if self._made:
                _sync_folder(path.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    def append(self, line: Mapping[str, Any]) -> None:
        """Write a line; when this returns, it survives whatever happens to the process.

        Raises
        ------
        FormatError
            If the disk takes no more; the journal is then as it was.
        """
        raw = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        try:
            os.lseek(self._descriptor, self._size, os.SEEK_SET)
            rest = memoryview(raw)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, self._size)
            raise FormatError(
                f"The edit cannot be written to the journal {self.path}, so it is not made: "
                f"{error.strerror}. Make room, or choose another file."
            ) from error
        self._size += len(raw)
        self._count += 1

    def close(self) -> None:
        """Let others open it; a file that was made for no more than a header is removed."""
        if self._descriptor >= 0:
            if self._made and self._count <= 1:
                self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


_BINARY = getattr(os, "O_BINARY", 0)


def _lock(descriptor: int, path: Path) -> None:
    """Hold a file until it is closed or the process ends, however it ends."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            raise SettingError(
                f"The journal {path} is in use by another window or process. Close that one, or "
                "choose another file."
            ) from None
        # file systems without locks are written to without one


def _sync_folder(folder: Path) -> None:
    """Let the name of a new file survive a power failure, where folders can be synchronised."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
