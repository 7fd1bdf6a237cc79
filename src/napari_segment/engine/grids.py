"""From one grid to another of the same place, by nearest neighbour."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from napari_segment.image import Image, Labels, Stack

S = TypeVar("S", bound=Stack)


def regridded(image: Image, array: Any, axes: str, spacing: tuple[float, ...]) -> Image:
    """An image with the pixels and the spacing that a filter gave it.

    Parameters
    ----------
    image : Image
        What the filter was given.
    array, axes
        What it made of that.
    spacing : tuple of float
        Along the last spatial axes; the others keep theirs.
    """
    new = (*image.spacing[: len(image.spacing) - len(spacing)], *spacing)
    affine = image.affine
    if affine is not None and spacing:
        affine = affine @ np.diag([*np.divide(new, image.spacing), 1.0])
    return image.replace(data=array, axes=axes, spacing=new, affine=affine)


def on_grid_of(stack: S, target: Stack) -> S:
    """Take the nearest voxel for each voxel of another grid that begins at the same place.

    Parameters
    ----------
    stack : Image or Labels
        With the spatial axes of `target`.
    target : Stack
        The grid to come onto.

    Returns
    -------
    Image or Labels
        With the spacing and affine of `target`; `stack` itself where the grids are the same.
    """
    same = [stack.size(a) == target.size(a) for a in target.spatial_axes]
    if all(same) and stack.spacing == target.spacing:
        return stack
    data = stack.data
    ours = dict(zip(stack.spatial_axes, stack.spacing, strict=True))
    for letter, theirs in zip(target.spatial_axes, target.spacing, strict=True):
        axis = stack.axes.index(letter)
        position = np.arange(target.size(letter)) * (theirs / ours[letter])
        nearest = np.minimum(np.floor(position + 0.5).astype(np.int64), data.shape[axis] - 1)
        data = data[(slice(None),) * axis + (nearest,)]
    return stack.replace(data=data, spacing=target.spacing, affine=target.affine)


def labels_on_grid_of(labels: Labels, target: Stack) -> Labels:
    """`on_grid_of` for labels, with what is told beside them: maps, and boxes in pixels."""
    back = on_grid_of(labels, target)
    if back is labels:
        return labels
    ratio = dict(zip(labels.spatial_axes, np.divide(labels.spacing, target.spacing), strict=True))
    features = {
        name: np.round(column * ratio[name[5].upper()]).astype(column.dtype)
        if name.startswith("bbox_")
        else column
        for name, column in labels.features.items()
    }
    maps = {name: on_grid_of(chart, target) for name, chart in labels.maps.items()}
    return back.replace(features=features, maps=maps)
