"""The Measure dock in a window: what is refused, said and saved."""

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_segment import samples
from napari_segment.errors import InputError
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


def test_a_table_of_before_is_not_saved(qtbot, viewer, dock, tmp_path):
    """Not after painting, writing in place, another scale, or another image; it is after undo."""
    labels = viewer.add_labels(np.eye(9, dtype=int))
    image = viewer.add_image(np.arange(81.0).reshape(9, 9))
    dock.image.layer = image
    dock.properties.setCurrentText("intensity")
    assert measure(qtbot, dock, labels) == "1 label number measured."
    dock.save(tmp_path / "first.csv")
    labels.paint((4, 7), 2)
    assert "the table is that of before" in dock.running.message.text()
    with pytest.raises(InputError, match="changed after it was measured"):
        dock.save(tmp_path / "second.csv")
    assert not (tmp_path / "second.csv").exists()
    labels.undo()
    dock.save(tmp_path / "second.csv")
    for change in (
        lambda: labels.data.__setitem__((0, 5), 9),
        lambda: image.data.__setitem__((0, 5), -1),
        lambda: setattr(labels, "scale", (1, 3)),
    ):
        measure(qtbot, dock, labels)
        dock.save(tmp_path / "second.csv")
        change()
        with pytest.raises(InputError, match="Press Measure again"):
            dock.save(tmp_path / "third.csv")
        qtbot.mouseClick(dock.save_button, Qt.MouseButton.LeftButton)  # asks for no file
        assert "Press Measure again" in dock.running.message.text()
    assert not (tmp_path / "third.csv").exists()
