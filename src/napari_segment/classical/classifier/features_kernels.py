"""Kernels of pixel features: what is derived, row by row, from an image smoothed at one scale.

A plane is a volume of one plane: derivatives across it are 0, and smoothing across it changes
nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Singles = NDArray[np.float32]

_PART = njit(cache=True, nogil=True, error_model="numpy", inline="always")


@njit(cache=True, nogil=True, error_model="numpy")
def derived(
    smooth: Singles,
    rows: tuple[int, int],
    spacing: Singles,
    ndim: int,
    columns: NDArray[np.int64],
    out: Singles,
) -> None:
    """Write the features of some rows of a smoothed volume into columns of a table.

    Parameters
    ----------
    smooth : array (Z, Y, X) of float32
    rows : tuple of int
        First row and one past the last, counted over all planes.
    spacing : array (3,) of float32
        Distance between neighbours along Z, Y and X.
    ndim : int
        2 or 3.
    columns : array (K,) of int64
        The column of the smoothed value, the gradient magnitude, the Laplacian, and the first of
        `ndim` eigenvalues of the Hessian matrix; -1 leaves one out. Further ones play no part.
    out : array (N, F) of float32
        One line for each voxel of the rows.
    """
    ny, nx = smooth.shape[1:]
    sums = np.empty((3, nx + 2), np.float32)  # smoothed in Z and Y; edge in Y; edge in Z
    slope = np.empty((2, nx), np.float32)  # along Y and Z
    second = np.empty((6, nx), np.float32)  # xx, yy, zz, xy, xz, yz
    along = np.empty(nx, np.float32)
    for row in range(rows[0], rows[1]):
        z, y = row // ny, row % ny
        table = out[(row - rows[0]) * nx : (row - rows[0] + 1) * nx]
        if columns[0] >= 0:
            line = smooth[z, y]
            for x in range(nx):
                table[x, columns[0]] = line[x]
        if columns[1] >= 0:
            _sobel(smooth, z, y, spacing, ndim, sums, table, columns[1])
        if columns[2] >= 0 or columns[3] >= 0:
            _hessian(smooth, z, y, spacing, slope, along, second)
        if columns[2] >= 0:
            for x in range(nx):
                table[x, columns[2]] = second[0, x] + second[1, x] + second[2, x]
        if columns[3] >= 0:
            for x in range(nx):
                if ndim == 2:
                    _eigenvalues_2(second[:, x], table[x], columns[3])
                else:
                    _eigenvalues_3(second[:, x], table[x], columns[3])


@njit(cache=True, nogil=True, error_model="numpy")
def eigenvalues(matrices: Singles, ndim: int, column: int, out: Singles) -> None:
    """Write the eigenvalues of symmetric matrices into columns of a table, largest first.

    Parameters
    ----------
    matrices : array (6, N) of float32
        xx, yy, zz, xy, xz, yz of each.
    ndim : int
        2 or 3.
    column : int
        The first of `ndim` columns.
    out : array (N, F) of float32
    """
    for i in range(matrices.shape[1]):
        if ndim == 2:
            _eigenvalues_2(matrices[:, i], out[i], column)
        else:
            _eigenvalues_3(matrices[:, i], out[i], column)


@_PART
def _sobel(
    f: Singles,
    z: int,
    y: int,
    spacing: Singles,
    ndim: int,
    sums: Singles,
    table: Singles,
    column: int,
) -> None:
    """Sobel's magnitude of a row: root mean square of the smoothed differences along the axes."""
    nz, ny, nx = f.shape
    z0, z2, y0, y2 = max(z - 1, 0), min(z + 1, nz - 1), max(y - 1, 0), min(y + 1, ny - 1)
    a0, a1, a2 = f[z0, y0], f[z0, y], f[z0, y2]
    b0, b1, b2 = f[z, y0], f[z, y], f[z, y2]
    c0, c1, c2 = f[z2, y0], f[z2, y], f[z2, y2]
    quarter, half = np.float32(0.25), np.float32(0.5)
    s, dy, dz = sums[0], sums[1], sums[2]
    for x in range(nx):
        before = quarter * (a0[x] + a2[x]) + half * a1[x]
        here = quarter * (b0[x] + b2[x]) + half * b1[x]
        after = quarter * (c0[x] + c2[x]) + half * c1[x]
        s[x + 1] = quarter * (before + after) + half * here
        dz[x + 1] = half * (after - before)
        dy[x + 1] = half * (quarter * ((a2[x] - a0[x]) + (c2[x] - c0[x])) + half * (b2[x] - b0[x]))
    for k in range(3):
        sums[k, 0], sums[k, nx + 1] = sums[k, 1], sums[k, nx]
    two, one = np.float32(2), np.float32(1)  # differences over two voxels, as in scikit-image
    ez, ey, ex = two / spacing[0], two / spacing[1], one / spacing[2]
    mean = one / np.float32(ndim)
    for x in range(nx):
        gx = (s[x + 2] - s[x]) * ex
        gy = (quarter * (dy[x] + dy[x + 2]) + half * dy[x + 1]) * ey
        gz = (quarter * (dz[x] + dz[x + 2]) + half * dz[x + 1]) * ez
        table[x, column] = np.sqrt((gx * gx + gy * gy + gz * gz) * mean)


@_PART
def _step(i: int, n: int) -> tuple[int, int, np.float32]:
    """The neighbours between which `numpy.gradient` takes the difference, and its factor."""
    low, high = max(i - 1, 0), min(i + 1, n - 1)
    return low, high, np.float32(1.0 / max(high - low, 1))


@_PART
def _along_x(line: Singles, factor: np.float32, out: Singles) -> None:
    """The gradient of a row along itself."""
    nx = len(line)
    half = np.float32(0.5) * factor
    for x in range(1, nx - 1):
        out[x] = (line[x + 1] - line[x - 1]) * half
    if nx > 1:
        out[0], out[nx - 1] = (line[1] - line[0]) * factor, (line[nx - 1] - line[nx - 2]) * factor
    else:
        out[0] = 0


@_PART
def _hessian(
    f: Singles, z: int, y: int, spacing: Singles, slope: Singles, along: Singles, second: Singles
) -> None:
    """Second derivatives of a row, by central differences of central differences."""
    nz, ny, nx = f.shape
    one = np.float32(1)
    zl, zh, zi = _step(z, nz)
    yl, yh, yi = _step(y, ny)
    ez, ey, ex = zi / spacing[0], yi / spacing[1], one / spacing[2]
    low, high = f[z, yl], f[z, yh]
    for x in range(nx):
        slope[0, x] = (high[x] - low[x]) * ey
    low, high = f[zl, y], f[zh, y]
    for x in range(nx):
        slope[1, x] = (high[x] - low[x]) * ez
    _along_x(f[z, y], ex, along)
    _along_x(along, ex, second[0])
    _along_x(slope[0], ex, second[3])
    _along_x(slope[1], ex, second[4])
    y0, y1, yi0 = _step(yl, ny)
    y2, y3, yi1 = _step(yh, ny)
    p, q, r, s = f[z, y0], f[z, y1], f[z, y2], f[z, y3]
    e0, e1 = yi0 / spacing[1], yi1 / spacing[1]
    for x in range(nx):
        second[1, x] = ((s[x] - r[x]) * e1 - (q[x] - p[x]) * e0) * ey
    z0, z1, zi0 = _step(zl, nz)
    z2, z3, zi1 = _step(zh, nz)
    p, q, r, s = f[z0, y], f[z1, y], f[z2, y], f[z3, y]
    e0, e1 = zi0 / spacing[0], zi1 / spacing[0]
    for x in range(nx):
        second[2, x] = ((s[x] - r[x]) * e1 - (q[x] - p[x]) * e0) * ez
    p, q, r, s = f[zl, yl], f[zl, yh], f[zh, yl], f[zh, yh]
    for x in range(nx):
        second[5, x] = ((s[x] - r[x]) - (q[x] - p[x])) * (ey * ez)


@_PART
def _eigenvalues_2(h: Singles, line: Singles, column: int) -> None:
    """Eigenvalues of a symmetric 2×2 matrix, largest first."""
    middle = np.float32(0.5) * (h[0] + h[1])
    apart = np.sqrt((np.float32(0.5) * (h[0] - h[1])) ** 2 + h[3] * h[3])
    line[column], line[column + 1] = middle + apart, middle - apart


@_PART
def _eigenvalues_3(h: Singles, line: Singles, column: int) -> None:
    """Eigenvalues of a symmetric 3×3 matrix, largest first (Smith, 1961)."""
    xx, yy, zz = np.float64(h[0]), np.float64(h[1]), np.float64(h[2])
    xy, xz, yz = np.float64(h[3]), np.float64(h[4]), np.float64(h[5])
    mean = (xx + yy + zz) / 3
    a, b, c = xx - mean, yy - mean, zz - mean
    off = xy * xy + xz * xz + yz * yz
    size = np.sqrt((a * a + b * b + c * c + 2 * off) / 6)
    if size <= 0:
        line[column] = line[column + 1] = line[column + 2] = mean
        return
    determinant = a * (b * c - yz * yz) - xy * (xy * c - yz * xz) + xz * (xy * yz - b * xz)
    ratio = min(max(determinant / (2 * size * size * size), -1.0), 1.0)
    angle = np.arccos(ratio) / 3
    first = mean + 2 * size * np.cos(angle)
    last = mean + 2 * size * np.cos(angle + 2.0943951023931953)
    line[column], line[column + 2] = first, last
    line[column + 1] = 3 * mean - first - last
