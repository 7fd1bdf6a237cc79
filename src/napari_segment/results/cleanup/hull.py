"""Replace what is there by its convex hull."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array, Lazy
from napari_segment.blocks import Location, assemble, boxes, is_lazy, map_regions, regions
from napari_segment.image import Holds
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.components import relabel
from napari_segment.results.cleanup.instances import Connectivity, instances_of

_PAD = 0.01  # of a voxel: gives flat objects a hull, and holds what lies on the hull
_FLAT = 1e-9


@cleanups.add("convex_hull", title="Convex hull", group="shape")
def convex_hull(labels: Array, holds: Holds = "mask", *, connectivity: Connectivity = 1) -> Any:
    """Fill the convex hull of each component or object.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    holds : {"mask", "classes", "objects"}
        Whether hulls are those of components or of objects.

    Returns
    -------
    array
        As `labels`; every voxel whose centre lies in the hull of the centres is filled. Only
        background is filled; where hulls meet, the first one (by first voxel) wins.

    Examples
    --------
    >>> convex_hull(np.array([[1, 0, 0], [1, 0, 0], [1, 1, 1]])).astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [1, 1, 1]])
    """
    if not labels.size:
        return labels
    parts = instances_of(labels, holds, connectivity)
    parts = relabel(parts) if holds == "objects" else parts
    if is_lazy(labels):
        return _filled_lazily(labels, parts)
    filled = labels.copy()
    for number, box in zip(*boxes(parts), strict=True):
        where = tuple(slice(a, b) for a, b in box)
        own = parts[where] == number
        filled[where][_hull(own) & (filled[where] == 0)] = labels[where][own][0]
    return filled


def _hulls(
    _location: Location, parts: NDArray[Any], labels: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[Any]]:
    """Return the part in whose hull each voxel lies, the first of several; 0 outside.

    Then all numbers of parts, rising, and the label of each.
    """
    ids, bounds = boxes(parts)
    owner = np.zeros_like(parts)
    values = np.zeros(len(ids), labels.dtype)
    for i, (number, box) in enumerate(zip(ids, bounds, strict=True)):
        where = tuple(slice(a, b) for a, b in box)
        own = parts[where] == number
        values[i] = labels[where][own][0]
        owner[where][_hull(own) & (owner[where] == 0)] = number
    return owner, ids, values


def _filled(labels: NDArray[Any], hulls: Sequence[tuple[Any, Any, Any]]) -> NDArray[Any]:
    """Give background the label of the first part in whose hull it lies."""
    filled = labels.copy()
    first = np.zeros(labels.shape, hulls[0][2][0].dtype if hulls else np.uint8)
    for here, there, (owners, ids, values) in hulls:
        owner, before = owners[there], first[here]
        gap = (labels[here] == 0) & (owner > 0) & ((before == 0) | (owner < before))
        before[gap] = owner[gap]
        filled[here][gap] = values[np.searchsorted(ids, owner[gap])]
    return filled


def _filled_lazily(labels: Lazy, parts: Lazy) -> Lazy:
    """Fill hulls region by region; parts that reach across blocks are gathered from them."""
    labels = labels.rechunk(parts.chunks)
    groups = regions(*boxes(parts), parts.chunks)
    hulls = map_regions(_hulls, groups, parts, labels)
    return assemble(_filled, groups, hulls, labels, dtype=labels.dtype)


def _hull(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the voxels whose centres lie in the convex hull of those of a non-empty mask."""
    from scipy.spatial import ConvexHull

    lines = np.argwhere(mask.any(-1))
    along = mask[mask.any(-1)]
    first, last = along.argmax(1), along.shape[1] - 1 - along[:, ::-1].argmax(1)
    ends = np.concatenate([np.column_stack([lines, side]) for side in (first, last)])
    around = np.array(list(product((-_PAD, _PAD), repeat=mask.ndim)))
    hull = ConvexHull((ends[:, None] + around).reshape(-1, mask.ndim))
    # Each plane cuts every line along X at one place.
    across = np.indices(mask.shape[:-1]).reshape(mask.ndim - 1, -1)
    low, high = np.full(across.shape[1], -np.inf), np.full(across.shape[1], np.inf)
    for *normal, slope, offset in np.unique(hull.equations, axis=0):
        height = -(np.array(normal) @ across + offset)
        if abs(slope) < _FLAT:
            high[height < -_FLAT] = -np.inf
        elif slope > 0:
            high = np.minimum(high, height / slope)
        else:
            low = np.maximum(low, height / slope)
    x = np.arange(mask.shape[-1])
    inside = (x >= low[:, None] - _FLAT) & (x <= high[:, None] + _FLAT)
    return np.asarray(inside.reshape(mask.shape))
