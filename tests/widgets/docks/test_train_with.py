"""From strokes and corrected labels to the Train dock, by a click."""

import numpy as np
import pytest
from napari.layers import Labels
from shared.windows import layer_of, open_dock, press

from napari_segment import samples

pytestmark = pytest.mark.screen


def train_dock(viewer):
    """The Train dock, as it stands."""
    return open_dock(viewer, "Train")


def named(menu):
    return menu.layer.name


@pytest.fixture
def images(viewer):
    """Two images with their objects; the second are the last layers."""
    for seed in (1, 2):
        image, truth = samples.nuclei((64, 64), seed=seed)
        viewer.add_layer(layer_of(image.replace(name=f"image {seed}")))
        viewer.add_layer(layer_of(truth.replace(name=f"objects {seed}")))
    return viewer.layers


def test_strokes_are_examples_with_their_background(qtbot, viewer, images):
    viewer.layers.selection.active = viewer.layers["image 1"]
    dock = open_dock(viewer, "Classify")
    qtbot.waitUntil(dock.isVisible)
    dock.source.layers.layer = viewer.layers["image 1"]
    press(qtbot, dock.paint_button)
    dock.background.setValue(3)
    assert "Train" not in "".join(viewer.window.dock_widgets)
    press(qtbot, dock.train_button)
    train = train_dock(viewer)
    qtbot.waitUntil(train.isVisible)
    assert [named(menu) for menu in train.pairs.rows[0]] == ["image 1", "image 1 strokes"]
    assert train.pairs.task_menu.currentText() == "only an example"
    assert train.pairs.label_settings == {"task": "classes", "background": 3}
    assert train.settings()["background"] == 3
    assert "1 pair " in train.proposal.text()


def test_corrected_labels_are_what_they_were(qtbot, viewer, images):
    train = train_dock(viewer)
    train.pairs.add_row()
    train.pairs.task_menu.setCurrentIndex(3)
    train.tabs.setCurrentIndex(1)
    dock = open_dock(viewer, "Correct")
    qtbot.waitUntil(dock.isVisible)
    dock.labels.layer = viewer.layers["objects 2"]
    dock.image.layer = viewer.layers["image 2"]
    press(qtbot, dock.train_button)
    qtbot.waitUntil(train.isVisible)
    assert train.tabs.currentIndex() == 0
    assert [named(menu) for menu in train.pairs.rows[0]] == ["image 2", "objects 2"]
    assert [row[1].layer for row in train.pairs.rows].count(viewer.layers["objects 2"]) == 1
    assert train.pairs.label_settings == {"task": "auto"}  # they are recorded as objects


def test_labels_painted_by_hand_are_objects(qtbot, viewer, images):
    data = np.zeros((64, 64), np.int32)
    data[5:9, 5:9] = 1
    image = viewer.layers["image 1"]
    hand = viewer.add_layer(Labels(data, name="hand", scale=image.scale, units=image.units))
    dock = open_dock(viewer, "Correct")
    qtbot.waitUntil(dock.isVisible)
    dock.labels.layer = hand
    dock.image.layer = viewer.layers["image 1"]
    press(qtbot, dock.train_button)
    train = train_dock(viewer)
    assert [named(menu) for menu in train.pairs.rows[0]] == ["image 1", "hand"]
    assert train.pairs.label_settings == {"task": "objects"}


def test_without_labels_it_is_said_what_is_missing(qtbot, viewer):
    dock = open_dock(viewer, "Classify")
    qtbot.waitUntil(dock.isVisible)
    press(qtbot, dock.train_button)
    assert "There are no strokes" in dock.running.message.text()
