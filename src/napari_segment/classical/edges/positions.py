"""Where edges lie between voxels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import accumulate, pairwise, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import computed, is_lazy
from napari_segment.classical.edges.canny import canny
from napari_segment.classical.edges.stencil import SOBEL, Response, gradient
from napari_segment.classical.filters.separable import convolve, gaussian_kernel
from napari_segment.classical.grid import LONGEST, checked, in_voxels

_OPERATOR = 1 / 3 + 1 / 12  # variance that differences and voxels add, in squared voxels
_SPLINE = 20  # voxels beyond which a cubic spline feels 1e-11 of a value

Points = NDArray[np.float64]


def edge_positions(
    image: Array,
    spacing: Sequence[float] = (),
    *,
    sigma: float = 1.0,
    low: float = 0.1,
    high: float = 0.2,
) -> NDArray[np.float64]:
    """Locate the edges that `canny` marks to a fraction of a voxel.

    A parabola is laid through the gradient magnitude at each marked voxel and at the two points
    where the gradient's direction leaves the cube of its neighbours (cubic splines in between);
    its top is the edge. Smoothing moves every curved edge towards its centre, by half of its
    variance times the curvature along the edge: that is taken back, as far as half a voxel of the
    finest axis. The curvature is that of the image smoothed by at least the widest spacing, at
    which the grid is no longer seen.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    spacing : sequence of float
        Distance between neighbours along each axis; empty for 1.
    sigma, low, high : float
        As of `canny`.

    Returns
    -------
    array (N, D)
        Positions in the unit of the spacing, of the marked voxels in C order; the centre of the
        first voxel is 0.

    References
    ----------
    H. Bouma, A. Vilanova, L. J. van Vliet and F. A. Gerritsen, "Correction for the dislocation of
    curved surfaces caused by the PSF in 2D and 3D CT images", IEEE Transactions on Pattern Analysis
    and Machine Intelligence 27(9), 1501–1507, 2005. :doi:`10.1109/TPAMI.2005.193`

    Examples
    --------
    >>> ramp = np.tile(np.clip(np.arange(12) - 5.25, 0, 1), (9, 1))  # half way up at x = 5.75
    >>> edge_positions(ramp, low=0.5, high=0.5)[:, 1].mean().round(2)
    np.float64(5.75)
    """
    spacing = checked(image, spacing)
    marked = canny(image, spacing, sigma=sigma, low=low, high=high)
    return edge_points(image, marked, spacing, sigma=sigma).positions


@dataclass(frozen=True, eq=False)
class EdgePoints:
    """Points on edges, one for each marked voxel.

    Parameters
    ----------
    voxels : array of int (N, D)
        The marked voxels, in C order.
    positions : array (N, D)
        Where the edge lies, in the unit of the spacing; the centre of the first voxel is 0.
    normals : array (N, D)
        Unit vectors across the edge, from dark to bright.
    magnitude : array (N,)
        Of the smoothed image's gradient there, in intensity per unit of the spacing.
    """

    voxels: NDArray[np.intp]
    positions: Points
    normals: Points
    magnitude: NDArray[np.float64]


def edge_points(
    image: Array, marked: Array, spacing: Sequence[float] = (), *, sigma: float = 1.0
) -> EdgePoints:
    """Locate the edge at each marked voxel, as `edge_positions` does; on Dask arrays by blocks.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type; NumPy or Dask.
    marked : array of bool
        The edges' voxels, such as `canny` finds.
    spacing, sigma
        As of `canny`.

    Returns
    -------
    EdgePoints
        In memory. By blocks they differ by rounding.
    """
    spacing = checked(image, spacing)
    if not is_lazy(image):
        return _located(image, np.argwhere(marked), spacing, sigma)
    import dask

    reach = _reach(sigma, spacing)
    blocks = []
    for corner in product(*(pairwise(accumulate(c, initial=0)) for c in image.chunks)):
        inner = tuple(slice(a, b) for a, b in corner)
        first = [max(0, a - r) for (a, _), r in zip(corner, reach, strict=True)]
        around = tuple(slice(a, b + r) for a, (_, b), r in zip(first, corner, reach, strict=True))
        start = [a for a, _ in corner]
        blocks.append(
            dask.delayed(_in_block)(image[around], marked[inner], first, start, spacing, sigma)
        )
    parts_of_blocks = computed(blocks)
    order = np.lexsort(np.concatenate([part.voxels for part in parts_of_blocks]).T[::-1])
    names = [f.name for f in fields(EdgePoints)]
    return EdgePoints(
        *(np.concatenate([getattr(p, n) for p in parts_of_blocks])[order] for n in names)
    )


def _reach(sigma: float, spacing: Sequence[float]) -> list[int]:
    """How far around a marked voxel the image is looked at, in voxels along each axis."""
    widest = max(_widths(sigma, spacing))
    kernels = [gaussian_kernel(s) for s in _wide(sigma, spacing)]
    return [
        kernel.radius + math.ceil(widest / s) + 1 + _SPLINE
        for kernel, s in zip(kernels, spacing, strict=True)
    ]


def _in_block(
    image: NDArray[Any], marked: NDArray[np.bool_], first: Sequence[int], start: Sequence[int],
    spacing: Sequence[float], sigma: float,
) -> EdgePoints:  # fmt: skip
    """Locate the voxels that are marked in a block from its surroundings."""
    voxels = np.argwhere(marked) + start
    near = _located(image, voxels - first, spacing, sigma)
    return replace(near, voxels=voxels, positions=near.positions + np.multiply(first, spacing))


def _located(
    image: NDArray[Any], voxels: NDArray[np.intp], spacing: Sequence[float], sigma: float
) -> EdgePoints:
    if not len(voxels):
        none = np.empty((0, image.ndim))
        return EdgePoints(none.astype(np.intp), none, none, np.empty(0))
    smooth = convolve(image, [gaussian_kernel(s) for s in in_voxels(sigma, spacing)])
    here = tuple(voxels.T)
    axes: tuple[Response, ...] = ("z", "y", "x")
    slope = np.stack(
        [gradient(smooth, spacing, SOBEL, a)[here] for a in axes[-image.ndim :]], axis=1
    )
    step = slope / np.array(spacing)
    step /= _or_one(np.abs(step).max(1, keepdims=True))
    strength = _spline(gradient(smooth, spacing, SOBEL, "magnitude"))
    before, middle, ahead = (strength(voxels + side * step) for side in (-1, 0, 1))
    rise, bend = (ahead - before) / 2, 2 * middle - ahead - before
    shift = np.clip(np.divide(rise, bend, out=np.zeros(len(voxels)), where=bend > 0), -1, 1)
    positions = (voxels + shift[:, None] * step) * np.array(spacing)
    normals = slope / _or_one(np.linalg.norm(slope, axis=1, keepdims=True))
    back = _dislocation(image, spacing, sigma, positions, normals)
    positions -= np.clip(back, -0.5, 0.5)[:, None] * min(spacing) * normals
    top = middle + shift * (rise - shift * bend / 2)
    return EdgePoints(voxels, positions, np.asarray(normals, np.float64), top)


def _or_one(lengths: NDArray[Any]) -> NDArray[Any]:
    """Lengths to divide by: where the image is flat, directions stay 0."""
    return np.where(lengths > 0, lengths, 1)


def _wide(sigma: float, spacing: Sequence[float]) -> Sequence[float]:
    """Standard deviations, in voxels, at which the grid is no longer seen."""
    return [min(max(sigma, *spacing) / s, LONGEST) for s in spacing]


def _widths(sigma: float, spacing: Sequence[float]) -> Points:
    """Standard deviations of all that smooths the image along each axis, in its unit."""
    kernels = [gaussian_kernel(s) for s in in_voxels(sigma, spacing)]
    variance = [sum(2 * k * k * w for k, w in enumerate(kernel.weights)) for kernel in kernels]
    widths: Points = np.sqrt(np.add(variance, _OPERATOR)) * np.array(spacing)
    return widths


def _dislocation(
    image: NDArray[Any], spacing: Sequence[float], sigma: float, positions: Points, normals: Points
) -> NDArray[np.float64]:
    """How far smoothing has moved curved edges up their gradient, in voxels of the finest axis.

    With the covariance S of the smoothing, the projector P onto the edge's plane, the gradient g
    and the second derivatives H it is - trace(P S P H) / (2 |g|).
    """
    voxel = np.array(spacing)
    smooth = _spline(convolve(image, [gaussian_kernel(s) for s in _wide(sigma, spacing)]))
    width = _widths(sigma, spacing)
    at = positions / voxel
    middle, second, first = 2 * smooth(at), np.zeros(len(at)), np.zeros(len(at))
    for axis, unit in enumerate(np.eye(len(voxel))):
        along = width[axis] * (unit - normals * normals[:, axis, None]) / voxel
        second = second + smooth(at + along) + smooth(at - along) - middle
        first = first + ((smooth(at + unit) - smooth(at - unit)) / (2 * voxel[axis])) ** 2
    moved = np.zeros(len(at))
    np.divide(-second, 2 * min(spacing) * np.sqrt(first), out=moved, where=first > 0)
    return moved


def _spline(image: NDArray[Any]) -> Callable[[Points], NDArray[np.float64]]:
    """An image between its voxels, by cubic splines."""
    from scipy.ndimage import map_coordinates, spline_filter

    weights = spline_filter(np.nan_to_num(image), output=np.float64, mode="nearest")
    return lambda at: np.asarray(
        map_coordinates(weights, at.T, mode="nearest", prefilter=False), np.float64
    )
