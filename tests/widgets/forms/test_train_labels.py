"""What the numbers of reference labels are, in the form of the Train dock."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_segment.widgets.forms.train_labels import without_code

pytestmark = pytest.mark.screen


def test_messages_name_what_the_form_shows():
    text = "Give another folder, resume=True (--resume) to go on, or overwrite=True (--overwrite)."
    assert without_code(text) == (
        "Give another folder, tick “resume the run folder” to go on, "
        "or tick “overwrite the run folder”."
    )


def test_what_numbers_are_is_asked_for(qtbot, viewer):
    data = np.zeros((32, 32), int)
    data[2:5, 2:5], data[9:12, 9:12] = 1, 2
    viewer.add_image(data.astype(float))
    labels = viewer.add_labels(data)
    dock = viewer.window.add_plugin_dock_widget("napari-segment", "Train")[1]
    assert "Choose what each number is" in dock.pairs.numbers.text()
    qtbot.mouseClick(dock.running.button, Qt.MouseButton.LeftButton)
    assert "class or an object" in dock.running.message.text()
    dock.pairs.task_menu.setCurrentIndex(dock.pairs.task_menu.findData("objects"))
    assert dock.settings()["task"] == "objects"
    dock.pairs.task_menu.setCurrentIndex(0)
    labels.data = np.tile(np.arange(32) % 8 < 4, (32, 1)).astype(int)
    assert dock.settings()["task"] == "classes"
    labels.metadata["napari-segment"] = {"holds": "objects"}
    assert dock.settings()["task"] == "auto"
