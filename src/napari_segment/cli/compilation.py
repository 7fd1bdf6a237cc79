"""``compile``: compiled code in advance."""

from __future__ import annotations

import argparse
import os

from napari_segment.cli.progress import show


def compile_all(options: argparse.Namespace) -> int:
    """Compile the code of all classical entries, and say how long it took."""
    from time import perf_counter

    from napari_segment.api import compile_kernels_steps, is_compiled

    if options.background:
        if is_compiled():
            return 0
        if hasattr(os, "nice"):
            os.nice(19)
    begun = perf_counter()
    calls = show(compile_kernels_steps(), "compile")
    print(f"{calls} calls in {perf_counter() - begun:.0f} s; the code is stored for later runs.")
    return 0
