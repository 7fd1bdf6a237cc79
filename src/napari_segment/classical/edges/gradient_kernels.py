"""Gradients from 3 × 3 (× 3) neighbourhoods, in one pass over the image.

No value is ever computed differently by its position in a row or block (no fused multiply-add,
no reassociation), so results on blocks are those of the whole, to the last bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from napari_segment.arrays import Floats

MAGNITUDE, Z, Y, X = range(4)


@njit(cache=True, nogil=True, error_model="numpy")
def components(
    src: Floats, z: int, y: int, weights: Floats, scale: Floats, rows: Floats, out: Floats
) -> None:
    """The gradient of row ``(z, y)`` of `src`: its Z, Y and X components into ``out[0, 1, 2]``.

    Each is a central difference along its axis and the smoothing
    ``(weights[0], weights[1], weights[0])`` along the others, times ``scale[axis]``.
    Beyond the edge of `src` its outermost values repeat. `rows` is room for three rows with a
    voxel more at either end.
    """
    nz, ny, nx = src.shape
    a, b = weights[0], weights[1]
    sz, sy, sx = scale[0], scale[1], scale[2]
    dz, dy, s = rows[0], rows[1], rows[2]
    y0, y2 = max(y - 1, 0), min(y + 1, ny - 1)
    up, mid, down = src[max(z - 1, 0)], src[z], src[min(z + 1, nz - 1)]
    u0, u1, u2 = up[y0], up[y], up[y2]
    m0, m1, m2 = mid[y0], mid[y], mid[y2]
    d0, d1, d2 = down[y0], down[y], down[y2]
    for x in range(nx):
        p0 = a * (u0[x] + d0[x]) + b * m0[x]
        p1 = a * (u1[x] + d1[x]) + b * m1[x]
        p2 = a * (u2[x] + d2[x]) + b * m2[x]
        s[x + 1] = a * (p0 + p2) + b * p1
        dy[x + 1] = p2 - p0
        dz[x + 1] = a * ((d0[x] - u0[x]) + (d2[x] - u2[x])) + b * (d1[x] - u1[x])
    for row in (s, dy, dz):
        row[0] = row[1]
        row[nx + 1] = row[nx]
    gz, gy, gx = out[0], out[1], out[2]
    for x in range(nx):
        gz[x] = (a * (dz[x] + dz[x + 2]) + b * dz[x + 1]) * sz
        gy[x] = (a * (dy[x] + dy[x + 2]) + b * dy[x + 1]) * sy
        gx[x] = (s[x + 2] - s[x]) * sx


@njit(cache=True, nogil=True, error_model="numpy")
def gradient(
    src: Floats, first: int, last: int, out: Floats, response: int, weights: Floats, scale: Floats
) -> None:
    """Magnitude or one component of the gradient of the planes `first` to `last` of `src`."""
    ny, nx = src.shape[1:]
    rows, parts = np.empty((3, nx + 2), src.dtype), np.empty((3, nx), src.dtype)
    gz, gy, gx = parts[0], parts[1], parts[2]
    for z in range(first, last):
        for y in range(ny):
            components(src, z, y, weights, scale, rows, parts)
            line = out[z - first, y]
            if response == MAGNITUDE:
                for x in range(nx):
                    line[x] = np.sqrt(gz[x] * gz[x] + gy[x] * gy[x] + gx[x] * gx[x])
            else:
                part = parts[response - 1]
                for x in range(nx):
                    line[x] = part[x]


@njit(cache=True, nogil=True, error_model="numpy")
def cell_gradient(
    src: Floats, first: int, last: int, out: Floats, response: int, scale: Floats
) -> None:
    """Magnitude or one component of the gradient of the cells of 2 × 2 × 2 voxels.

    The result at a voxel is that of the cell of which it is the first voxel.
    """
    nz, ny, nx = src.shape
    quarter = src.dtype.type(0.25)
    sz, sy, sx = quarter * scale[0], quarter * scale[1], quarter * scale[2]
    sums = np.empty((3, nx + 1), src.dtype)
    dz, dy, s = sums[0], sums[1], sums[2]
    parts = np.empty((3, nx), src.dtype)
    gz, gy, gx = parts[0], parts[1], parts[2]
    for z in range(first, last):
        for y in range(ny):
            m0, m1 = src[z, y], src[z, min(y + 1, ny - 1)]
            d0, d1 = src[min(z + 1, nz - 1), y], src[min(z + 1, nz - 1), min(y + 1, ny - 1)]
            for x in range(nx):
                dz[x] = (d0[x] + d1[x]) - (m0[x] + m1[x])
                dy[x] = (m1[x] + d1[x]) - (m0[x] + d0[x])
                s[x] = (m0[x] + m1[x]) + (d0[x] + d1[x])
            sums[:, nx] = sums[:, nx - 1]
            line = out[z - first, y]
            for x in range(nx):
                gz[x] = (dz[x] + dz[x + 1]) * sz
                gy[x] = (dy[x] + dy[x + 1]) * sy
                gx[x] = (s[x + 1] - s[x]) * sx
            if response == MAGNITUDE:
                for x in range(nx):
                    line[x] = np.sqrt(gz[x] * gz[x] + gy[x] * gy[x] + gx[x] * gx[x])
            else:
                part = parts[response - 1]
                for x in range(nx):
                    line[x] = part[x]


@njit(cache=True, nogil=True, error_model="numpy")
def laplacian(src: Floats, first: int, last: int, out: Floats, scale: Floats) -> None:
    """Second differences along each axis times ``scale[axis]``, added up."""
    nz, ny, nx = src.shape
    padded = np.empty(nx + 2, src.dtype)
    sz, sy, sx = scale[0], scale[1], scale[2]
    for z in range(first, last):
        for y in range(ny):
            m, line = src[z, y], out[z - first, y]
            above, below = src[max(z - 1, 0), y], src[min(z + 1, nz - 1), y]
            before, after = src[z, max(y - 1, 0)], src[z, min(y + 1, ny - 1)]
            padded[1 : nx + 1] = m
            padded[0], padded[nx + 1] = m[0], m[nx - 1]
            for x in range(nx):
                twice = m[x] + m[x]
                line[x] = (
                    ((above[x] + below[x]) - twice) * sz
                    + ((before[x] + after[x]) - twice) * sy
                    + ((padded[x] + padded[x + 2]) - twice) * sx
                )


@njit(cache=True, nogil=True, error_model="numpy")
def crossings(src: Floats, first: int, last: int, out: Floats, scale: Floats) -> None:
    """How steeply values pass through zero, on the side that is nearer to zero; else 0."""
    shape = src.shape
    for z in range(first, last):
        for y in range(shape[1]):
            for x in range(shape[2]):
                here, steepest = src[z, y, x], src.dtype.type(0)
                for axis in range(3):
                    i = (z, y, x)[axis]
                    low, high = max(i - 1, 0), min(i + 1, shape[axis] - 1)
                    if axis == 0:
                        a, b = src[low, y, x], src[high, y, x]
                    elif axis == 1:
                        a, b = src[z, low, x], src[z, high, x]
                    else:
                        a, b = src[z, y, low], src[z, y, high]
                    if here == 0:
                        if (a < 0 and b > 0) or (a > 0 and b < 0):
                            steepest = max(steepest, abs(a - b) * scale[axis] / 2)
                        continue
                    for other in (a, b):
                        opposite = (here < 0 and other > 0) or (here > 0 and other < 0)
                        if opposite and abs(here) <= abs(other):
                            steepest = max(steepest, abs(here - other) * scale[axis])
                out[z - first, y, x] = steepest
