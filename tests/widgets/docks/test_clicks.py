"""How many clicks a person needs, counted in a real window."""

import csv

import pytest
from napari.layers import Layer
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QMenu

from napari_segment import api, samples
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.layers.conversion import stack_layer

pytestmark = pytest.mark.screen

WAIT = 400_000


class Mouse:
    """Clicks, and counts them."""

    def __init__(self, qtbot, viewer):
        self.qtbot, self.window, self.clicks = qtbot, viewer.window._qt_window, 0

    def click(self, widget, position=None):
        assert widget.isVisible()
        assert widget.isEnabled()
        self.clicks += 1
        where = widget.rect().center() if position is None else position
        self.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=where)

    def menu(self, *titles):
        """Go through the window's menus; each title is a click."""
        bar = self.window.menuBar()
        for title in titles:
            action = next(a for a in bar.actions() if a.text().replace("&", "") == title)
            self.click(bar, bar.actionGeometry(action).center())
            following = action.menu()
            if isinstance(following, QMenu):
                self.qtbot.waitUntil(following.isVisible)
                bar = following

    def dock(self, name):
        docks = [d for d in self.window.findChildren(Dock) if type(d).__name__ == name]
        self.qtbot.waitUntil(docks[-1].isVisible)
        return docks[-1]

    def wait(self, dock):
        self.qtbot.waitUntil(lambda: dock.running.job is None, timeout=WAIT)
        self.qtbot.wait(100)


def test_eight_clicks_from_an_image_to_a_table_of_split_objects(
    qtbot, viewer, tmp_path, monkeypatch
):
    image = samples.nuclei((128, 128))[0]
    viewer.add_layer(Layer.create(*stack_layer(image)))
    mouse, table = Mouse(qtbot, viewer), tmp_path / "objects.csv"

    def choose(*_):
        mouse.clicks += 1  # on Save
        return str(table), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    mouse.menu("Plugins", "Segment", "Threshold (Segment)")
    threshold = mouse.dock("Threshold")
    mouse.click(threshold.running.button)
    mouse.wait(threshold)
    mouse.click(next(b for b in threshold.running.suggestions if b.text() == "Split touching"))
    mouse.wait(threshold)
    labels = viewer.layers.selection.active
    assert [type(layer).__name__ for layer in viewer.layers] == ["Image", "Labels"]
    mouse.click(threshold.running.suggestions[0])
    measure = mouse.dock("Measure")
    mouse.wait(measure)
    assert measure.labels.layer is labels
    assert measure.image.layer is viewer.layers[0]
    mouse.click(measure.save_button)
    expected = api.segment(image, "otsu", cleanups=["split_touching"])
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["label"]) for row in rows] == list(range(1, int(expected.data.max()) + 1))
    assert mouse.clicks <= 8


def test_a_run_replaces_the_last_result_unless_it_was_painted_or_renamed(qtbot, viewer):
    viewer.add_layer(Layer.create(*stack_layer(samples.nuclei((64, 64))[0])))
    mouse = Mouse(qtbot, viewer)
    mouse.menu("Plugins", "Segment", "Threshold (Segment)")
    dock = mouse.dock("Threshold")

    def run():
        mouse.click(dock.running.button)
        mouse.wait(dock)
        return viewer.layers.selection.active

    first = run()
    second = run()
    assert list(viewer.layers)[1:] == [second]
    assert first.name == second.name
    second.paint((3, 3), 9)
    third = run()
    assert list(viewer.layers)[1:] == [second, third]
    third.name = "mine"
    fourth = run()
    assert list(viewer.layers)[1:] == [second, third, fourth]
    dock.replace_box.setChecked(False)
    fifth = run()
    assert list(viewer.layers)[1:] == [second, third, fourth, fifth]
