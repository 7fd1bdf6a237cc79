"""Strokes painted by mouse are classified at once in the plane in view."""

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import QPoint, Qt

from napari_segment import samples
from napari_segment.widgets.docks.live_strokes import NAME
from napari_segment.widgets.layers.conversion import stack_layer

pytestmark = pytest.mark.screen


@pytest.fixture
def dock(viewer, qapp):
    image, truth = samples.nuclei((128, 128), seed=2)
    viewer.add_layer(Layer.create(*stack_layer(image.replace(spacing=(1, 1), unit="pixel"))))
    widget = viewer.window.add_plugin_dock_widget("napari-segment", "Classify")[1]
    widget.truth = np.asarray(truth.data) > 0
    viewer.reset_view()
    qapp.processEvents()
    return widget


def canvas_point(viewer, y, x):
    canvas, camera = viewer.window._qt_viewer.canvas.native, viewer.scene.camera
    size = np.array([canvas.height(), canvas.width()])
    v, u = (np.array([y, x]) - np.array(camera.center[-2:])) * camera.zoom + size / 2
    return canvas, QPoint(int(u), int(v))


def stroke(qtbot, viewer, where, number):
    """Press the mouse on a few voxels, with the brush of a class."""
    viewer.layers.selection.active.selected_label = number
    for y, x in np.argwhere(where)[:: max(1, where.sum() // 8)][:8]:
        canvas, point = canvas_point(viewer, y, x)
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=point)


def answered(qtbot, dock):
    qtbot.waitUntil(lambda: dock.live.layer is not None, timeout=60_000)
    return np.asarray(dock.live.layer.data)


def test_the_plane_is_classified_after_a_stroke(qtbot, viewer, dock):
    qtbot.mouseClick(dock.paint_button, Qt.MouseButton.LeftButton)
    strokes = dock.strokes.layer
    strokes.brush_size = 1
    stroke(qtbot, viewer, ~dock.truth, 1)
    qtbot.waitUntil(
        lambda: "Paint another class too" in dock.running.message.text(), timeout=60_000
    )
    stroke(qtbot, viewer, dock.truth, 2)
    labels = answered(qtbot, dock)
    assert ((labels == 2) == dock.truth).mean() > 0.85
    assert viewer.layers.selection.active is strokes
    assert viewer.layers[-1] is strokes  # on top, to be painted on
    assert dock.live.latency > 0
    dock.background.setValue(1)
    qtbot.waitUntil(lambda: set(np.unique(dock.live.layer.data)) == {0, 2}, timeout=60_000)
    dock.live.box.setChecked(False)
    assert NAME not in viewer.layers


def test_it_follows_the_plane_in_view(qtbot, viewer, qapp):
    image, truth = samples.cells((6, 48, 48), seed=1)
    viewer.add_layer(Layer.create(*stack_layer(image)))
    dock = viewer.window.add_plugin_dock_widget("napari-segment", "Classify")[1]
    strokes = dock.new_strokes()
    inside = np.asarray(truth.data) > 0
    viewer.dims.set_current_step(0, 2)
    for number, where in ((1, ~inside[2]), (2, inside[2])):
        for y, x in np.argwhere(where)[:: max(1, where.sum() // 30)]:
            strokes.paint((2, y, x), number)
    first = answered(qtbot, dock).copy()
    assert first.shape == (1, 48, 48)
    assert dock.live.layer.translate[0] == pytest.approx(2 * image.spacing[0])
    viewer.dims.set_current_step(0, 4)
    qtbot.waitUntil(
        lambda: dock.live.layer.translate[0] == pytest.approx(4 * image.spacing[0]), timeout=60_000
    )
    assert ((np.asarray(dock.live.layer.data)[0] == 2) == inside[4]).mean() > 0.8


def test_a_layer_of_another_shape_is_said(qtbot, viewer, dock):
    layer = viewer.add_labels(np.ones((5, 5), np.int32))
    dock.strokes.layer = layer
    layer.paint((1, 1), 2)
    qtbot.waitUntil(lambda: "another grid" in dock.running.message.text(), timeout=20_000)


def test_a_closed_dock_takes_its_layer_along(qtbot, viewer, dock):
    strokes = dock.new_strokes()
    for number, where in ((1, ~dock.truth), (2, dock.truth)):
        for y, x in np.argwhere(where)[:: where.sum() // 20]:
            strokes.paint((y, x), number)
    answered(qtbot, dock)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: NAME not in viewer.layers, timeout=20_000)
