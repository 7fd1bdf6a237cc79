"""Replace what is there by its convex hull."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.image import Holds
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.components import relabel
from napari_segment.results.cleanup.parts import Connectivity, parts_of

_PAD = 0.01  # of a voxel: gives flat objects a hull, and holds what lies on the hull
_FLAT = 1e-9


@cleanups.add(
    "convex_hull",
    title="Convex hull",
    group="shape",
    whole="A hull may reach across the whole image.",
)
def convex_hull(
    labels: NDArray[Any], holds: Holds = "mask", *, connectivity: Connectivity = 1
) -> NDArray[Any]:
    """Fill the convex hull of each component or object.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects.
    holds : {"mask", "classes", "objects"}
        Whether hulls are those of components or of objects.
    connectivity : int
        How many coordinates may differ by one between neighbours, 1 to 3.

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
    from scipy.ndimage import find_objects

    if not labels.size:
        return labels
    parts = np.asarray(relabel(parts_of(labels, holds, connectivity)))
    filled = labels.copy()
    for number, where in enumerate(find_objects(parts), 1):
        own = parts[where] == number
        gap = _hull(own) & (filled[where] == 0)
        filled[where][gap] = labels[where][own][0]
    return filled


def _hull(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Voxels whose centres lie in the convex hull of the centres of a mask that is not empty."""
    from scipy.spatial import ConvexHull

    lines = np.argwhere(mask.any(-1))
    along = mask[mask.any(-1)]
    first, last = along.argmax(1), along.shape[1] - 1 - along[:, ::-1].argmax(1)
    ends = np.concatenate([np.column_stack([lines, side]) for side in (first, last)])
    around = np.array(list(product((-_PAD, _PAD), repeat=mask.ndim)))
    found = ConvexHull((ends[:, None] + around).reshape(-1, mask.ndim))
    # Each plane cuts every line along X at one place.
    across = np.indices(mask.shape[:-1]).reshape(mask.ndim - 1, -1)
    low, high = np.full(across.shape[1], -np.inf), np.full(across.shape[1], np.inf)
    for *normal, slope, offset in np.unique(found.equations, axis=0):
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
