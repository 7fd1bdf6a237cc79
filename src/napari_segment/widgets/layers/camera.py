"""The camera and the sliders, moved to a voxel of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_segment.widgets.layers.conversion import go_to, in_units

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


def look_at(viewer: Viewer, layer: Layer, voxel: Sequence[float]) -> None:
    """Move the sliders and the camera to a voxel.

    Parameters
    ----------
    viewer : napari Viewer
        Whose view moves; the zoom stays.
    layer : napari layer
        Whose voxel it is.
    voxel : sequence of float
        The position along every axis of the layer's data.
    """
    offset = viewer.dims.ndim - layer.ndim
    for axis, position in enumerate(voxel):
        if axis + offset not in viewer.dims.displayed:
            go_to(viewer, layer, axis, round(float(position)))
    world = np.asarray(layer.data_to_world(np.asarray(voxel, float)), float)
    units = viewer.layers.units
    if units is not None:
        world = in_units(world, layer.units, units[-layer.ndim :])
    shown = [world[d - offset] if d >= offset else 0.0 for d in viewer.dims.displayed]
    z, y, x = [0.0] * (3 - len(shown)) + [float(value) for value in shown]
    viewer.scene.camera.center = (z, y, x)
