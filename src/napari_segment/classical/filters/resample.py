"""Resample an image or its labels to cubic voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.classical.grid import checked, float_type
from napari_segment.errors import InputError, SettingError
from napari_segment.image import Labels, Spacing, Stack, nearest_index
from napari_segment.registry import Regridded, filters

S = TypeVar("S", bound=Stack)
Side: TypeAlias = Annotated[float, Field(gt=0)] | Literal["auto"]

_MOST = 65_536  # voxels along an axis


def isotropic(stack: S, spacing: float | Literal["auto"] = "auto") -> S:
    """Resample along the spatial axes until all voxels are cubes.

    Intensities are interpolated linearly, labels take the nearest voxel's. The first and the last
    voxel stay the ends: the new grid begins at the centre of the first voxel and goes as far as
    the centre of the last. Intensities are not averaged: smooth first (`gaussian`) where voxels
    become much larger.

    Parameters
    ----------
    stack : Image or Labels
        Any axes; in memory or lazy, and the result alike.
    spacing : float or "auto"
        Spacing of the result in the stack's unit; "auto" takes the finest of the stack's own.

    Returns
    -------
    Image or Labels
        With the new spacing and affine. Images are of floats unless nothing had to change.

    Raises
    ------
    SettingError
        If the spacing is not positive, or so fine that an axis would have more than 65,536 voxels.

    Examples
    --------
    >>> from napari_segment.image import Image
    >>> isotropic(Image(np.zeros((5, 8, 8)), spacing=(2, 1, 1))).shape
    (9, 8, 8)
    """
    if spacing != "auto" and not 0 < spacing < np.inf:
        raise SettingError(
            f"The spacing is {spacing}: give a positive length, or 'auto' for the finest."
        )
    wanted = min(stack.spacing) if spacing == "auto" else spacing
    axes = [stack.axes.index(letter) for letter in stack.spatial_axes]
    data = _resampled(stack.data, axes, stack.spacing, wanted, isinstance(stack, Labels))
    affine = stack.affine
    if affine is not None:
        affine = affine @ np.diag([*(wanted / own for own in stack.spacing), 1.0])
    return stack.replace(data=data, spacing=(wanted,) * len(axes), affine=affine)


@filters.add("isotropic", title="Cubic voxels", group="grid")
def isotropic_filter(image: Array, spacing: Spacing = (), *, side: Side = "auto") -> Regridded:
    """Resample to cubic voxels; what follows works on these, the labels fit the image again.

    Intensities are interpolated linearly and not averaged: smooth first (`gaussian`) where voxels
    become much larger. What counts in voxels afterwards (windows, sizes) counts cubic ones.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    side : float or "auto"
        Side of the cubes in the unit of the spacing; "auto" takes the finest spacing.

    Returns
    -------
    Regridded
        The array, of floats unless nothing had to change, and its spacing. The first and the last
        voxel stay the ends.

    Examples
    --------
    >>> isotropic_filter(np.array([[0, 2], [4, 6]]), (2.0, 1.0)).array
    array([[0., 2.],
           [2., 4.],
           [4., 6.]])
    """
    spacing = checked(image, spacing)
    wanted = min(spacing) if side == "auto" else side
    array = _resampled(image, range(image.ndim), spacing, wanted, nearest=False)
    return Regridded(array, (wanted,) * image.ndim)


def _resampled(
    data: Array, axes: Sequence[int], spacing: Sequence[float], wanted: float, nearest: bool
) -> Array:
    """An array on a grid of one spacing along some axes."""
    if 0 in data.shape:
        raise InputError(f"An empty stack (shape {data.shape}) cannot be resampled.")
    for axis, own in zip(axes, spacing, strict=True):
        length = data.shape[axis]
        count = int(np.floor((length - 1) * own / wanted + 1e-6)) + 1
        if count > _MOST:
            raise SettingError(
                f"A spacing of {wanted:g} would give {count:,} voxels along axis {axis}. Its own "
                f"spacing is {own:g}: give a wider one."
            )
        if count != length or not np.isclose(wanted, own):
            position = np.minimum(np.arange(count) * (wanted / own), length - 1)
            data = _along(data, axis, position, nearest)
    return data


def _along(data: Array, axis: int, position: NDArray[np.float64], nearest: bool) -> Array:
    def taken(index: NDArray[np.int64]) -> Array:
        return data[(slice(None),) * axis + (index,)]

    if nearest:
        return taken(nearest_index(position))
    position = position.round(9)  # so that what lies on a voxel takes no part of the next
    before, after = (end(position).astype(np.int64) for end in (np.floor, np.ceil))
    dtype = float_type(data.dtype)
    share = np.where(after == before, 0.5, position - before)
    weight = share.astype(dtype).reshape((-1,) + (1,) * (data.ndim - 1 - axis))
    return taken(before).astype(dtype) * (1 - weight) + taken(after).astype(dtype) * weight
