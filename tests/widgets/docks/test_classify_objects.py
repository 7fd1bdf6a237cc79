"""The Classify objects dock in a window: objects clicked by mouse, learnt, shown, and replayed."""

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import QPoint, Qt

import napari_segment as ns
from napari_segment.recipe import Recipe
from napari_segment.widgets.layers.conversion import KEY, image_of, result_layer, stack_layer
from napari_segment.widgets.layers.examples import counts_of

pytestmark = pytest.mark.screen

CENTERS = [(y, x) for y in (20, 60, 100) for x in (20, 60, 100, 140)]


def is_ring(number):
    return number % 3 == 0


@pytest.fixture
def picture():
    """Twelve discs, of which every third has a hole."""
    image = np.zeros((120, 160), np.uint8)
    y, x = np.indices(image.shape)
    for number, (cy, cx) in enumerate(CENTERS):
        square = (y - cy) ** 2 + (x - cx) ** 2
        image[(square <= 144) & (square >= (25 if is_ring(number) else 0))] = 150
    return ns.Image(image, spacing=(0.5, 0.5), unit="micrometer")


@pytest.fixture
def dock(viewer, picture):
    source = viewer.add_layer(Layer.create(*stack_layer(picture.replace(name="picture"))))
    labels = ns.segment(picture, "manual", value=50, cleanups=["connected_components"])
    viewer.add_layer(Layer.create(*result_layer(labels, source, "YX", "objects")))
    return viewer.window.add_plugin_dock_widget("napari-segment", "Classify objects")[1]


def press(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def click_on(qtbot, viewer, number):
    """Click on an object's edge in the canvas."""
    cy, cx = CENTERS[number]
    canvas, camera = viewer.window._qt_viewer.canvas, viewer.scene.camera
    world = np.array([cy - 9, cx]) * 0.5
    size = np.array([canvas.native.height(), canvas.native.width()])
    y, x = (world - np.array(camera.center[-2:])) * camera.zoom + size / 2
    qtbot.mouseClick(canvas.native, Qt.MouseButton.LeftButton, pos=QPoint(int(x), int(y)))


def learn(qtbot, dock):
    press(qtbot, dock.running.button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=300_000)
    return dock.running.message.text()


def test_clicked_objects_teach_the_others(qtbot, viewer, dock, picture, tmp_path):
    viewer.reset_view()
    dock.image.layer = viewer.layers["picture"]
    press(qtbot, dock.new_button)
    examples, objects = dock.examples.layer, viewer.layers["objects"]
    assert viewer.layers.selection.active is examples
    dock.name.setText("ring")
    dock.name.textEdited.emit("ring")
    for number in (0, 3):
        click_on(qtbot, viewer, number)
    dock.number.setValue(2)
    for number in (1, 2, 5):
        click_on(qtbot, viewer, number)
    assert counts_of(examples, objects) == {1: 2, 2: 3}
    assert dock.running.message.text() == "2 of ring, 3 of class 2"
    click_on(qtbot, viewer, 5)  # taken back
    assert counts_of(examples, objects) == {1: 2, 2: 2}
    dock.folder.value = tmp_path / "rings"
    text = learn(qtbot, dock)
    assert "Learnt from 2 of ring, 2 of class 2. All objects: 4 ring, 8 class 2." in text
    result = dock.result
    for number, (cy, cx) in enumerate(CENTERS):
        assert result.data[cy - 9, cx] == (1 if is_ring(number) else 2)
        label = objects.data[cy - 9, cx]
        assert objects.features["class"][label] == ("ring" if is_ring(number) else "class 2")
    recipe = Recipe.from_plain(result.metadata[KEY]["recipe"])
    image = image_of(viewer.layers["picture"])
    np.testing.assert_array_equal(ns.replay(recipe, image).data, result.data)
    learn(qtbot, dock)
    assert result not in viewer.layers  # the second result is in its place


def test_it_says_what_is_missing(qtbot, viewer, dock):
    assert "press “Click examples”" in learn(qtbot, dock)
    press(qtbot, dock.new_button)
    assert "No object has a class" in learn(qtbot, dock)
    viewer.layers.remove(viewer.layers["objects"])
    assert "There are no objects" in learn(qtbot, dock)
