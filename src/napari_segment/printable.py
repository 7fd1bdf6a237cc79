"""Text from files as it may be shown: no control characters, no more than a screen of it."""

from __future__ import annotations

import re

LONGEST = 2000  # characters of a message

# C0 without tab and line feed, DEL and C1, which move the cursor, colour or erase; and marks that
# reverse the reading direction, by which "gnp.exe" reads "exe.png". Surrogates stand for bytes of
# file names that are no text.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Write control characters as ``\uXXXX``, which JSON reads as what was there.

    Parameters
    ----------
    text : str
        Such as a file name, a class name or what a library says of a file.

    Returns
    -------
    str
        Tabs and line feeds are left.

    Examples
    --------
    >>> printable("a\x1b[31mb")
    'a\\u001b[31mb'
    """
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def as_message(text: str) -> str:
    """Make text from anywhere a message: printable, and its middle left out where it is long.

    Examples
    --------
    >>> as_message("a.tif is damaged."), len(as_message("x" * 10**6)) <= LONGEST
    ('a.tif is damaged.', True)
    """
    if len(text) > 4 * LONGEST:  # before every character of a text of megabytes is looked at
        text = _shortened(text, 4 * LONGEST)
    return _shortened(printable(text), LONGEST)


def one_line(text: str) -> str:
    """Join the lines of a message, so that none passes for another message."""
    return " ".join(text.split())


def _shortened(text: str, length: int) -> str:
    """The start and the end, where messages say what to do."""
    if len(text) <= length:
        return text
    end = length // 3
    return f"{text[: length - end - 3]} … {text[-end:]}"
