"""The Cleanup dock in a window."""

import numpy as np
import pytest
from shared.windows import assert_done, layer_of, open_dock, press, run

from napari_segment import api, samples
from napari_segment.cli import main

pytestmark = pytest.mark.screen


def test_labels_of_any_source_are_cleaned_as_on_the_command_line(qtbot, viewer, tmp_path):
    plane = np.zeros((20, 30), int)
    plane[2:4, 2:4], plane[8:16, 8:16], plane[3:9, 20:28] = 1, 2, 7
    layer = viewer.add_labels(
        plane, name="mine", scale=(0.5, 0.5), axis_labels=("y", "x"),
        features={"index": [0, 1, 2, 7], "kind": ["", "debris", "cell", "nucleus"]},
    )  # fmt: skip
    dock = open_dock(viewer, "Cleanup")
    dock.cleanups.value = [("remove_small", {"min_size": 10})]
    assert_done(run(qtbot, dock))
    cleaned = viewer.layers[-1]
    assert cleaned.name == "mine cleaned"
    np.testing.assert_allclose(cleaned.scale, layer.scale)
    assert sorted(np.unique(cleaned.data)) == [0, 2, 7]
    assert cleaned.features.set_index("index").loc[[2, 7], "kind"].tolist() == ["cell", "nucleus"]
    source, out = tmp_path / "mine.tif", tmp_path / "clean.tif"
    api.write(api.as_labels(plane, "YX"), source)
    command = ["clean", str(source), "-o", str(out), "--cleanup", "remove_small:min_size=10"]
    assert main(command) == 0
    np.testing.assert_array_equal(api.as_labels(out).data, cleaned.data)
    press(qtbot, dock.undo_button)
    assert list(viewer.layers) == [layer]


def test_cleanups_continue_the_recipe_of_a_result(qtbot, viewer):
    image = samples.nuclei((64, 64))[0]
    viewer.add_layer(layer_of(image))
    threshold = open_dock(viewer, "Threshold")
    run(qtbot, threshold)
    dock = open_dock(viewer, "Cleanup")
    assert dock.labels.layer is viewer.layers[-1]
    dock.cleanups.value = ["fill_holes", "connected_components"]
    assert " objects, " in run(qtbot, dock)
    cleaned = viewer.layers[-1]
    expected = api.segment(image, "otsu", cleanups=["fill_holes", "connected_components"])
    np.testing.assert_array_equal(cleaned.data, expected.data)
    recipe = cleaned.metadata["napari-segment"]["recipe"]
    assert [spec["name"] for spec in recipe["cleanups"]] == ["fill_holes", "connected_components"]


def test_an_image_is_asked_for_where_a_cleanup_looks_at_it(qtbot, viewer):
    image, truth = samples.nuclei((64, 64))
    viewer.add_layer(layer_of(image))
    viewer.add_layer(layer_of(truth))
    dock = open_dock(viewer, "Cleanup")
    assert not dock.image.isVisible()
    dock.cleanups.add("split_touching")
    qtbot.waitUntil(dock.image.isVisible)
    assert dock.image.layer is viewer.layers[0]


def test_nothing_to_clean_up_is_said(qtbot, viewer):
    dock = open_dock(viewer, "Cleanup")
    press(qtbot, dock.running.button)
    assert "There is no Labels layer" in dock.running.message.text()
    viewer.add_labels(np.eye(4, dtype=int))
    dock.cleanups.value = []
    press(qtbot, dock.running.button)
    assert "add a cleanup" in dock.running.message.text()
