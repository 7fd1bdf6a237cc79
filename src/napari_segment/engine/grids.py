"""From one grid to another one that begins at the same voxel."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.engine.label_interpolation import interpolate_labels
from napari_segment.image import Image, Labels, Stack, nearest_index

S = TypeVar("S", bound=Stack)


def with_grid(image: Image, array: Array, axes: str, spacing: tuple[float, ...]) -> Image:
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


def resample_to(stack: S, target: Stack) -> S:
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
    if _is_on_grid_of(stack, target):
        return stack
    data = stack.data
    for letter in target.spatial_axes:
        axis = stack.axes.index(letter)
        nearest = nearest_index(_positions(stack, target, letter))
        data = data[(slice(None),) * axis + (np.minimum(nearest, data.shape[axis] - 1),)]
    return stack.replace(data=data, spacing=target.spacing, affine=target.affine)


def resample_labels_to(labels: Labels, target: Stack) -> Labels:
    """Interpolate labels onto another grid, and bring their maps and boxes along."""
    if _is_on_grid_of(labels, target):
        return labels
    positions = {
        labels.axes.index(letter): _positions(labels, target, letter)
        for letter in target.spatial_axes
    }
    data = interpolate_labels(labels.data, positions)
    back = labels.replace(data=data, spacing=target.spacing, affine=target.affine)
    ratio = dict(zip(labels.spatial_axes, np.divide(labels.spacing, target.spacing), strict=True))
    features = {
        name: np.round(column * ratio[name[5].upper()]).astype(column.dtype)
        if name.startswith("bbox_")
        else column
        for name, column in labels.features.items()
    }
    maps = {name: resample_to(chart, target) for name, chart in labels.maps.items()}
    return back.replace(features=features, maps=maps)


def _is_on_grid_of(stack: Stack, target: Stack) -> bool:
    same = all(stack.size(a) == target.size(a) for a in target.spatial_axes)
    return same and stack.spacing == target.spacing


def _positions(stack: Stack, target: Stack, letter: str) -> NDArray[np.float64]:
    """Positions of the target's voxels along an axis, in voxels of the stack."""
    theirs, own = (s.spacing[s.spatial_axes.index(letter)] for s in (target, stack))
    return np.asarray(np.arange(target.size(letter)) * (theirs / own), np.float64)
