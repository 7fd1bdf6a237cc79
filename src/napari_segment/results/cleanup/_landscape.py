"""Compiled loops that make the landscape in which a component is split, in its box."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def intensities(own: Array, c: int, image: Array, low: float, land: Array) -> None:
    """Intensities of component `c` above the lowest of all."""
    for z in range(own.shape[0]):
        for y in range(own.shape[1]):
            for x in range(own.shape[2]):
                if own[z, y, x] == c:
                    land[z, y, x] = np.float32(image[z, y, x] - low)


@njit(cache=True, nogil=True)
def distances(own: Array, c: int, ends: Array, spacing: Array, limit: float, land: Array) -> None:
    """Exact Euclidean distances to the nearest voxel that is not of component `c`.

    Squared distances are found axis by axis, as lower envelopes of parabolas.
    """
    nz, ny, nx = own.shape
    room = np.empty((3, max(own.shape) + 2))
    line = np.empty(max(own.shape))
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                land[z, y, x] = np.inf if own[z, y, x] == c else 0
            _along(land[z, y], spacing[2], ends[2], line, room)
        for x in range(nx):
            _along(land[z, :, x], spacing[1], ends[1], line, room)
    for y in range(ny):
        for x in range(nx):
            _along(land[:, y, x], spacing[0], ends[0], line, room)
            for z in range(nz):
                land[z, y, x] = min(np.sqrt(land[z, y, x]), limit)


@njit(cache=True, nogil=True)
def _along(values: Array, gap: float, ends: Array, line: Array, room: Array) -> None:
    n = values.size
    for i in range(n):
        line[i] = values[i]
    _lower_envelope(line[:n], gap, ends, room)
    for i in range(n):
        values[i] = line[i]


@njit(cache=True, nogil=True)
def _lower_envelope(squares: Array, gap: float, ends: Array, room: Array) -> None:
    """Least of ``squares[q] + (gap * (p - q))**2`` over q, for each p, in place.

    Before and behind the line lie zeros, unless the image `ends` there. Between two zeros no
    parabola from outside is lowest, so each run of other values is taken by itself (Felzenszwalb
    & Huttenlocher 2012, doi:10.4086/toc.2012.v008a019).
    """
    at, height, start = room[0], room[1], room[2]
    n, square = squares.size, gap * gap
    b = 0
    while b < n:
        a = b
        while b < n and squares[b] > 0:
            b += 1
        last = -1
        for q in range(a - 1, b + 1):
            inside = a <= q < b
            if not inside and ((q < 0 and ends[0]) or (q == n and ends[1])):
                continue
            h = squares[q] if inside else 0.0
            if h == np.inf:
                continue
            meets = -np.inf
            while last >= 0:
                k = at[last]
                meets = (q + k) / 2 + (h - height[last]) / (2 * square * (q - k))
                if meets > start[last]:
                    break
                last -= 1
            last += 1
            at[last], height[last], start[last] = q, h, meets
        lowest = 0
        for p in range(a, b) if last >= 0 else range(0):
            while lowest < last and start[lowest + 1] < p:
                lowest += 1
            squares[p] = square * (p - at[lowest]) ** 2 + height[lowest]
        b += 1


@njit(cache=True, nogil=True)
def smooth(land: Array, ends: Array, kernels: Any) -> None:
    """Convolve along each axis, in place: mirrored at the edges of the image, with 0 elsewhere."""
    nz, ny = land.shape[:2]
    wz, wy, wx = kernels
    if wx.size > 1:
        for z in range(nz):
            _convolve_rows(land[z], ends[2], wx)
    if wy.size > 1:
        for z in range(nz):
            _convolve_columns(land[z], ends[1], wy)
    if wz.size > 1:
        for y in range(ny):
            _convolve_columns(land[:, y], ends[0], wz)


@njit(cache=True, nogil=True)
def _source(i: int, n: int, ends: Array) -> int:
    """Where in 0 … n - 1 the value at position i comes from; -1 for a 0."""
    while not 0 <= i < n:
        if not ends[0 if i < 0 else 1]:
            return -1
        i = -1 - i if i < 0 else 2 * n - 1 - i
    return i


@njit(cache=True, nogil=True)
def _convolve_rows(plane: Array, ends: Array, weights: Array) -> None:
    n, radius = plane.shape[1], weights.size - 1
    held = np.zeros(n + 2 * radius, np.float32)
    for y in range(plane.shape[0]):
        row = plane[y]
        for i in range(-radius, n + radius):
            k = _source(i, n, ends)
            held[i + radius] = row[k] if k >= 0 else np.float32(0)
        for x in range(n):
            row[x] = weights[0] * held[x + radius]
        for k in range(1, radius + 1):
            before, after = held[radius - k :], held[radius + k :]
            for x in range(n):
                row[x] += weights[k] * (before[x] + after[x])


@njit(cache=True, nogil=True)
def _convolve_columns(plane: Array, ends: Array, weights: Array) -> None:
    n, radius = plane.shape[0], weights.size - 1
    width = plane.shape[1]
    held = np.zeros((n + 2 * radius, width), np.float32)
    for i in range(-radius, n + radius):
        k = _source(i, n, ends)
        for x in range(width if k >= 0 else 0):
            held[i + radius, x] = plane[k, x]
    for y in range(n):
        row, centre = plane[y], held[y + radius]
        for x in range(width):
            row[x] = weights[0] * centre[x]
        for k in range(1, radius + 1):
            before, after = held[y + radius - k], held[y + radius + k]
            for x in range(width):
                row[x] += weights[k] * (before[x] + after[x])


@njit(cache=True, nogil=True)
def to_levels(own: Array, c: int, step: float, land: Array, levels: Array) -> int:
    """The landscape in whole steps, at least 1 in the component and 0 elsewhere; the highest.

    `levels` is the memory of `land`.
    """
    nz, ny, nx = own.shape
    factor = np.float32(1 / step)
    top = 0
    for z in range(nz):
        for y in range(ny):
            begin = (z * (ny + 1) + y) * (nx + 1)
            for x in range(nx):
                level = 0
                if own[z, y, x] == c:
                    level = 1 + max(int(land[begin + x] * factor), 0)
                    top = max(top, level)
                levels[begin + x] = level
    return top
