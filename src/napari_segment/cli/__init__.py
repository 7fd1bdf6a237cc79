"""The command line: ``napari-segment COMMAND …``.

Nothing heavy is imported before a command is known, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from napari_segment.cli.messages import complain, formatted_warnings, message_of
from napari_segment.cli.parser import make_parser
from napari_segment.cli.terminal import printable_output
from napari_segment.errors import SettingError, UnknownNameError
from napari_segment.runtime import set_variables

ENDING = ("SIGTERM", "SIGHUP")  # what a scheduler, a service manager or a terminal sends
OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        As typed after ``napari-segment``; default ``sys.argv[1:]``.

    Returns
    -------
    int
        0 only on full success, 2 on wrong usage, 1 on failure or where a file was left out, 130
        when interrupted.
    """
    with printable_output():
        return _run(list(sys.argv[1:] if arguments is None else arguments))


def _run(given: list[str]) -> int:
    """Run a command; every failure becomes a message and a status."""
    debug = "--debug" in given
    set_variables()  # before NumPy and PyTorch are imported, which read them once
    try:
        parser = make_parser(given)
        if not given:
            parser.exit(USAGE, parser.format_help())
        options = parser.parse_args(given)
        with formatted_warnings() as left_out, _interrupted_by_signals(), _files_of(options):
            return int(options.run(options)) or (FAILED if left_out else OK)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # the last line of defence before a user
        if debug:
            raise
        complain(message_of(error))
        return USAGE if isinstance(error, SettingError | UnknownNameError) else FAILED


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """End by SIGTERM, or with the terminal, as by Ctrl+C: folders are unlocked, files removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ENDING if hasattr(signal, name)]
    earlier = {number: signal.getsignal(number) for number in numbers}
    for number, handler in earlier.items():
        if handler != signal.SIG_IGN:  # as under nohup
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _files_of(options: Namespace) -> ExitStack:
    """What the options allow of files: to name others anywhere, to become large in memory."""
    allowed = ExitStack()
    if options.allow_outside:
        from napari_segment.io import allow_outside

        allowed.enter_context(allow_outside())
    if options.allow_expansion:
        from napari_segment.io import allow_expansion

        allowed.enter_context(allow_expansion())
    return allowed
