"""The Threshold dock in a window."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QFocusEvent
from qtpy.QtWidgets import QApplication
from shared.windows import WAIT, add_stack, assert_done, open_dock, press, run

from napari_segment import api

pytestmark = pytest.mark.screen


def test_threshold_gives_labels_on_the_image(qtbot, viewer, stack):
    image = add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    assert dock.method.name == "otsu"
    assert_done(run(qtbot, dock))
    labels = viewer.layers[-1]
    assert labels.name == "stack Otsu threshold"
    assert labels._type_string == "labels"
    for name in ("scale", "translate", "rotate", "shear"):
        np.testing.assert_allclose(getattr(labels, name), getattr(image, name))
    np.testing.assert_allclose(labels.affine.affine_matrix, image.affine.affine_matrix)
    assert labels.units == image.units
    assert labels.axis_labels == image.axis_labels
    np.testing.assert_array_equal(labels.data, api.segment(stack, "otsu").data)
    dock.method.name = "li"
    dock.recipes.take()
    assert dock.method.name == "otsu"
    press(qtbot, dock.undo_button)
    assert labels not in viewer.layers
    assert not dock.undo_button.isEnabled()


def test_undo_passes_over_what_is_gone(qtbot, viewer, stack):
    image = add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    dock.replace_box.setChecked(False)
    runs = []
    for _ in range(3):
        assert_done(run(qtbot, dock))
        runs.append(viewer.layers[-1])
    runs[1].name = "mine"
    viewer.layers.remove(runs[2])
    press(qtbot, dock.undo_button)
    assert list(viewer.layers) == [image, runs[0]]
    assert viewer.layers.selection.active is image
    viewer.layers.remove(runs[0])
    assert not dock.undo_button.isEnabled()


def test_a_run_says_how_many_objects_and_offers_to_number_the_pieces_of_a_mask(qtbot, viewer):
    plane = np.zeros((40, 50), np.uint8)
    plane[2:6, 2:6] = plane[20:30, 20:30] = plane[35:38, 40:48] = 200
    viewer.add_image(plane, name="three", axis_labels=("y", "x"))
    dock = open_dock(viewer, "Threshold")
    assert run(qtbot, dock).startswith("A mask of 3 pieces, 0.07 of all voxels, ")
    assert dock.running.suggestions[0].isVisible()
    press(qtbot, dock.running.suggestions[0])
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=WAIT)
    assert dock.running.message.text().startswith("3 objects, ")
    shown = [button.text() for button in dock.running.suggestions if button.isVisible()]
    assert shown == ["Measure them"]
    assert viewer.layers[-1].data.max() == 3


def test_a_run_that_finds_nothing_says_why(qtbot, viewer):
    viewer.add_image(np.arange(20, dtype=np.uint8).reshape(4, 5), name="low")
    dock = open_dock(viewer, "Threshold")
    dock.method.value = ("manual", {"value": 812.0})
    said = run(qtbot, dock)
    assert "the threshold 812 is above every voxel (the largest is 19)" in said


def test_a_picture_of_the_strip_chooses_its_method(qtbot, viewer, stack):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    strip = dock.strip
    qtbot.waitUntil(
        lambda: strip.native.isVisible() and not strip.buttons["li"].icon().isNull(), timeout=WAIT
    )
    assert strip.buttons["otsu"].isChecked()
    press(qtbot, strip.buttons["li"])
    assert dock.method.name == "li"
    assert strip.buttons["li"].isChecked()
    assert not strip.buttons["otsu"].isChecked()


def test_a_method_is_searched_for_by_a_part_of_its_name(qtbot, viewer, stack):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    line = dock.method.menu.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "sauv")
    popup = dock.method.menu.completer().popup()
    qtbot.waitUntil(popup.isVisible)
    qtbot.keyClick(popup, Qt.Key.Key_Down)
    qtbot.keyClick(popup, Qt.Key.Key_Return)
    assert dock.method.name == "sauvola"
    assert dock.method.summary.text().startswith("Separate at")
    line.selectAll()
    qtbot.keyClicks(line, "nothing like it")
    dock.method.menu.clearFocus()
    QApplication.sendEvent(dock.method.menu, QFocusEvent(QEvent.Type.FocusOut))
    assert (dock.method.name, line.text()) == ("sauvola", "Sauvola threshold")
