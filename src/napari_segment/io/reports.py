"""What a reader reports of a file: warnings that stay with the image, and what is not there."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from napari_segment.errors import FormatError

WARNINGS = "warnings"  # in the header of an image
VARIABLE = "NAPARI_SEGMENT_ALLOW_EXPANSION"  # "1" allows it to a whole process, as to a window
EXPANSION = 100  # bytes that one byte of a file may become in memory, and
ALWAYS = 2**30  # what any file may become
DEFLATE = 1032  # bytes that one byte of deflate (gzip, zip, PNG) stands for at the most

Incomplete: TypeAlias = Annotated[
    Literal["refuse", "allow"],
    Field(
        description="Whether a file of which a part is missing is refused, or read as far as it "
        "goes, with zeros for the rest and a warning that stays in the image's header."
    ),
]


@dataclass
class Report:
    """The warnings of one reading, and whether parts may be missing."""

    allow: bool = False
    warnings: list[str] = field(default_factory=list)


_allowed = 0  # blocks of `allow_expansion` that are open, in any thread
_current: ContextVar[Report | None] = ContextVar("report", default=None)


@contextmanager
def reporting(incomplete: Incomplete = "refuse") -> Iterator[Report]:
    """Collect what is reported within; `incomplete` says whether parts may be missing."""
    report = Report(allow=incomplete == "allow")
    token = _current.set(report)
    try:
        yield report
    finally:
        _current.reset(token)


def report_warning(message: str) -> None:
    """Warn of something in a file; the warning is recorded in the image's header."""
    report = _current.get()
    if report is not None and message not in report.warnings:
        report.warnings.append(message)
    warnings.warn(message, stacklevel=2)


def report_missing(message: str) -> None:
    """Report that a part of a file is missing or damaged.

    Parameters
    ----------
    message : str
        What is missing, with the file's name.

    Raises
    ------
    FormatError
        Unless parts may be missing; then it is a warning.
    """
    report = _current.get()
    if report is not None and report.allow:
        report_warning(f"{message} The rest was read; what is missing is 0.")
        return
    raise FormatError(
        f"{message} Copy or export the file again with all its parts, or read what is there with "
        "incomplete='allow'."
    )


def check_size(name: str, declared: int, available: int, *, ratio: int = 1) -> None:
    """Refuse a file that declares more bytes than it can hold, before they are allocated.

    Parameters
    ----------
    name : str
        The file's name.
    declared, available : int
        Bytes that its header asks for, and that follow in the file.
    ratio : int
        How many bytes one byte of the file can stand for: 1 without compression.

    Raises
    ------
    FormatError
        If `declared` is more than ``available * ratio``.
    """
    if declared <= available * ratio:
        return
    packed = "" if ratio == 1 else f", which unpack to no more than {available * ratio:,}"
    raise FormatError(
        f"{name} declares {declared:,} bytes of pixels but holds {available:,}{packed}: it is cut "
        "off, or its header is damaged. Copy or export it again."
    )


@contextmanager
def allow_expansion() -> Iterator[None]:
    """Read compressed files whole, however large they are unpacked, while the block is open.

    Otherwise a file becomes 1 GiB in memory, or 100 times its own size where that is more: a few
    megabytes of somebody else's can be made to stand for all of the memory. Lazy reading unpacks
    block by block and is not bounded.

    Examples
    --------
    >>> from napari_segment import io
    >>> with io.allow_expansion():  # doctest: +SKIP
    ...     labels = io.read_labels("labels.nrrd")
    """
    global _allowed
    _allowed += 1
    try:
        yield
    finally:
        _allowed -= 1


def expansion_is_allowed() -> bool:
    """Return whether files may unpack to any size, as `allow_expansion` or the variable says."""
    return bool(_allowed) or os.environ.get(VARIABLE) == "1"


def check_expansion(name: str, unpacked: int, held: int) -> None:
    """Refuse to unpack a file to more than 1 GiB if that is more than 100 times its size.

    Parameters
    ----------
    name : str
        The file's name.
    unpacked, held : int
        Bytes in memory, and in the file.

    Raises
    ------
    FormatError
        If it is more and `allow_expansion` is not open.
    """
    limit = max(ALWAYS, EXPANSION * held)
    if unpacked <= limit or expansion_is_allowed():
        return
    raise FormatError(
        f"{name} has {held:,} bytes and would unpack to {unpacked:,}; a file is unpacked to no "
        f"more than {limit:,} bytes (1 GiB, or {EXPANSION} times its size). Read it lazily where "
        "its format can be, or, if you trust it, allow it: --allow-expansion on the command line, "
        f"napari_segment.io.allow_expansion() in Python, the environment variable {VARIABLE}=1 "
        "for a window."
    )
