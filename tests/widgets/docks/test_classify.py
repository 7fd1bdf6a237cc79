"""The Classify dock in a window: strokes painted by mouse, learnt, shown, and replayed."""

import numpy as np
import pytest
from napari.layers import Layer
from qtpy.QtCore import Qt

import napari_segment as ns
from napari_segment import samples
from napari_segment.recipe import Recipe
from napari_segment.widgets.layers.conversion import KEY, stack_layer

pytestmark = pytest.mark.screen


@pytest.fixture
def dock(viewer):
    image, truth = samples.nuclei((128, 128), seed=2)
    viewer.add_layer(Layer.create(*stack_layer(image)))
    widget = viewer.window.add_plugin_dock_widget("napari-segment", "Classify")[1]
    widget.truth = np.asarray(truth.data) > 0
    return widget


def press(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def learn(qtbot, dock):
    press(qtbot, dock.running.button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=300_000)
    return dock.running.message.text()


def paint(layer, truth):
    """Some strokes of each class, as the brush leaves them."""
    for number, where in ((1, ~truth), (2, truth)):
        layer.selected_label = number
        for y, x in np.argwhere(where)[:: max(1, where.sum() // 40)]:
            layer.paint((y, x), number)


def test_strokes_become_classes_and_the_recipe_replays(qtbot, viewer, dock, tmp_path):
    press(qtbot, dock.paint_button)
    strokes = dock.strokes.layer
    assert strokes.mode == "paint"
    np.testing.assert_allclose(strokes.scale, viewer.layers[0].scale)
    strokes.brush_size = 1
    paint(strokes, dock.truth)
    dock.folder.value = tmp_path / "strokes"
    dock.background.setValue(1)
    text = learn(qtbot, dock)
    assert "Learnt from" in text
    assert str(tmp_path / "strokes") in text
    first = dock.result
    assert (np.asarray(first.data) > 0)[dock.truth].mean() > 0.9
    assert viewer.layers.selection.active is strokes  # to go on painting
    recipe = Recipe.from_plain(first.metadata[KEY]["recipe"])
    image = ns.as_image(viewer.layers[0]) if hasattr(ns, "as_image") else viewer.layers[0]
    np.testing.assert_array_equal(ns.replay(recipe, image).data, first.data)
    learn(qtbot, dock)  # again, in place of the first result
    assert first not in viewer.layers
    assert sum("classes" in layer.name for layer in viewer.layers) == 1


def test_without_strokes_it_says_what_to_do(qtbot, viewer, dock):
    assert "press “New strokes”" in learn(qtbot, dock)
    press(qtbot, dock.paint_button)
    assert "Nothing is painted" in learn(qtbot, dock)


def test_a_folder_with_another_model_is_not_replaced(qtbot, viewer, dock, tmp_path):
    press(qtbot, dock.paint_button)
    paint(dock.strokes.layer, dock.truth)
    (tmp_path / "model.json").write_text("{}")
    dock.folder.value = tmp_path
    assert "holds a trained model already" in learn(qtbot, dock)
    assert (tmp_path / "model.json").read_text() == "{}"
