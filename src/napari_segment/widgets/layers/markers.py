"""Markers placed by hand in the window: the points or numbers of a layer, on an image's grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_segment.api import marked
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.widgets.layers.conversion import image_of, in_units, labels_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


def markers_of(viewer: Viewer, layer: Layer, source: Layer, axes: str) -> Labels:
    """Return a Labels layer's numbers, or a Points layer's points, as markers on an image's grid.

    Parameters
    ----------
    viewer : napari Viewer
        Of both layers.
    layer : napari Labels or Points layer
        Points are numbered from 1 in their order, each at the voxel nearest to it. What stands at
        any channel is meant for all.
    source : napari layer
        The image whose grid the markers are wanted on, less C.
    axes : str
        The letters of the source's dimensions, C of RGB left out.

    Raises
    ------
    InputError
        If there is no point in the image, or the layer lacks one of its dimensions.
    """
    image = image_of(source, axes).channel(0)
    if hasattr(layer, "selected_label"):
        return _painted(layer, image, axes)
    missing = axes[: max(0, source.ndim - layer.ndim)].replace("C", "")
    if missing:
        raise InputError(
            f"The points of {layer.name!r} have no {missing[-1]}: the layer has {layer.ndim} "
            f"dimensions, the image {source.ndim} ({axes}). Add a Points layer while the image is "
            "in view, and place them there."
        )
    columns = [i for i, a in enumerate(axes) if a != "C"]
    return marked(_voxels(viewer, layer, source)[:, columns], layer.name, image)


def _painted(layer: Layer, image: Image, axes: str) -> Labels:
    """Return a Labels layer as markers, without the channels that it shares with the image."""
    if "C" in axes and layer.ndim == len(axes):
        painted = np.max(layer.data, axis=axes.index("C"))
        return Labels(painted, image.axes, **image.geometry())
    return labels_of(layer, image.axes if layer.ndim == len(image.axes) else "")


def _voxels(viewer: Viewer, points: Layer, source: Layer) -> NDArray[np.intp]:
    """Return the voxels of a layer (N, D) nearest to the points of another one."""
    n = min(points.ndim, source.ndim)
    voxels = np.zeros((len(points.data), source.ndim), np.intp)
    for number, point in enumerate(points.data):
        world = np.asarray(points.data_to_world(point))[-n:]
        if viewer.layers.units is not None:
            world = in_units(world, points.units[-n:], source.units[-n:])
        voxels[number] = np.rint(source.world_to_data(world))
    return voxels
