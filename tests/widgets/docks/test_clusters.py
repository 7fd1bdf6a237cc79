"""The Clusters dock in a window."""

import numpy as np
import pytest
from shared.windows import WAIT, assert_done, layer_of, open_dock, run

from napari_segment import api, samples

pytestmark = pytest.mark.screen


def test_clusters_of_colours(qtbot, viewer):
    image, _ = samples.stained_tissue((48, 56))
    viewer.add_layer(layer_of(image))
    dock = open_dock(viewer, "Clusters")
    assert dock.method.name == "kmeans"
    dock.method.form.settings = {"clusters": 3, "seed": 4}
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    assert viewer.layers["preview"].data.shape == (48, 56)
    assert_done(run(qtbot, dock))
    expected = api.segment(image, "kmeans", clusters=3, seed=4)
    np.testing.assert_array_equal(viewer.layers[-1].data, expected.data)
    assert "preview" not in viewer.layers


def test_clusters_of_channels(qtbot, viewer, stack):
    viewer.add_image(stack, axis_labels=("c", "y", "x"), rgb=False)
    dock = open_dock(viewer, "Clusters")
    assert dock.recipe().channel == "auto"  # all are taken
    assert_done(run(qtbot, dock))
    expected = api.segment(stack, "kmeans", axes="CYX")
    np.testing.assert_array_equal(viewer.layers[-1].data, expected.data)
    dock.method.name = "levels"
    assert dock.recipe().channel == 0
