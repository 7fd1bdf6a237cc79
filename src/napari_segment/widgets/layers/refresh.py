"""Refresh of a Labels layer where its data were changed in place, and nowhere else."""

# ruff: noqa: SLF001 - napari has no public function that draws a part of a layer

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari.layers import Labels as LabelsLayer

_SEVERAL = 20  # boxes that are refreshed one by one; more are refreshed together


def refresh_boxes(layer: LabelsLayer, boxes: Sequence[tuple[slice, ...]]) -> None:
    """Show what was written to boxes of a layer's data.

    Parameters
    ----------
    layer : napari Labels layer
        Whose data were changed in place.
    boxes : sequence of tuple of slice
        Where, along every axis of the data.
    """
    try:
        for box in boxes:
            _show(layer, box)
            if len(boxes) <= _SEVERAL:
                layer._partial_labels_refresh()
        layer._partial_labels_refresh()
    except (AttributeError, TypeError, ValueError, IndexError):  # of another napari
        layer.refresh()


def _show(layer: LabelsLayer, box: tuple[slice, ...]) -> None:
    """Bring a box into what napari has prepared of the plane or volume in view."""
    image = layer._slice.image
    if not layer._slicing_state.loaded or layer._slice.empty:
        layer.refresh()
        return
    update = layer._get_update_slices(box)
    if update is None:
        return
    region, view = tuple(update[0]), tuple(update[1])
    in_memory = isinstance(layer.data, np.ndarray)
    if not (in_memory and np.may_share_memory(layer.data, image.raw)):
        part = np.asarray(layer.data[box])[region]
        image.raw[view] = layer._align_data_to_view(part, part != 0)[0]
    if layer.contour == 0 and not np.may_share_memory(image.raw, image.view):
        image.view[view] = layer.colormap._data_to_texture(image.raw[view])
    layer._accumulate_updated_slice(box)
