"""From one voxel grid to another, both over the same field of view.

Voxel centres are aligned at the field's borders as in ``torch.nn.functional.interpolate`` with
``align_corners=False``: voxel ``i`` of N lies where voxel ``(i + 0.5) M / N - 0.5`` of M does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Sliceable
from napari_segment.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def resampled_shape(
    shape: Sequence[int], spacing: Sequence[float], target: Sequence[float]
) -> tuple[int, ...]:
    """Return how many voxels of another spacing cover the same field, at least 1 an axis.

    Parameters
    ----------
    shape : sequence of int
        Of the spatial axes.
    spacing, target : sequence of float
        The present and the wanted distance between voxels, in the same unit.

    Examples
    --------
    >>> resampled_shape((20, 100), (2.0, 0.5), (1.0, 1.0))
    (40, 50)
    """
    if not len(shape) == len(spacing) == len(target):
        raise InputError(
            f"A spacing of {tuple(spacing)} cannot be brought to {tuple(target)} for an image of "
            f"shape {tuple(shape)}: give one number for each axis."
        )
    triples = zip(shape, spacing, target, strict=True)
    return tuple(max(1, round(n * s / t)) for n, s, t in triples)


def coordinates(size: int, target: int) -> NDArray[np.float64]:
    """Where the `target` voxels of a new axis lie on an old axis of `size`, inside its ends."""
    positions = (np.arange(target) + 0.5) * (size / target) - 0.5
    return np.clip(positions, 0, size - 1)


def resample(array: NDArray[Any], shape: Sequence[int], order: int = 1) -> NDArray[Any]:
    """Bring an array to another shape.

    Parameters
    ----------
    array : ndarray (..., *S)
        Leading axes are unchanged.
    shape : sequence of int
        The new size of the last axes.
    order : {0, 1}
        0 takes the nearest voxel and keeps the type (labels), 1 interpolates linearly to float32.

    Returns
    -------
    ndarray (..., *shape)
    """
    shape = tuple(shape)
    if array.shape[array.ndim - len(shape) :] == shape:
        return array if order == 0 else array.astype(np.float32, copy=False)
    if order == 0:
        return _nearest(array, shape)
    import torch

    values = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    first = array.ndim - len(shape)
    for axis, target in enumerate(shape, first):
        values = interpolate(values, axis, coordinates(array.shape[axis], target))
    result: NDArray[np.float32] = values.numpy()
    return result


def _nearest(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    first = array.ndim - len(shape)
    for axis, target in enumerate(shape, first):
        array = np.take(array, _nearest_indices(array.shape[axis], target), axis=axis)
    return array


def _nearest_indices(size: int, target: int) -> NDArray[np.intp]:
    index = np.floor((np.arange(target) + 0.5) * (size / target)).astype(np.intp)
    return np.minimum(index, size - 1)


def nearest_rows(array: Sliceable, shape: Sequence[int], rows: slice) -> NDArray[Any]:
    """Some rows of the first axis of what `resample` with order 0 gives, reading no others.

    Parameters
    ----------
    array : array (*S)
        NumPy, Dask or zarr.
    shape : sequence of int
        The new size.
    rows : slice
        Of the first axis of the new grid, with its start and stop.

    Returns
    -------
    ndarray (rows, *shape[1:])
    """
    index = _nearest_indices(array.shape[0], shape[0])[rows]
    block = np.asarray(array[(slice(index[0], index[-1] + 1),)])
    return _nearest(np.take(block, index - index[0], axis=0), (len(index), *shape[1:]))


def interpolate(values: Tensor, axis: int, positions: NDArray[np.float64]) -> Tensor:
    """Interpolate linearly at fractional positions along one axis of a tensor."""
    import torch

    below = np.floor(positions).astype(np.int64)
    above = np.minimum(below + 1, values.shape[axis] - 1)
    part = np.asarray(positions - below, np.float32)
    if not part.any():
        return values.index_select(axis, torch.from_numpy(below).to(values.device))
    shape = [1] * values.ndim
    shape[axis] = -1
    weight = torch.from_numpy(part).to(values.device).reshape(shape)
    first = values.index_select(axis, torch.from_numpy(below).to(values.device))
    second = values.index_select(axis, torch.from_numpy(above).to(values.device))
    return first.lerp_(second, weight)


class Resampled:
    """A view of an array on another grid, computed where it is read.

    Parameters
    ----------
    array : array (C, *S)
        NumPy, Dask, zarr, or another view.
    shape : sequence of int
        The new spatial size.
    """

    def __init__(self, array: Sliceable, shape: Sequence[int]) -> None:
        self.array = array
        self.shape = (int(array.shape[0]), *(int(s) for s in shape))
        self.ndim = len(self.shape)
        self.dtype = np.dtype(np.float32)
        sizes = zip(array.shape[1:], self.shape[1:], strict=True)
        self._coordinates = [coordinates(size, target) for size, target in sizes]

    def __getitem__(self, where: tuple[slice, ...]) -> NDArray[np.float32]:
        import torch

        channels, *spatial = where
        spatial += [slice(None)] * (len(self._coordinates) - len(spatial))
        positions = [p[w] for p, w in zip(self._coordinates, spatial, strict=True)]
        first = [int(p[0]) for p in positions]
        last = [
            min(int(np.floor(p[-1])) + 1, size - 1)
            for p, size in zip(positions, self.array.shape[1:], strict=True)
        ]
        read = tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))
        block = np.ascontiguousarray(np.asarray(self.array[(channels, *read)]), np.float32)
        values = torch.from_numpy(block)
        for axis, (position, start) in enumerate(zip(positions, first, strict=True), 1):
            values = interpolate(values, axis, position - start)
        result: NDArray[np.float32] = values.numpy()
        return result


class Neighbours:
    """A view of a stack in which each plane brings its neighbours as channels (2.5-D).

    Parameters
    ----------
    array : array (C, Z, Y, X)
        The stack.
    slices : int
        Planes that are seen at once, odd; channel ``k C + c`` is channel c of plane
        ``z + k - slices // 2``. Beyond the ends planes are repeated.
    """

    def __init__(self, array: Sliceable, slices: int) -> None:
        self.array, self.slices = array, slices
        self.shape = (int(array.shape[0]) * slices, *array.shape[1:])
        self.ndim, self.dtype = 4, array.dtype

    def __getitem__(self, where: tuple[slice, ...]) -> NDArray[Any]:
        _, planes, *rest = (*where, *(slice(None),) * (4 - len(where)))
        count = self.array.shape[1]
        centres = np.arange(count)[planes]
        shifts = np.arange(self.slices) - self.slices // 2
        wanted = np.clip(centres[None, :] + shifts[:, None], 0, count - 1)
        low, high = int(wanted.min()), int(wanted.max())
        block = np.asarray(self.array[(slice(None), slice(low, high + 1), *rest)])
        return np.concatenate([block[:, row - low] for row in wanted])
