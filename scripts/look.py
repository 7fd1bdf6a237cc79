"""Look at every widget in every state: pictures, and a check that nothing is cut off or overlaps.

Each dock widget is opened 300 pixels wide and taken through its states (empty, filled, running,
done, failed) in both themes, at the sizes of text and pixels that are named. Run under a display,
with the folder to write into and, if not all are wanted, the names of widgets::

    xvfb-run -a -s "-screen 0 1600x1000x24" python scripts/look.py /tmp/look [Threshold ...]

The exit status is 1 where a widget lies outside its parent, under another, or is too narrow for
its text; each such widget is listed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

WIDTH = 300  # pixels of a dock
SIZES = {"100": ("1", 9), "200": ("2", 9), "large-text": ("1", 14)}  # scale of pixels, font size
THEMES = ("dark", "light")
STATES = ("empty", "filled", "running", "done", "failed")
SLACK = 2  # pixels that frames may overlap by


def main() -> int:
    """Look at every size in a process of its own, since Qt reads the scale once."""
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    if "LOOK_SIZE" in os.environ:
        return look(folder, names, os.environ["LOOK_SIZE"])
    wrong = 0
    for size, (scale, _) in SIZES.items():
        settings = Path(tempfile.mkdtemp()) / "settings.yaml"
        more = {"LOOK_SIZE": size, "QT_SCALE_FACTOR": scale, "NAPARI_CONFIG": str(settings)}
        command = [sys.executable, __file__, str(folder), *names]
        wrong += subprocess.run(command, env=os.environ | more, check=False).returncode != 0
    return int(wrong > 0)


def look(folder: Path, names: list[str], size: str) -> int:
    """Take every widget through its states at one size; return 1 if something looks wrong."""
    import npe2
    from napari.settings import get_settings
    from vispy.gloo.glir import GlirProgram

    GlirProgram.delete = lambda _: None  # Mesa's software GL crashes on deleted programs
    get_settings().appearance.font_size = SIZES[size][1]
    manifest = npe2.PluginManifest.from_distribution("napari-segment")
    docks = [widget.display_name for widget in manifest.contributions.widgets]
    wrong: list[str] = []
    for name in names or docks:
        for state, faults in states_of(name, folder / size):
            wrong += [f"{size} {name} {state}: {fault}" for fault in faults]
    print("\n".join(wrong) or f"{size}: nothing is cut off or overlaps")
    return int(bool(wrong))


def states_of(name: str, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Bring a widget into one state after another; yield each with what looks wrong."""
    import napari

    viewer = napari.Viewer()
    viewer.window.resize(1100, 940)
    frame, widget = viewer.window.add_plugin_dock_widget("napari-segment", name)
    bring = {"empty": nothing, "filled": fill, "running": start, "done": finish, "failed": fail}
    for state in STATES:
        if not bring[state](viewer, widget):
            continue
        for theme in THEMES:
            viewer.theme = theme
            narrow(viewer, frame)
            save(frame, widget, folder / name.lower().replace(" ", "-"), f"{state}-{theme}")
        yield state, list(faults_of(frame, widget))
    viewer.close()
    wait(200)


# ---- states ----


def nothing(_viewer: Any, _widget: Any) -> bool:
    """Leave it as it opens in an empty window."""
    return True


def fill(viewer: Any, widget: Any) -> bool:
    """Add layers with long names, and steps to the form."""
    from napari.layers import Layer

    from napari_segment import samples
    from napari_segment.widgets.layers.conversion import stack_layer

    moving = type(widget).__name__ == "Track"
    made = samples.time_lapse() if moving else samples.nuclei((128, 128))
    for stack, title in zip(made, ("an image with a rather long name", "its truth"), strict=True):
        viewer.add_layer(Layer.create(*stack_layer(stack.replace(name=title))))
    copied = made[1].replace(name="a second segmentation of it")
    viewer.add_layer(Layer.create(*stack_layer(copied)))
    for steps in ("filters", "cleanups"):
        if hasattr(widget, steps):
            getattr(widget, steps).add()
    for box in getattr(widget, "boxes", {}).values():
        box.setChecked(True)
    prepare = PREPARE.get(type(widget).__name__)
    if prepare is not None:
        prepare(viewer, widget)
    wait(1500)
    return True


def start(_viewer: Any, widget: Any) -> bool:
    """Press the button, and hold the worker half-way."""
    from napari_segment.step import Step

    running = getattr(widget, "running", None)
    if running is None:
        return False
    until(lambda: running.process.ready, 60)
    pid = running.process.pid
    os.kill(pid, signal.SIGSTOP)
    running.button.click()
    wait(500)
    if running.job is None:
        os.kill(pid, signal.SIGCONT)
        return False
    running.job.stepped.emit(Step(40, 100, "Working on the fourth of ten parts", {}))
    return True


def finish(_viewer: Any, widget: Any) -> bool:
    """Let the worker go on until its work is done."""
    running = getattr(widget, "running", None)
    if running is None or running.job is None:
        return False
    os.kill(running.process.pid, signal.SIGCONT)
    until(lambda: running.job is None, 240)
    wait(500)
    return True


def fail(viewer: Any, widget: Any) -> bool:
    """Run once more, and end the worker as a system out of memory does."""
    if not start(viewer, widget):
        return False
    os.kill(widget.running.process.pid, signal.SIGKILL)
    until(lambda: widget.running.job is None, 30)
    wait(500)
    return True


def _train(_viewer: Any, widget: Any) -> None:
    widget.form.settings = {"epochs": 2, "out": Path(tempfile.mkdtemp()) / "run", "overwrite": True}
    widget.more.settings = {"steps": 2, "batch": 2}


PREPARE = {"Train": _train}


# ---- pictures ----


def narrow(viewer: Any, frame: Any) -> None:
    """Give the dock its 300 pixels."""
    from qtpy.QtCore import Qt

    main_window = viewer.window._qt_window  # noqa: SLF001 (the only way to size docks)
    main_window.resizeDocks([frame], [WIDTH], Qt.Orientation.Horizontal)
    wait(300)


def save(frame: Any, widget: Any, folder: Path, name: str) -> None:
    """Write what is seen of a dock, and below it what is scrolled out of sight."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.grab().save(str(folder / f"{name}.png"))
    for number, area in enumerate(scroll_areas(widget)):
        if area.verticalScrollBar().maximum() > 0:
            area.widget().grab().save(str(folder / f"{name}-whole-{number}.png"))


def wait(milliseconds: int) -> None:
    """Let Qt work."""
    from qtpy.QtTest import QTest

    QTest.qWait(milliseconds)


def until(done: Any, seconds: int) -> None:
    """Let Qt work until something is so."""
    for _ in range(10 * seconds):
        if done():
            return
        wait(100)
    raise SystemExit(f"waited {seconds} s in vain")


# ---- geometry ----


def scroll_areas(widget: Any) -> list[Any]:
    """Return the visible scroll areas of a dock."""
    from qtpy.QtWidgets import QScrollArea

    return [area for area in widget.findChildren(QScrollArea) if area.isVisible()]


def faults_of(frame: Any, widget: Any) -> Iterator[str]:
    """Say which widgets are cut off, or lie under another."""
    from qtpy.QtCore import Qt

    if frame.width() > WIDTH + SLACK:
        yield f"the dock is {frame.width()} pixels wide"
    off = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    for area in scroll_areas(widget):
        if area.horizontalScrollBarPolicy() != off:  # it scrolls to both sides
            continue
        over = area.widget().width() - area.viewport().width()
        if over > 0:
            yield f"{over} pixels of the form lie under the scroll bar"
    yield from _faults_in(widget)


def _faults_in(parent: Any) -> Iterator[str]:
    """Look at the parts of a widget, and at theirs."""
    from qtpy.QtWidgets import QAbstractScrollArea, QComboBox, QScrollArea, QTabWidget, QWidget

    parts = [c for c in parent.children() if isinstance(c, QWidget) and c.isVisible()]
    parts = [c for c in parts if not c.isWindow()]
    for part in parts:
        if not isinstance(parent, QTabWidget):
            yield from _outside(part, parent)
        yield from _cut(part)
        if isinstance(part, QScrollArea):
            yield from _faults_in(part.widget())
        elif isinstance(part, QTabWidget):
            yield from _faults_in(part.currentWidget())
        elif not isinstance(part, QAbstractScrollArea | QComboBox) and part.layout() is not None:
            yield from _faults_in(part)
    for one, other in combinations(parts, 2):
        common = one.geometry() & other.geometry()
        if common.width() > SLACK and common.height() > SLACK:
            yield f"{called(one)} overlaps {called(other)}"


def _outside(part: Any, parent: Any) -> Iterator[str]:
    box, area = part.geometry(), parent.rect()
    if box.right() > area.right() + SLACK or box.left() < -SLACK:
        yield f"{called(part)} reaches out of {called(parent)} by {box.right() - area.right()}"
    if box.bottom() > area.bottom() + SLACK or box.top() < -SLACK:
        yield f"{called(part)} reaches out of {called(parent)} below"


def _cut(part: Any) -> Iterator[str]:
    """Say where a text is longer than its widget."""
    from qtpy.QtWidgets import QAbstractButton, QLabel

    if isinstance(part, QLabel) and part.wordWrap():
        if part.height() < part.heightForWidth(part.width()) - SLACK:
            yield f"{called(part)} needs {part.heightForWidth(part.width())} pixels of height"
    elif isinstance(part, QAbstractButton | QLabel) and part.text():
        lines = part.text().replace("&", "").split("\n")
        needed = max(part.fontMetrics().horizontalAdvance(line) for line in lines)
        if needed > part.width() + SLACK:
            yield f"{called(part)} needs {needed} pixels but has {part.width()}"


def called(part: Any) -> str:
    """Name a widget for a person."""
    text = getattr(part, "text", lambda: "")() or getattr(part, "currentText", lambda: "")()
    return f"{type(part).__name__} {text!r}" if text else type(part).__name__


if __name__ == "__main__":
    sys.exit(main())
