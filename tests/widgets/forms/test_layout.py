"""Docks of 300 pixels: nothing lies under the scroll bar, at 100 and at 200 %."""

import runpy
from pathlib import Path

import pytest
from npe2 import PluginManifest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox, QPushButton, QScrollArea, QScrollBar, QWidget

from napari_segment.widgets.forms.form import StepList
from napari_segment.widgets.forms.section import Section

pytestmark = pytest.mark.screen


DOCKS = (
    "Threshold", "Edges", "Clusters", "Classify", "Classify objects", "Train", "Predict", "Measure",
    "Compare", "Consensus", "Data set",
)  # fmt: skip
WIDTH = 300
LOOK = Path(__file__).parents[3] / "scripts" / "look.py"


@pytest.fixture
def font_size():
    from napari.settings import get_settings

    appearance = get_settings().appearance
    before = appearance.font_size
    yield lambda size: setattr(appearance, "font_size", size)
    appearance.font_size = before


def sideways(child):
    """Whether it stands in an area that scrolls to both sides."""
    off = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    while child is not None:
        if isinstance(child, QScrollArea) and child.horizontalScrollBarPolicy() != off:
            return True
        child = child.parentWidget()
    return False


def beyond(dock):
    """Widgets of a dock that reach beyond what it shows, by type and text."""
    areas = [(area.widget(), area.viewport().width()) for area in dock.findChildren(QScrollArea)]
    for body, width in [*areas, (dock, dock.width())]:
        for child in body.findChildren(QWidget):
            shown = child.isVisible() and child.window() is body.window() and not sideways(child)
            right = child.mapTo(body, child.rect().topRight()).x()
            caption = type(child).__name__ == "Caption"  # ends in an ellipsis at the edge
            if shown and right >= width and not caption and not isinstance(child, QScrollBar):
                yield type(child).__name__, getattr(child, "text", str)(), right, width


def test_nothing_is_cut_off_or_overlaps(viewer, qapp):
    look = runpy.run_path(str(LOOK))
    manifest = PluginManifest.from_distribution("napari-segment")
    viewer.open_sample("napari-segment", "nuclei")
    for dock in manifest.contributions.widgets:
        frame, widget = viewer.window.add_plugin_dock_widget("napari-segment", dock.display_name)
        frame.setFixedWidth(WIDTH)
        frame.raise_()
        for _ in range(5):
            qapp.processEvents()
        assert not list(look["faults_of"](frame, widget)), dock.display_name
        viewer.window.remove_dock_widget(frame)


def test_the_script_finds_what_is_cut_off_and_what_overlaps(qtbot):
    look = runpy.run_path(str(LOOK))
    box = QWidget()
    box.resize(100, 60)
    long = QPushButton("much longer than its button is wide", box)
    long.setGeometry(0, 0, 60, 20)
    QPushButton("b", box).setGeometry(40, 10, 80, 20)
    qtbot.addWidget(box)
    box.show()
    faults = " ".join(look["faults_of"](box, box))
    assert "needs" in faults
    assert "overlaps" in faults
    assert "reaches out" in faults


@pytest.mark.parametrize("points", [9, 18])
def test_nothing_lies_under_the_scroll_bar(viewer, qapp, font_size, points):
    font_size(points)
    viewer.open_sample("napari-segment", "nuclei")
    for name in DOCKS:
        frame, dock = viewer.window.add_plugin_dock_widget("napari-segment", name)
        frame.setFixedWidth(WIDTH)
        for steps in ("filters", "cleanups"):
            if hasattr(dock, steps):
                getattr(dock, steps).add()
        for section in dock.findChildren(Section):
            section.button.setChecked(True)
        frame.raise_()
        for _ in range(5):
            qapp.processEvents()
        assert not list(beyond(dock)), name
        viewer.window.remove_dock_widget(frame)


def test_a_row_of_a_list_shows_the_name_of_its_only_entry(qtbot):
    steps = StepList("logs")
    qtbot.addWidget(steps.native)
    steps.native.show()
    steps.add()
    menu = steps.native.findChild(QComboBox)
    qtbot.waitUntil(menu.isVisible)
    assert menu.currentText() == "TensorBoard"
