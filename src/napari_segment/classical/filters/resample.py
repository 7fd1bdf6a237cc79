"""Resample an image or its labels to cubic voxels."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_segment.classical.grid import float_type
from napari_segment.errors import InputError, SettingError
from napari_segment.image import Labels, Stack

S = TypeVar("S", bound=Stack)

_MOST = 65_536  # voxels along an axis


def isotropic(stack: S, spacing: float = 0.0) -> S:
    """Resample along the spatial axes until all voxels are cubes.

    Intensities are interpolated linearly, labels take the nearest voxel's. The first and the last
    voxel stay the ends: the new grid begins at the centre of the first voxel and goes as far as
    the centre of the last. Intensities are not averaged: smooth first (`gaussian`) where voxels
    become much larger.

    Parameters
    ----------
    stack : Image or Labels
        Any axes; in memory or lazy, and the result alike.
    spacing : float
        Of the result in the stack's unit; 0 takes the finest of the stack's own.

    Returns
    -------
    Image or Labels
        With the new spacing and affine. Images are of floats unless nothing had to change.

    Raises
    ------
    SettingError
        If the spacing is negative, or so fine that an axis would have more than 65,536 voxels.

    Examples
    --------
    >>> from napari_segment.image import Image
    >>> isotropic(Image(np.zeros((5, 8, 8)), spacing=(2, 1, 1))).shape
    (9, 8, 8)
    """
    if not 0 <= spacing < np.inf:
        raise SettingError(
            f"The spacing is {spacing}: give a positive length, or 0 for the finest."
        )
    if 0 in stack.shape:
        raise InputError(f"An empty stack (shape {stack.shape}) cannot be resampled.")
    wanted = spacing or min(stack.spacing)
    data, factors = stack.data, []
    for letter, own in zip(stack.spatial_axes, stack.spacing, strict=True):
        length = stack.size(letter)
        count = int(np.floor((length - 1) * own / wanted + 1e-6)) + 1
        if count > _MOST:
            raise SettingError(
                f"A spacing of {wanted:g} would give {count:,} voxels along {letter}. Its own "
                f"spacing is {own:g}: give a wider one."
            )
        factors.append(wanted / own)
        if count != length or not np.isclose(wanted, own):
            position = np.minimum(np.arange(count) * (wanted / own), length - 1)
            data = _along(data, stack.axes.index(letter), position, isinstance(stack, Labels))
    affine = stack.affine
    if affine is not None:
        affine = affine @ np.diag([*factors, 1.0])
    return stack.replace(data=data, spacing=(wanted,) * len(factors), affine=affine)


def _along(data: Any, axis: int, position: NDArray[np.float64], nearest: bool) -> Any:
    def taken(index: NDArray[np.int64]) -> Any:
        return data[(slice(None),) * axis + (index,)]

    if nearest:
        return taken(np.floor(position + 0.5).astype(np.int64))
    before = np.floor(position).astype(np.int64)
    after = np.minimum(before + 1, data.shape[axis] - 1)
    dtype = float_type(data.dtype)
    weight = (position - before).astype(dtype).reshape((-1,) + (1,) * (data.ndim - 1 - axis))
    return taken(before).astype(dtype) * (1 - weight) + taken(after).astype(dtype) * weight
