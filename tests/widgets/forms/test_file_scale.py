"""The voxel size of a layer's source file, offered where the layer has none."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_segment import api
from napari_segment.image import Image

pytestmark = pytest.mark.screen


def test_the_voxel_size_of_the_file_is_offered(qtbot, viewer, tmp_path):
    volume = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    path = api.write(Image(volume, "ZYX", (2, 0.5, 0.5), "micrometer"), tmp_path / "a.tif")
    (layer,) = viewer.open(path, plugin="napari")
    layer.scale, layer.units = (1, 1, 1), ("pixel",) * 3
    dock = viewer.window.add_plugin_dock_widget("napari-segment", "Threshold")[1]
    offer = dock.source.file_scale
    qtbot.waitUntil(offer.isVisible, timeout=60_000)
    assert "its file states 2 × 0.5 × 0.5 micrometer" in offer.message.text()
    qtbot.mouseClick(offer.button, Qt.MouseButton.LeftButton)
    np.testing.assert_allclose(layer.scale, (2, 0.5, 0.5))
    assert dock.source.image().spacing == (2, 0.5, 0.5)
    assert offer.isHidden()


def test_nothing_is_offered_for_a_layer_with_a_voxel_size(qtbot, viewer, tmp_path):
    path = api.write(Image(np.ones((4, 5)), "YX", (0.5, 0.5)), tmp_path / "a.tif")
    viewer.open(path, plugin="napari-segment")
    dock = viewer.window.add_plugin_dock_widget("napari-segment", "Threshold")[1]
    qtbot.wait(300)
    assert dock.source.file_scale.isHidden()
