"""Modules of the current folder are not imported by ``python -m napari_segment…``.

Imports nothing that Python has not loaded by then: such an import would run what it is to prevent.
"""

import os
import sys

__all__ = ["leave_out_current_folder"]


def leave_out_current_folder() -> None:
    """Take the current folder off the search path where this package is run with ``-m``.

    Python puts it first, so that a file ``numpy.py`` among somebody's images would be run. Where
    another program imports the package, the path is that program's.
    """
    if sys.flags.safe_path or sys.argv[:1] != ["-m"] or not _is_run_here(sys.orig_argv):
        return
    if sys.path and os.path.realpath(sys.path[0] or ".") == os.path.realpath("."):
        del sys.path[0]


def _is_run_here(given: list[str]) -> bool:
    """Whether ``-m`` names a module of this package, in one argument or in two."""
    package = __name__.partition(".")[0]
    for option, following in zip(given[1:], [*given[2:], ""], strict=True):
        if option.startswith("-") and not option.startswith("--") and "m" in option:
            module = option.partition("m")[2] or following
            return module.partition(".")[0] == package
    return False
