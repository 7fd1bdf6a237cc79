"""How long the live preview takes from a change to the drawn plane, in a real window.

Run under a display::

    xvfb-run -s "-screen 0 1600x1000x24" python benchmarks/preview.py

Each line is one method on a plane of 2048 × 2048, uint16: the time to compute the preview, and the
time from the changed setting to the end of drawing, with the pause of 30 ms that lets several
changes come together. Medians of seven after two that are not counted.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

os.environ.setdefault("NAPARI_CONFIG", str(Path(tempfile.mkdtemp()) / "settings.yaml"))

import napari
import numpy as np
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_segment.samples import nuclei
from napari_segment.widgets.docks.edges import Edges
from napari_segment.widgets.docks.threshold import Threshold
from napari_segment.widgets.jobs.preview import GLOBAL, Look, Request

SIZE, SKIPPED, COUNTED = 2048, 2, 7


def computing(dock) -> float:
    """Seconds to segment the plane and count its histogram, without the window."""
    image, recipe = dock.source.image().canonical(), dock.recipe()
    times = []
    for _ in range(SKIPPED + COUNTED):
        begun = perf_counter()
        Look()(Request(image, {}, recipe))
        times.append(perf_counter() - begun)
    return median(times[SKIPPED:])


def seen(dock) -> float:
    """Seconds from a changed setting to the end of drawing."""
    times = []
    for _ in range(SKIPPED + COUNTED):
        dock.live.latency = 0.0
        dock.live.look.forget()
        begun = perf_counter()
        dock.live.refresh()
        while not dock.live.latency:
            QTest.qWait(1)
        QApplication.processEvents()  # paints
        times.append(perf_counter() - begun)
    return median(times[SKIPPED:])


def main() -> None:
    """Time every global threshold, and Sobel."""
    image, _ = nuclei((512, 512))
    plane = np.tile(image.data, (SIZE // 512, SIZE // 512))
    viewer = napari.Viewer()
    viewer.add_image(plane, rgb=False)
    threshold, edges = Threshold(viewer), Edges(viewer)
    names = [name for name, entry in threshold.method.entries.items() if entry.group == GLOBAL]
    print(f"{'method':24} {'compute':>9} {'in window':>10}")
    for dock, chosen in ((threshold, names), (edges, ["sobel"])):
        viewer.window.add_dock_widget(dock)
        dock.live.box.setChecked(True)
        for name in chosen:
            dock.method.name = name
            QTest.qWait(500)
            print(f"{name:24} {computing(dock) * 1e3:6.0f} ms {seen(dock) * 1e3:7.0f} ms")
        dock.live.box.setChecked(False)
    viewer.close()


if __name__ == "__main__":
    main()
