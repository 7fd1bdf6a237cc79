"""What is computed object by object: hulls, meshes, inscribed balls and quantiles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.results.distance import distance_to_others

Array = NDArray[Any]

QUANTILES = (25, 50, 75)

_BLUR = 0.6, 0.9  # of the coarsest, and at least of the finest step: rounds the steps off


def hull(mask: NDArray[np.bool_], spacing: tuple[float, ...]) -> tuple[float, float]:
    """Measure the convex hull of the voxels, with their full extent.

    Parameters
    ----------
    mask : array (Y, X) or (Z, Y, X)
        One object.
    spacing : tuple of float
        Distance between voxels along each axis.

    Returns
    -------
    size : float
        Area or volume of the hull.
    diameter : float
        Largest distance between two of its points: the Feret diameter.
    """
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import pdist

    points = _corners(mask) * spacing
    convex = ConvexHull(points)
    return float(convex.volume), float(pdist(points[convex.vertices]).max())


def _corners(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the corners of the first and last voxel of each line along X, the only extremes."""
    lines = np.argwhere(mask.any(-1))
    along = mask[mask.any(-1)]
    first, last = along.argmax(1), along.shape[1] - along[:, ::-1].argmax(1)
    ends = [np.column_stack([lines, side]) for side in (first, last)]
    points = np.concatenate(ends)
    for axis in range(mask.ndim - 1):
        step = np.zeros(mask.ndim, np.int64)
        step[axis] = 1
        points = np.concatenate([points, points + step])
    return np.unique(points, axis=0)


def mesh_surface(mask: NDArray[np.bool_], spacing: tuple[float, ...]) -> float:
    """Return the area of a triangle mesh around the smoothed object; in 2-D length of its contour.

    Parameters
    ----------
    mask : array (Y, X) or (Z, Y, X)
        One object.
    spacing : tuple of float
        Distance between voxels along each axis.

    Notes
    -----
    Marching cubes (Lewiner et al. 2003, doi:10.1080/10867651.2003.10487582) around the mask as it
    is would follow its steps and overestimate a ball by 8 %. So it is smoothed, equally far in
    space along every axis, and the mesh drawn where it holds as many voxels as before.
    """
    from scipy.ndimage import gaussian_filter
    from skimage.measure import find_contours, marching_cubes, mesh_surface_area

    width = max(_BLUR[0] * max(spacing), _BLUR[1] * min(spacing))
    blur = [width / step for step in spacing]
    around = [(int(4 * sigma) + 2,) * 2 for sigma in blur]
    soft = gaussian_filter(np.pad(mask, around).astype(np.float32), blur)
    rank = soft.size - np.count_nonzero(mask)
    level = float(np.partition(soft, (rank - 1, rank), axis=None)[rank - 1 : rank + 1].mean())
    if mask.ndim == 3:
        vertices, faces, _, _ = marching_cubes(soft, level, spacing=spacing)
        return float(mesh_surface_area(vertices, faces))
    contours = find_contours(soft, level)
    steps = [np.diff(line * spacing, axis=0) for line in contours]
    return float(sum(np.linalg.norm(s, axis=1).sum() for s in steps))


def inscribed_radius(mask: NDArray[np.bool_], spacing: tuple[float, ...]) -> float:
    """Return the radius of the largest disc or ball inside: the largest distance to the outside.

    Parameters
    ----------
    mask : array (Y, X) or (Z, Y, X)
        One object.
    spacing : tuple of float
        Distance between voxels along each axis; half the smallest is taken off, for the surface
        lies between the voxels.
    """
    distance = distance_to_others(np.pad(mask, 1), spacing)
    return float(distance.max()) - min(spacing) / 2


def quantiles(values: Array) -> Array:
    """Return the 25th, 50th and 75th percentile, interpolated."""
    return np.asarray(np.percentile(values, QUANTILES))
