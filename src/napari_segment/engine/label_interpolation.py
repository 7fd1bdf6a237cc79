"""Labels on a finer or coarser grid, by linear interpolation of each label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array, BlockInfo

_SLAB = 2**22  # voxels at once
_TIE = 1e-6  # in the middle between two voxels, towards the one of even index


def interpolate_labels(data: Array, positions: Mapping[int, NDArray[np.float64]]) -> Array:
    """Take, at positions between voxels, the label of largest linearly interpolated weight.

    This is linear interpolation of the indicator of every label, of which the largest wins; so no
    label arises that none of the neighbours has, and no surface moves on average.

    Parameters
    ----------
    data : ndarray or dask Array
        Labels.
    positions : mapping of int to array (N,)
        For each axis that is resampled, the positions of the new voxels in voxels of `data`.

    Returns
    -------
    ndarray or dask Array
        Of the same type; lazy where `data` is.
    """
    axes = sorted(positions)
    split = {axis: _ends(positions[axis], data.shape[axis]) for axis in axes}
    voxels = {axis: (before, after) for axis, (before, after, _) in split.items()}
    corners: list[Any] = [
        _gathered(data, {axis: voxels[axis][end] for axis, end in zip(axes, ends, strict=True)})
        for ends in product((0, 1), repeat=len(axes))
    ]
    fractions = {axis: fraction for axis, (_, _, fraction) in split.items()}
    if isinstance(data, np.ndarray):
        return _voted_in_slabs(corners, fractions)
    import dask.array as da

    corners = [corner.rechunk(corners[0].chunks) for corner in corners]
    return da.map_blocks(_voted_block, *corners, fractions=fractions, dtype=data.dtype)


def _ends(
    position: NDArray[np.float64], size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """The voxels before and after each position, and how far it lies towards the one after."""
    position = np.minimum(position.round(9), size - 1)
    before = np.floor(position).astype(np.intp)
    after = np.minimum(before + 1, size - 1)
    fraction = position - before
    tie = np.where(before % 2, _TIE, -_TIE)
    return before, after, np.where(fraction == 0.5, 0.5 + tie, fraction).astype(np.float64)


def _gathered(data: Array, indices: Mapping[int, NDArray[np.intp]]) -> Array:
    for axis, index in indices.items():
        data = data[(slice(None),) * axis + (index,)]
    return data


def _voted_in_slabs(
    corners: Sequence[NDArray[Any]], fractions: Mapping[int, NDArray[np.float64]]
) -> NDArray[Any]:
    result = np.empty_like(corners[0])
    rows = max(1, _SLAB // max(1, result[:1].size))
    for first in range(0, len(result), rows):
        window = slice(first, first + rows)
        part = {axis: f[window] if axis == 0 else f for axis, f in fractions.items()}
        result[window] = _voted([corner[window] for corner in corners], part)
    return result


def _voted_block(
    *corners: NDArray[Any],
    fractions: Mapping[int, NDArray[np.float64]],
    block_info: BlockInfo | None = None,
) -> NDArray[Any]:
    location = block_info[0]["array-location"] if block_info else [(0, n) for n in corners[0].shape]
    part = {axis: f[slice(*location[axis])] for axis, f in fractions.items()}
    return _voted(corners, part)


def _voted(
    corners: Sequence[NDArray[Any]], fractions: Mapping[int, NDArray[np.float64]]
) -> NDArray[Any]:
    result = corners[0].copy()
    differ = np.zeros(result.shape, bool)
    for corner in corners[1:]:
        differ |= corner != result
    where = np.nonzero(differ)
    if not where[0].size:
        return result
    labels = np.stack([corner[where] for corner in corners])
    weights = _weights([fractions[axis][where[axis]] for axis in sorted(fractions)])
    scores = np.stack([(weights * (labels == label)).sum(0) for label in labels])
    result[where] = np.take_along_axis(labels, scores.argmax(0)[None], 0)[0]
    return result


def _weights(fractions: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The weight of each corner (2^D, N), in the order of `itertools.product`."""
    corners = product((0, 1), repeat=len(fractions))
    return np.stack(
        [
            np.prod([f if end else 1 - f for f, end in zip(fractions, ends, strict=True)], axis=0)
            for ends in corners
        ]
    )
