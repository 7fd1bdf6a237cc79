"""Kernels of local thresholds: moving sums of whole numbers, exact wherever they start."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.arrays import Integers

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MEAN, NIBLACK, SAUVOLA, PHANSALKAR = range(4)


@njit(cache=True, nogil=True)
def encode(volume: NDArray[Any], planes: Ints, low: float, step: float, codes: Integers) -> None:
    """Whole numbers of steps from `low` on; -1 for NaN and infinities."""
    for z in range(len(planes)):
        plane, coded = volume[planes[z]], codes[z]
        for y in range(plane.shape[0]):
            for x in range(plane.shape[1]):
                value = np.float64(plane[y, x])
                finite = value - value == 0.0
                coded[y, x] = np.int32(np.rint((value - low) / step)) if finite else np.int32(-1)


@njit(cache=True, nogil=True)
def beyond_local_threshold(
    codes: NDArray[Any],
    index_z: Ints,
    index_y: Ints,
    index_x: Ints,
    holes: bool,
    rule: int,
    numbers: Floats,
    bright: bool,
    out: NDArray[np.bool_],
) -> None:
    """Mark the voxels of `out` (z, y, x) beyond a threshold from the mean and spread around them.

    Each index maps positions, from ``-radius`` on, to planes, rows and columns of `codes`, and so
    sets the width of the window. Where there are `holes`, negative codes count for nothing.
    `numbers` holds the value of code 0, the value of a step, and the numbers of the rule.
    """
    planes, ny, nx = out.shape
    wz, wy, wx = len(index_z) - planes, len(index_y) - ny, len(index_x) - nx
    sums = np.zeros((3, ny, nx), np.int64)
    rows = np.zeros((3, nx), np.int64)
    mean, spread = np.empty(nx), np.empty(nx)
    for k in range(wz):
        _add_plane(sums, codes[index_z[k]], holes, 1)
    for z in range(planes):
        _add_plane(sums, codes[index_z[z + wz]], holes, 1)
        rows[:] = 0
        for k in range(wy):
            _add_row(rows, sums[:, index_y[k]], holes, 1)
        for y in range(ny):
            _add_row(rows, sums[:, index_y[y + wy]], holes, 1)
            _moments(rows, index_x, holes, (wz + 1) * (wy + 1) * (wx + 1), mean, spread)
            _decide(codes[index_z[z + wz // 2], y], mean, spread, rule, numbers, bright, out[z, y])
            _add_row(rows, sums[:, index_y[y]], holes, -1)
        _add_plane(sums, codes[index_z[z]], holes, -1)


@njit(cache=True, nogil=True)
def local_spread(
    codes: NDArray[Any], index_z: Ints, index_y: Ints, index_x: Ints, holes: bool, out: Floats
) -> None:
    """Standard deviation of the codes around the voxels of `out`, as `beyond_local_threshold`."""
    planes, ny, nx = out.shape
    wz, wy, wx = len(index_z) - planes, len(index_y) - ny, len(index_x) - nx
    sums = np.zeros((3, ny, nx), np.int64)
    rows = np.zeros((3, nx), np.int64)
    mean, spread = np.empty(nx), np.empty(nx)
    for k in range(wz):
        _add_plane(sums, codes[index_z[k]], holes, 1)
    for z in range(planes):
        _add_plane(sums, codes[index_z[z + wz]], holes, 1)
        rows[:] = 0
        for k in range(wy):
            _add_row(rows, sums[:, index_y[k]], holes, 1)
        for y in range(ny):
            _add_row(rows, sums[:, index_y[y + wy]], holes, 1)
            _moments(rows, index_x, holes, (wz + 1) * (wy + 1) * (wx + 1), mean, spread)
            out[z, y] = spread
            _add_row(rows, sums[:, index_y[y]], holes, -1)
        _add_plane(sums, codes[index_z[z]], holes, -1)


@njit(cache=True, nogil=True)
def _add_plane(sums: Ints, plane: NDArray[Any], holes: bool, sign: int) -> None:
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            code: Any = np.int64(plane[y, x])
            if holes:
                code = max(code, 0)
                sums[2, y, x] += sign * (plane[y, x] >= 0)
            sums[0, y, x] += sign * code
            sums[1, y, x] += sign * code * code


@njit(cache=True, nogil=True)
def _add_row(rows: Ints, row: Ints, holes: bool, sign: int) -> None:
    for m in range(3 if holes else 2):
        for x in range(rows.shape[1]):
            rows[m, x] += sign * row[m, x]


@njit(cache=True, nogil=True)
def _moments(rows: Ints, index: Ints, holes: bool, size: int, mean: Floats, spread: Floats) -> None:
    """Mean and standard deviation of the codes in the windows of one row; NaN in empty windows."""
    n = len(mean)
    width = len(index) - n
    total, squares, count = 0, 0, 0
    for k in range(width):
        total += rows[0, index[k]]
        squares += rows[1, index[k]]
        count += rows[2, index[k]]
    for x in range(n):
        enter, leave = index[x + width], index[x]
        total += rows[0, enter]
        squares += rows[1, enter]
        members = float(size)
        if holes:
            count += rows[2, enter]
            members = float(count) if count else np.nan
            count -= rows[2, leave]
        mean[x] = total / members
        spread[x] = squares / members
        total -= rows[0, leave]
        squares -= rows[1, leave]
    for x in range(n):
        spread[x] = np.sqrt(max(spread[x] - mean[x] * mean[x], 0.0))


@njit(cache=True, nogil=True)
def _decide(
    codes: NDArray[Any],
    mean: Floats,
    spread: Floats,
    rule: int,
    numbers: Floats,
    bright: bool,
    out: NDArray[np.bool_],
) -> None:
    low, step, k, unit, p, q = numbers
    for x in range(len(out)):
        m = low + step * mean[x]
        s = step * spread[x]
        if rule == MEAN:
            t = m - k
        elif rule == NIBLACK:
            t = m - k * s
        elif rule == SAUVOLA:
            t = m * (1 + k * (s * unit - 1))
        else:
            t = m * (1 + p * np.exp(-q * m * unit) + k * (2 * s * unit - 1))
        v = low + step * codes[x]
        out[x] = codes[x] >= 0 and (v > t if bright else v <= t)


@njit(cache=True, nogil=True)
def beyond_local_median(
    values: NDArray[Any],
    limits: NDArray[Any],
    index_z: Ints,
    index_y: Ints,
    index_x: Ints,
    holes: bool,
    bright: bool,
    counts: NDArray[Any],
    out: NDArray[np.bool_],
) -> None:
    """Mark the voxels of `out` whose `limits` lie beyond the median of the values around them.

    A limit is above the median where most values of the window are below it, so one count decides,
    and no median is found. Limits are of the planes of `out`. Where there are `holes`, NaN counts
    for nothing. `counts` (2, x) is room for the counts, of a type that holds the window's volume
    and is as narrow as that of the values, so that as many are compared at once.
    """
    planes, ny, nx = out.shape
    wz, wy, wx = len(index_z) - planes + 1, len(index_y) - ny + 1, len(index_x) - nx + 1
    rows = np.empty((wz, wy, nx + wx - 1), values.dtype)
    below, known = counts[0], counts[1]
    one = counts.dtype.type(1)
    half = wz * wy * wx // 2
    for z in range(planes):
        for y in range(ny):
            for j in range(wz):
                for k in range(wy):
                    row = values[index_z[z + j], index_y[y + k]]
                    for x in range(nx + wx - 1):
                        rows[j, k, x] = row[index_x[x]]
            below[:] = 0
            known[:] = 0
            limit = limits[z, y]
            for j in range(wz):
                for k in range(wy):
                    for i in range(wx):
                        row = rows[j, k, i : i + nx]
                        for x in range(nx):
                            below[x] += one if row[x] < limit[x] else 0 * one
                        if holes:
                            for x in range(nx):
                                known[x] += one if row[x] == row[x] else 0 * one
            for x in range(nx):
                most = int(known[x]) // 2 if holes else half
                above = int(below[x]) > most
                out[z, y, x] = above if bright else (limit[x] == limit[x] and not above)
