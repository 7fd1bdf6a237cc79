"""Output on a terminal: what files are named or hold moves no cursor and colours nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, TextIO

from napari_segment.printable import printable


class PrintableStream:
    r"""A text stream that writes control characters as ``\uXXXX``.

    Parameters
    ----------
    stream : text file
        Where the text goes. Letters that its encoding lacks are written as "?".
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")

    def write(self, text: str) -> int:
        """Write text; the number of characters is that of what was given."""
        self.stream.write(printable(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def printable_output() -> Iterator[None]:
    """Let nothing but text pass standard output and standard error."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(PrintableStream, before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def terminal() -> TextIO:
    """Standard error as it is, for a progress bar, which moves the cursor itself."""
    stream = sys.stderr
    return stream.stream if isinstance(stream, PrintableStream) else stream
