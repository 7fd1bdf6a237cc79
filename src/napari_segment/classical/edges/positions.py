"""Where edges lie between voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.classical.edges.canny import canny
from napari_segment.classical.edges.stencil import SOBEL, Response, gradient
from napari_segment.classical.filters.separable import convolve, gaussian_kernel
from napari_segment.classical.grid import checked, in_voxels


def edge_positions(
    image: NDArray[Any],
    spacing: Sequence[float] = (),
    *,
    sigma: float = 1.0,
    low: float = 0.1,
    high: float = 0.2,
) -> NDArray[np.float64]:
    """Locate the edges that `canny` marks to a fraction of a voxel.

    A parabola is laid through the gradient magnitude at each marked voxel and at the two points
    where the gradient's direction leaves the cube of its neighbours (cubic splines in between);
    its top is the edge.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type, in memory.
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1.
    sigma, low, high : float
        As of `canny`.

    Returns
    -------
    array (N, D)
        Positions in the unit of the spacing, of the marked voxels in C order; the centre of the
        first voxel is 0. None lies farther from its voxel than its neighbours do.

    Examples
    --------
    >>> ramp = np.tile(np.clip(np.arange(12) - 5.25, 0, 1), (9, 1))  # half way up at x = 5.75
    >>> edge_positions(ramp, low=0.5, high=0.5)[:, 1].mean().round(2)
    np.float64(5.75)
    """
    from scipy.ndimage import map_coordinates, spline_filter

    spacing = checked(image, spacing)
    found = np.argwhere(canny(image, spacing, sigma=sigma, low=low, high=high))
    if not len(found):
        return np.empty((0, image.ndim))
    smooth = convolve(image, [gaussian_kernel(s) for s in in_voxels(sigma, spacing)])
    here = tuple(found.T)
    axes: tuple[Response, ...] = ("z", "y", "x")
    slope = np.stack(
        [gradient(smooth, spacing, SOBEL, a)[here] for a in axes[-image.ndim :]], axis=1
    )
    step = slope / np.array(spacing)
    step /= np.abs(step).max(1, keepdims=True)
    strength = gradient(smooth, spacing, SOBEL, "magnitude")
    spline = spline_filter(np.nan_to_num(strength), output=np.float64, mode="nearest")
    ahead, behind = (
        map_coordinates(spline, (found + side * step).T, mode="nearest", prefilter=False)
        for side in (1, -1)
    )
    bend = 2 * strength[here] - ahead - behind
    shift = np.divide(ahead - behind, 2 * bend, out=np.zeros(len(found)), where=bend > 0)
    positions = found + np.clip(shift, -1, 1)[:, None] * step
    return np.asarray(positions * np.array(spacing))
