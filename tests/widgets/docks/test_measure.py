"""The Measure dock in a window: what is refused, said and saved."""

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_segment import samples
from napari_segment.widgets.layers.conversion import stack_layer

pytestmark = pytest.mark.screen


@pytest.fixture
def dock(viewer):
    return viewer.window.add_plugin_dock_widget("napari-segment", "Measure")[1]


def measure(qtbot, dock, layer):
    dock.labels.layer = layer
    qtbot.mouseClick(dock.running.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=400_000)
    return dock.running.message.text()


def test_intensity_without_an_image_is_refused(qtbot, viewer, dock):
    labels = viewer.add_labels(np.eye(9, dtype=int), features={"index": [0, 1], "name": ["", "a"]})
    dock.properties.setCurrentText("intensity")
    assert "measured on an image, but none is chosen" in measure(qtbot, dock, labels)
    assert labels.features["name"].tolist() == ["", "a"]


def test_each_layer_has_its_table(qtbot, viewer, dock, tmp_path):
    _, truth = samples.nuclei((64, 64))
    objects = viewer.add_layer(Layer.create(*stack_layer(truth)))
    mask = viewer.add_layer(Layer.create(*stack_layer(samples.as_mask(truth))))
    plain = viewer.add_labels(np.eye(9, dtype=int) * 3)
    count = len(np.unique(truth.data)) - 1
    assert measure(qtbot, dock, objects) == f"{count} objects measured."
    assert measure(qtbot, dock, mask).startswith("The mask was measured as one.")
    assert measure(qtbot, dock, plain) == "1 label number measured."
    dock.labels.layer = objects
    dock.save(tmp_path / "objects.csv")
    assert len((tmp_path / "objects.csv").read_text().splitlines()) == count + 1
    empty = viewer.add_labels(np.zeros((9, 9), int))
    dock.labels.layer = empty
    assert not dock.save_button.isEnabled()
    assert "nothing to measure" in measure(qtbot, dock, empty)
    viewer.layers.remove(objects)
    assert objects not in [dock.labels.itemData(i) for i in range(dock.labels.count())]
