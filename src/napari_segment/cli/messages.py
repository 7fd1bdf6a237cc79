"""A parser whose errors say in one or two sentences what was meant, perhaps."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from napari_segment import errors
from napari_segment.errors import SHOWN, LeftOutWarning
from napari_segment.printable import as_message, one_line

NEGATIVE = re.compile(r"-(\d|\.|inf\b)")  # what begins so is a value: -1e3, or -5,100


class Parser(argparse.ArgumentParser):
    """An ArgumentParser without abbreviations, which names what comes near a wrong name."""

    topic = ""  # what is typed after the command to see all its options

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **options})
        self._negative_number_matcher = NEGATIVE  # else but one plain number is no option

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; text that a command does not know end here, where its options are known."""
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(self._unknown(*unknown[0].partition("=")))
        return namespace, unknown

    def _unknown(self, text: str, equals: str, value: str) -> str:
        known = self._option_string_actions
        if text.startswith("-"):
            return f"There is no option {text!r}. {nearest(text, known)}".strip()
        hint = f" Write --{text} {value}." if f"--{text}" in known else ""
        return f"The argument {text + equals + value!r} is one too many here.{hint}"

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, without the whole usage, and leave with status 2."""
        message = one_line(as_message(message))
        sentence = message[0].upper() + message[1:]
        end = "" if sentence.endswith((".", "?")) else "."
        self.exit(2, f"napari-segment: {sentence}{end} See '{self.prog}{self.topic} --help'.\n")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            name = "/".join(action.option_strings) or action.metavar or action.dest
            known = list(map(str, action.choices))
            near = nearest(str(value), known) or f"Known: {', '.join(known)}."
            raise argparse.ArgumentError(None, f"{name} cannot be {value!r}. {near}")


def complain(text: str) -> None:
    """Say on stderr what is wrong, in one line, with options as they are typed here."""
    print(f"napari-segment: {one_line(as_typed(as_message(text)))}", file=sys.stderr)


def message_of(error: Exception) -> str:
    """Return the message that a user reads of an error."""
    message = errors.message_of(error)
    expected = isinstance(error, errors.SegmentError | OSError | MemoryError)
    return message if expected else f"{message} (run again with --debug to see where)"


@contextmanager
def formatted_warnings() -> Iterator[list[str]]:
    """Show what a user is warned of as errors are shown, without the position in our code.

    Yields
    ------
    list of str
        What was left out so far.
    """
    before, left_out = warnings.formatwarning, list[str]()

    def formatted(
        message: Warning | str, category: type[Warning], *location: Any, **more: Any
    ) -> str:
        if issubclass(category, LeftOutWarning):
            left_out.append(str(message))
        if category in SHOWN:
            return f"napari-segment: {one_line(as_typed(as_message(str(message))))}\n"
        return before(message, category, *location, **more)

    warnings.formatwarning = formatted
    try:
        yield left_out
    finally:
        warnings.formatwarning = before


def as_typed(text: str) -> str:
    """What an error says of the parameters that are options of the command line.

    Examples
    --------
    >>> as_typed("Use apply_to='volume', or say channel=0.")
    'Use --apply-to volume, or say --channel 0.'
    """
    flags = "allow_recipe_paths|allow_outside|allow_expansion|recursive|skip_existing"
    text = re.sub(rf"\b({flags})=True", _flag, text)
    return re.sub(
        r"(?<![\w/\\])(axes|channel|apply_to|series|times|incomplete|workers)=('[^']*'|[^\s,;:.]+)",
        _option,
        text,
    )


def _flag(match: re.Match[str]) -> str:
    return "--" + match[1].replace("_", "-")


def _option(match: re.Match[str]) -> str:
    option = match[1].replace("_", "-")
    return f"--{option} " + match[2].strip("'")


def plain(text: str) -> str:
    """Help without the markup of docstrings.

    Examples
    --------
    >>> plain("A model of the zoo [1]_; ``-log p`` (see `histogram`) of `low`.")
    'A model of the zoo; -log p of `low`.'
    """
    return re.sub(r"\s*\[\d+\]_|\s*\(see `[^`]*`\)|``", "", text)


def counted(number: int, thing: str) -> str:
    """A number of things, as people say it.

    Examples
    --------
    >>> counted(1, "row"), counted(0, "row")
    ('1 row', '0 rows')
    """
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def in_columns(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells, each column as wide as its widest cell.

    Examples
    --------
    >>> print(in_columns([("case", "f1"), ("a", "0.5")]))
    case  f1
    a     0.5
    """
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)


def nearest(word: str, known: Iterable[str]) -> str:
    """Ask whether one of the known text was meant; "" where none comes near."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(map(repr, close))}?" if close else ""
