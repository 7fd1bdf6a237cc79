"""Previews in a window follow what a person changes, and end with the dock."""

import time

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication
from shared.windows import WAIT, add_stack, open_dock

from napari_segment import api

pytestmark = pytest.mark.screen


def test_preview_follows_the_slider_and_the_mouse(qtbot, viewer, stack):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    whole = api.segment(stack, "otsu").data
    plane = viewer.layers["preview"]
    assert plane.data.shape == (1, 40, 50)
    viewer.dims.set_current_step(0, 3)
    qtbot.waitUntil(lambda: np.array_equal(plane.data[0], whole[3]), timeout=WAIT)
    np.testing.assert_allclose(
        plane.data_to_world([0, 0, 0]), viewer.layers["stack"].data_to_world([3, 0, 0])
    )
    view = dock.live.histogram
    (value,) = view.thresholds
    start = QPoint(round(view._position(value)), 20)
    end = QPoint(round(view._position(3000)), 20)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view, end)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    assert dock.method.name == "manual"
    dragged = dock.method.value.settings["value"]
    assert abs(dragged - 3000) < 20
    qtbot.waitUntil(lambda: np.array_equal(plane.data[0] > 0, stack[3] > dragged), timeout=WAIT)
    dock.live.box.setChecked(False)
    assert "preview" not in viewer.layers


def test_closing_the_dock_takes_its_preview_along(qtbot, viewer, stack):
    image = add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    frame = dock.parentWidget()
    while not hasattr(frame, "toggleViewAction"):
        frame = frame.parentWidget()
    frame.hide()  # as the menu does
    qtbot.waitUntil(lambda: list(viewer.layers) == [image], timeout=5000)
    frame.show()
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: list(viewer.layers) == [image], timeout=5000)
    viewer.dims.set_current_step(0, 3)
    qtbot.wait(300)
    assert list(viewer.layers) == [image]


def test_previews_are_asked_for_while_changes_go_on(qtbot, viewer, bright_stack, monkeypatch):
    viewer.add_image(bright_stack[2], name="plane")
    dock = open_dock(viewer, "Threshold")
    asked = []
    monkeypatch.setattr(dock.live._newest, "ask", asked.append)
    end = time.monotonic() + 1
    while time.monotonic() < end:  # never quiet, as when the mouse moves on and on
        dock.live.refresh()
        QApplication.processEvents()
    assert len(asked) > 1


def test_the_preview_follows_pixels_that_a_script_overwrites(qtbot, viewer):
    """At once where it draws the layer anew; one pixel among many when nothing moves any more."""
    pixels = np.random.default_rng(1).integers(0, 4000, (6, 70, 80)).astype(np.uint16)
    layer = viewer.add_image(pixels, name="stack", rgb=False, axis_labels=("z", "y", "x"))
    dock = viewer.window.add_plugin_dock_widget("napari-segment", "Threshold")[1]
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(dock.live._idle.isActive, timeout=WAIT)
    pixels[:2] = 9000
    layer.refresh()
    whole = api.segment(pixels, "otsu").data
    plane = viewer.layers["preview"]
    qtbot.waitUntil(lambda: np.array_equal(plane.data[0], whole[4]), timeout=1000)
    viewer.dims.set_current_step(0, 3)
    qtbot.waitUntil(dock.live._idle.isActive, timeout=WAIT)
    pixels[1, 1, 1] = 20_000
    assert dock.live.histogram.high < 10_000
    qtbot.waitUntil(lambda: dock.live.histogram.high > 19_000, timeout=5000)
    asked = dock.live._asked
    qtbot.wait(200)
    assert dock.live._asked == asked  # it comes to rest
