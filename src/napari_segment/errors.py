"""Every error a user can meet: what was wrong, what was given, what to do next."""

from __future__ import annotations

from collections.abc import Iterable

from napari_segment.printable import as_message


class SegmentError(Exception):
    """Base of all errors that are shown to a user without a traceback.

    Parameters
    ----------
    *parts : str
        The message. What it quotes of a file may be long and hold control characters: it is
        shortened and made printable.
    """

    def __init__(self, *parts: object) -> None:
        super().__init__(*(as_message(p) if isinstance(p, str) else p for p in parts))


class InputError(SegmentError, ValueError):
    """The data cannot be used: wrong shape, axes, type or values."""


class GeometryError(InputError):
    """Two stacks do not lie on one grid, or not in one part of the world."""


class AlignmentWarning(UserWarning):
    """A stack lay on another grid and was resampled."""


class LeftOutWarning(UserWarning):
    """A file could not be read, and the work goes on without it."""


SHOWN = (UserWarning, AlignmentWarning, LeftOutWarning)  # what users see as sentences


class SettingError(SegmentError, ValueError):
    """A setting is unknown, of the wrong type or out of range."""


class FormatError(SegmentError, OSError):
    """A file cannot be read or written."""


class ChangedFileError(FormatError):
    """A file was rewritten while its pixels were still to be read."""


class PluginError(SegmentError, RuntimeError):
    """An entry was declared wrongly, or its package cannot be imported."""


class MissingError(SegmentError, ImportError):
    """An optional package, a file of weights or a device is not there."""


def message_of(error: Exception) -> str:
    """Return the sentence that a user reads of any error."""
    if isinstance(error, SegmentError):
        return str(error)
    if isinstance(error, MemoryError):
        return f"There is not enough memory: {error}"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}."
    return as_message(f"{type(error).__name__}: {error}")


class UnknownNameError(SegmentError, LookupError):
    """No entry has this name.

    Parameters
    ----------
    kind : str
        What was looked for, in the singular ("method").
    name : str
        The name that was given.
    known : iterable of str
        All names that would have been right.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        names = sorted(known)
        super().__init__(f"There is no {kind} named {name!r}. {_nearest(name, names)}")
        self._given = kind, name, names

    def __reduce__(self) -> tuple[type[UnknownNameError], tuple[str, str, list[str]]]:
        """Between processes, errors go as what they are made of."""
        return type(self), self._given


def _nearest(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    if close:
        return f"Did you mean {' or '.join(map(repr, close))}?"
    if not names:
        return "None is registered."
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"Known: {shown}."


class MemoryShortError(SegmentError, MemoryError):
    """Even the fallback that needs the least memory needs more than is free."""


class OtherLayoutError(FormatError):
    """A folder is not in the layout that was tried; the message says what is missing."""


class StaleError(SegmentError):
    """A preview is no longer needed, since another was asked for."""


class Stopped(Exception):  # noqa: N818 (a request, not a failure)
    """Long work is asked to end early and to return what it has."""
