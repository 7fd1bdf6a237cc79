"""Least and greatest values around each voxel: balls, and paraboloids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.arrays import Floats


@njit(cache=True, nogil=True)
def extreme_of_ball(
    src: NDArray[Any],
    first: int,
    last: int,
    reach: NDArray[np.int64],
    most: bool,
    beyond: float,
    out: NDArray[Any],
) -> None:
    """The least (or greatest) value of the ball about each voxel of some planes.

    ``reach[dz, dy]`` is how far the ball extends along X in the row at that offset, less than 0
    where it does not. What lies outside of the array takes no part; `beyond` is above (below)
    all values. A row's windows of one width serve all rows that the ball reaches it from.
    """
    nz, ny, nx = src.shape
    rz, ry, rx = reach.shape[0] // 2, reach.shape[1] // 2, reach.max()
    row, other = np.empty(nx + 2 * rx, src.dtype), np.empty(nx + 2 * rx, src.dtype)
    out[:] = src[first:last]
    for zn in range(max(first - rz, 0), min(last + rz, nz)):
        for yn in range(ny):
            for half in range(rx + 1):
                if not (reach == half).any():
                    continue
                width, done = 2 * half + 1, 1
                row[:half] = beyond
                row[half : half + nx] = src[zn, yn]
                row[half + nx : nx + 2 * half] = beyond
                while done < width:  # windows of twice the width, until they are wide enough
                    step = min(done, width - done)
                    _pairs(row, row[step:], nx + width - done - step, most, other)
                    row, other = other, row
                    done += step
                for z in range(max(zn - rz, first), min(zn + rz + 1, last)):
                    for y in range(max(yn - ry, 0), min(yn + ry + 1, ny)):
                        if reach[zn - z + rz, yn - y + ry] == half:
                            _into(out[z - first, y], row, nx, most)


@njit(cache=True, nogil=True)
def _pairs(a: NDArray[Any], b: NDArray[Any], count: int, most: bool, out: NDArray[Any]) -> None:
    if most:
        for x in range(count):
            out[x] = max(a[x], b[x])
    else:
        for x in range(count):
            out[x] = min(a[x], b[x])


@njit(cache=True, nogil=True)
def _into(line: NDArray[Any], row: NDArray[Any], count: int, most: bool) -> None:
    """As `_pairs`, in place: of two arrays that may be the same, a compiler makes slow loops."""
    if most:
        for x in range(count):
            line[x] = max(line[x], row[x])
    else:
        for x in range(count):
            line[x] = min(line[x], row[x])


@njit(cache=True, nogil=True)
def lowest_plus(
    src: Floats, heights: Floats, first: int, last: int, sign: float, out: Floats
) -> None:
    """Along axis 0 of `src` (n, m, x), the least of a value and its distance's height.

    With a sign of -1 the greatest of values less heights, both negated.
    """
    n, m, nx = src.shape
    for i in range(first, last):
        for j in range(m):
            line, row = out[i, j], src[i, j]
            for x in range(nx):
                line[x] = sign * row[x]
            for k in range(1, len(heights)):
                rise = heights[k]
                if i - k >= 0:
                    other = src[i - k, j]
                    for x in range(nx):
                        line[x] = min(line[x], sign * other[x] + rise)
                if i + k < n:
                    other = src[i + k, j]
                    for x in range(nx):
                        line[x] = min(line[x], sign * other[x] + rise)
            for x in range(nx):
                line[x] = sign * line[x]
