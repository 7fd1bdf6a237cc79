"""``demo``: the main job on made-up data."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from napari_segment.cli.progress import show


def demo(options: argparse.Namespace) -> int:
    """Run the demonstration and say where everything is."""
    from napari_segment.demo import run_demo

    folder = Path(options.output)
    report = show(run_demo(folder), "demo")
    print(report)
    if options.view:
        # -P: a file numpy.py in the current folder is not what runs.
        viewer = [sys.executable, "-P", "-m", "napari_segment.widgets.layers.view"]
        return subprocess.call([*viewer, str(folder)])
    return 0
