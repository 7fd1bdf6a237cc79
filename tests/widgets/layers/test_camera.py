"""The view goes to a voxel."""

import numpy as np
from napari.components import ViewerModel

from napari_segment.widgets.layers.camera import look_at


def test_sliders_and_camera_go_to_a_voxel_in_the_units_of_the_viewer():
    viewer = ViewerModel()
    viewer.add_image(np.zeros((2, 9, 20, 30)), name="longer", units=("um",) * 4)
    layer = viewer.add_labels(
        np.zeros((9, 20, 30), int), scale=(2, 0.5, 0.5), translate=(0, 1, 2), units=("um",) * 3
    )
    look_at(viewer, layer, [3.4, 10.0, 4.0])
    assert viewer.dims.point[1] == 6.0
    assert viewer.scene.camera.center == (0.0, 6.0, 4.0)
    viewer.dims.ndisplay = 3
    look_at(viewer, layer, [3.0, 0.0, 0.0])
    assert viewer.scene.camera.center == (6.0, 1.0, 2.0)
