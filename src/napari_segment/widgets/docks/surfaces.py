"""The command that shows the objects of a Labels layer as surfaces."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from napari.layers import Labels as LabelsLayer
from napari.utils.notifications import show_info, show_warning
from napari.viewer import Viewer

from napari_segment.blocks.surfaces import Surface, surfaces
from napari_segment.errors import SegmentError, message_of
from napari_segment.image import Labels
from napari_segment.widgets.jobs.threads import call_in_thread
from napari_segment.widgets.layers.conversion import labels_of


def add_surfaces(viewer: Viewer) -> None:
    """Add a Surface layer with the objects of the selected Labels layer, in their colours."""
    layer = viewer.layers.selection.active
    if not isinstance(layer, LabelsLayer):
        show_warning("Surfaces are made of labels: select a Labels layer.")
        return
    try:
        labels = labels_of(layer)
    except SegmentError as error:
        show_warning(str(error))
        return
    pixels = labels.replace(spacing=(), affine=None)  # the layer is placed as that of the labels
    show_info(f"Making surfaces of {layer.name!r} …")
    call_in_thread(partial(_made, pixels), partial(_add, viewer, layer))


def _made(labels: Labels) -> tuple[str, list[Surface]]:
    return labels.axes, list(surfaces(labels.compute()))


def _add(viewer: Any, layer: LabelsLayer, made: Any, error: Exception | None) -> None:
    if error is not None:
        show_warning(message_of(error))
        return
    axes, parts = made
    if not parts:
        show_warning(f"{layer.name!r} has no labels: there is no surface.")
        return
    vertices = np.concatenate([_corners(surface, axes) for surface in parts])
    starts = np.cumsum([0, *(len(surface.vertices) for surface in parts)])
    faces = np.concatenate([s.faces + first for s, first in zip(parts, starts, strict=False)])
    colors = [np.tile(layer.get_color(s.label), (len(s.vertices), 1)) for s in parts]
    names = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")
    viewer.add_surface(
        (vertices, faces),
        vertex_colors=np.concatenate(colors),
        name=f"{layer.name} surfaces",
        shading="smooth",
        **{name: getattr(layer, name) for name in names},
    )
    show_info(f"{len(parts):,} {'surface' if len(parts) == 1 else 'surfaces'}; see them in 3D.")


def _corners(surface: Surface, axes: str) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The corners with a column for each dimension of the layer."""
    columns = dict(zip("ZYX", surface.vertices.T, strict=True))
    time = np.full(len(surface.vertices), surface.time, np.float32)
    return np.stack([columns.get(axis, time) for axis in axes], axis=-1)
