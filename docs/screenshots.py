"""Make the pictures of napari.md: every widget at work on a sample.

Run under a display, with the folder to write into and, if not all are wanted, their names::

    xvfb-run -s "-screen 0 1600x1000x24" python docs/screenshots.py docs/pictures [train ...]
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("NAPARI_CONFIG", str(Path(tempfile.mkdtemp()) / "settings.yaml"))

import napari
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from vispy.gloo.glir import GlirProgram

from napari_segment import samples
from napari_segment.widgets.docks.training_outcome import training_outcome
from napari_segment.widgets.layers.files import stack_layer

COLOURS = 64  # of the pictures' palette: small files, clear letters


def window(size: tuple[int, int] = (1000, 640)):
    """An empty window."""
    viewer = napari.Viewer()
    viewer.window.resize(*size)
    return viewer


def dock(viewer, name: str, width: int = 330):
    """Open a widget next to the canvas."""
    frame, widget = viewer.window.add_plugin_dock_widget("napari-segment", name)
    main_window = viewer.window._qt_window  # noqa: SLF001 (the only way to size docks)
    main_window.resizeDocks([frame], [width], Qt.Orientation.Horizontal)
    QTest.qWait(1500)
    return widget


def add(viewer, stack, **changes):
    """Add an Image or Labels as a layer."""
    return viewer.add_layer(Layer.create(*stack_layer(stack.replace(**changes))))


def wait(widget) -> None:
    """Until the widget's run has ended."""
    while widget.running.job is not None:
        QTest.qWait(100)
    QTest.qWait(500)


def save(viewer, path: Path) -> None:
    """Write the window as a small PNG, and close it."""
    from PIL import Image

    QTest.qWait(1000)
    picture = Image.fromarray(viewer.window.screenshot(canvas_only=False, flash=False)[..., :3])
    picture.quantize(COLOURS).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")
    viewer.close()


def threshold(folder: Path) -> None:
    """Otsu's threshold with its preview on a stack."""
    viewer = window()
    add(viewer, samples.cells()[0])
    widget = dock(viewer, "Threshold")
    widget.cleanups.add("fill_holes")
    widget.live.box.setChecked(True)
    viewer.dims.set_current_step(0, 12)
    while "preview" not in viewer.layers:
        QTest.qWait(100)
    QTest.qWait(1000)
    save(viewer, folder / "threshold.png")


def edges(folder: Path) -> None:
    """Canny's edges after a run."""
    viewer = window()
    add(viewer, samples.cells()[0])
    widget = dock(viewer, "Edges")
    viewer.dims.set_current_step(0, 12)
    widget.running.button.click()
    wait(widget)
    save(viewer, folder / "edges.png")


def train(folder: Path) -> None:
    """Curves and pictures of a short training, then its network's prediction with its doubt."""
    viewer = window((1000, 760))
    for seed in range(3):
        image, truth = samples.nuclei((128, 128), seed=seed)
        add(viewer, image, name=f"nuclei {seed}")
        add(viewer, truth, name=f"truth {seed}")
    widget = dock(viewer, "Train", 370)
    for _ in range(2):
        widget.pairs.add_row()
    widget.form.settings = {"epochs": 6, "out": Path(tempfile.mkdtemp()) / "nuclei"}
    widget.more.settings = {"steps": 8, "batch": 2}
    widget.augment_button.click()
    wait(widget)
    picture(widget.sheets["augmentation"], folder / "augmentation.png")
    widget.network_button.click()
    wait(widget)
    picture(widget.sheets["network"], folder / "network.png")
    widget.running.button.click()
    wait(widget)
    widget.running.say(training_outcome([Path("nuclei")], [{"dice": 0.91}]))
    save(viewer, folder / "train.png")


def correct(folder: Path) -> None:
    """Cells that were split and merged, and one of them in the review."""
    viewer = window((1000, 700))
    os.environ["HOME"] = tempfile.mkdtemp()  # where the journal goes, once napari has its icons
    image, truth = samples.cells()
    add(viewer, image, name="cells")
    add(viewer, truth, name="labels")
    widget = dock(viewer, "Correct")
    widget.image.layer = viewer.layers["cells"]
    widget.queue.order()
    widget.queue.accept()
    widget.toolbox.choose(next(t for t in widget.tools if t.name == "split_points"))
    save(viewer, folder / "correct.png")


def picture(sheet, path: Path) -> None:
    """Write a window of its own as a small PNG."""
    from PIL import Image

    QTest.qWait(500)
    sheet.grab().save(str(path))
    Image.open(path).convert("RGB").quantize(COLOURS).save(path, optimize=True)
    sheet.close()


def main() -> None:
    """Make all pictures."""
    GlirProgram.delete = lambda _: None  # Mesa's software GL crashes on deleted programs
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[2:] or ["threshold", "edges", "train", "correct"]
    for picture in (threshold, edges, train, correct):
        if picture.__name__ in wanted:
            picture(folder)


if __name__ == "__main__":
    main()
