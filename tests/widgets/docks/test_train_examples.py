"""Trainings in a window on layers in which only examples were painted."""

import json

import numpy as np
import pytest
from napari.layers import Labels
from qtpy.QtCore import Qt
from shared.windows import WAIT, layer_of, open_dock, press, run

from napari_segment import samples

pytestmark = pytest.mark.screen

ONLY = "only an example"


@pytest.fixture
def strokes(viewer):
    """An image, and a layer with strokes of the background (1) and of nuclei (2)."""
    image, truth = samples.nuclei((64, 64), seed=2)
    data = np.where(np.asarray(truth.data) > 0, 2, 1)
    data[::2] = 0
    viewer.add_layer(layer_of(image))
    image_layer = viewer.layers[0]
    layer = Labels(data, name="strokes", scale=image_layer.scale, units=image_layer.units)
    return viewer.add_layer(layer)


def small(dock, folder):
    model = {"name": "unet", "settings": {"features": (4, 8)}}
    dock.form.settings = {"epochs": 2, "out": folder, "model": model, "device": "cpu"}
    dock.more.settings = {"steps": 8, "patch": (32, 32), "batch": 2, "workers": 0}


def choose_by_key(qtbot, menu, text):
    """Take an entry of a menu as a person does by keys."""
    menu.setFocus()
    qtbot.keyClick(menu, Qt.Key.Key_Home)
    for _ in range(menu.findText(text)):
        qtbot.keyClick(menu, Qt.Key.Key_Down)
    assert menu.currentText() == text


@pytest.mark.slow
def test_only_examples_were_painted(qtbot, strokes, viewer, tmp_path):
    dock = open_dock(viewer, "Train")
    small(dock, tmp_path / "net")
    assert not dock.pairs.background.isVisible()
    choose_by_key(qtbot, dock.pairs.task_menu, ONLY)
    qtbot.waitUntil(dock.pairs.background.isVisible)
    dock.pairs.background.setFocus()
    qtbot.keyClick(dock.pairs.background, Qt.Key.Key_Up)
    assert dock.pairs.background.text() == "class 1"
    press(qtbot, dock.check_button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=WAIT)
    assert dock.report.text()
    assert "The network is in" in run(qtbot, dock)
    settings = json.loads((tmp_path / "net" / "settings.json").read_text())
    assert (settings["task"], settings["background"]) == ("classes", 1)
    plan = json.loads((tmp_path / "net" / "plan.json").read_text())
    assert (plan["holds"], plan["values"]) == ("mask", [0, 2])


def test_without_a_painted_background_every_number_is_a_class(qtbot, strokes, viewer):
    dock = open_dock(viewer, "Train")
    choose_by_key(qtbot, dock.pairs.task_menu, ONLY)
    assert dock.pairs.background.text() == "none was painted"
    assert dock.pairs.label_settings == {"task": "classes", "ignore_index": 0}
    assert dock.settings()["ignore_index"] == 0
