"""Gaussian filtering in many dimensions on the permutohedral lattice, in compiled loops.

After Adams, Baek and Davis (2010), doi:10.1111/j.1467-8659.2009.01645.x: a point spreads its value
to the d + 1 corners of its simplex, the values are blurred along the lattice's d + 1 directions,
and each point gathers from its corners. Time grows with the number of points and d squared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.arrays import Floats, Integers

EMPTY = -1


class Lattice:
    """The lattice of a set of points.

    Parameters
    ----------
    features : array (N, d) of float
        Positions in units of the standard deviation.
    """

    def __init__(self, features: NDArray[np.floating[Any]]) -> None:
        points = np.ascontiguousarray(features, np.float32)
        self.dimension = points.shape[1]
        self.corners, self.shares, keys, table = _simplices(points)
        self.neighbours = _neighbours(keys, table)

    def filter(self, values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Blur values (N, C) that belong to the points.

        Returns
        -------
        array (N, C) of float32
            Sums over all points, weighted by an approximate Gaussian of the distance, up to one
            common factor.
        """
        values = np.ascontiguousarray(values, np.float32)
        blurred: NDArray[np.float32] = _blurred(values, self.corners, self.shares, self.neighbours)
        return blurred


@njit(cache=True, nogil=True)
def _slot(key: Integers, keys: Integers, table: Integers) -> int:  # pragma: no cover - compiled
    """Return the index of a key in the table, or the free one where it would be."""
    code = np.uint64(1469598103934665603)
    for value in key:
        code = (code ^ np.uint64(value & 0xFFFFFFFF)) * np.uint64(1099511628211)
    code ^= code >> np.uint64(29)
    mask = np.uint64(len(table) - 1)
    slot = code & mask
    while table[slot] != EMPTY:
        other = keys[table[slot]]
        same = True
        for i in range(len(key)):
            if other[i] != key[i]:
                same = False
                break
        if same:
            break
        slot = (slot + np.uint64(1)) & mask
    return int(slot)


@njit(cache=True, nogil=True)
def _grown(
    keys: Integers, count: int, table: Integers
) -> tuple[Integers, Integers]:  # pragma: no cover - compiled
    """Copy the table into one of twice the capacity."""
    wide = np.empty((2 * len(keys), keys.shape[1]), np.int32)
    wide[:count] = keys[:count]
    empty = np.full(2 * len(table), EMPTY, np.int32)
    for i in range(count):
        empty[_slot(wide[i], wide, empty)] = i
    return wide, empty


@njit(cache=True, nogil=True)
def _simplices(points: Floats) -> Any:  # pragma: no cover - compiled
    """Return the corners of each point's simplex, its share in each, and all corners' keys."""
    n, d = points.shape
    corners = np.empty((n, d + 1), np.int32)
    shares = np.empty((n, d + 1), np.float32)
    keys = np.empty((1024, d), np.int32)
    table = np.full(4096, EMPTY, np.int32)
    count = 0
    scale = np.empty(d)
    for i in range(d):
        scale[i] = np.sqrt(2.0 / 3.0) * (d + 1) / np.sqrt((i + 1.0) * (i + 2.0))
    lifted, nearest = np.empty(d + 1), np.empty(d + 1, np.int32)
    rank, weight, key = np.empty(d + 1, np.int32), np.empty(d + 2), np.empty(d, np.int32)
    for p in range(n):
        running = 0.0
        for j in range(d, 0, -1):
            part = points[p, j - 1] * scale[j - 1]
            lifted[j] = running - j * part
            running += part
        lifted[0] = running
        total = 0
        for i in range(d + 1):
            step = int(np.rint(lifted[i] / (d + 1)))
            nearest[i] = step * (d + 1)
            total += step
        rank[:] = total
        for i in range(d):
            for j in range(i + 1, d + 1):
                if lifted[i] - nearest[i] < lifted[j] - nearest[j]:
                    rank[i] += 1
                else:
                    rank[j] += 1
        weight[:] = 0
        for i in range(d + 1):
            if rank[i] < 0:
                rank[i] += d + 1
                nearest[i] += d + 1
            elif rank[i] > d:
                rank[i] -= d + 1
                nearest[i] -= d + 1
            offset = (lifted[i] - nearest[i]) / (d + 1)
            weight[d - rank[i]] += offset
            weight[d + 1 - rank[i]] -= offset
        weight[0] += 1.0 + weight[d + 1]
        for corner in range(d + 1):
            for i in range(d):
                key[i] = nearest[i] + corner - (d + 1 if rank[i] > d - corner else 0)
            slot = _slot(key, keys, table)
            if table[slot] == EMPTY:
                if 4 * count >= len(table) or count == len(keys):
                    keys, table = _grown(keys, count, table)
                    slot = _slot(key, keys, table)
                keys[count] = key
                table[slot] = count
                count += 1
            corners[p, corner] = table[slot]
            shares[p, corner] = weight[corner]
    return corners, shares, keys[:count].copy(), table


@njit(cache=True, nogil=True)
def _neighbours(keys: Integers, table: Integers) -> Any:  # pragma: no cover - compiled
    """Return the corners on either side along each direction, (d + 1, M, 2); M for none."""
    m, d = keys.shape
    neighbours = np.empty((d + 1, m, 2), np.int32)
    key = np.empty(d, np.int32)
    for axis in range(d + 1):
        for i in range(m):
            for side in range(2):
                step = 2 * side - 1
                for j in range(d):
                    key[j] = keys[i, j] + step
                if axis < d:
                    key[axis] = keys[i, axis] - step * d
                corner = table[_slot(key, keys, table)]
                neighbours[axis, i, side] = m if corner == EMPTY else corner
    return neighbours


@njit(cache=True, nogil=True)
def _blurred(
    values: Floats, corners: Integers, shares: Floats, neighbours: Integers
) -> Floats:  # pragma: no cover
    n, channels = values.shape
    directions, m, _ = neighbours.shape
    lattice = np.zeros((m + 1, channels), np.float32)
    other = np.zeros((m + 1, channels), np.float32)
    for p in range(n):
        for corner in range(directions):
            index, share = corners[p, corner], shares[p, corner]
            for c in range(channels):
                lattice[index, c] += share * values[p, c]
    for axis in range(directions):
        for i in range(m):
            left, right = neighbours[axis, i, 0], neighbours[axis, i, 1]
            for c in range(channels):
                other[i, c] = lattice[i, c] + np.float32(0.5) * (
                    lattice[left, c] + lattice[right, c]
                )
        lattice, other = other, lattice
        lattice[m] = 0
    result = np.zeros((n, channels), np.float32)
    for p in range(n):
        for corner in range(directions):
            index, share = corners[p, corner], shares[p, corner]
            for c in range(channels):
                result[p, c] += share * lattice[index, c]
    return result
