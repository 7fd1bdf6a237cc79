"""Watershed: flooding a landscape, by markers or from its own minima."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def flood(levels: Any, labels: Any, count: int) -> None:
    """Spread labels from where they are over all voxels, lowest levels first.

    Parameters
    ----------
    levels : array (Z, Y, X) of unsigned integers below `count`
        The landscape. Water passes through faces; what is reached at one level is served in the
        order in which it was reached.
    labels : array (Z, Y, X)
        Numbers of the sources, 0 elsewhere; filled in place.
    """
    nz, ny, nx = levels.shape
    height, basin = levels.reshape(-1), labels.reshape(-1)
    after = np.full(height.size, -1, np.int64)  # the voxel served next at the same level
    head, tail = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    for v in range(height.size):
        if basin[v]:
            _append(v, height[v], after, head, tail)
    steps = (-ny * nx, ny * nx, -nx, nx, -1, 1)
    for level in range(count):
        while head[level] >= 0:
            v = head[level]
            head[level] = after[v]
            z, y, x = v // (ny * nx), v // nx % ny, v % nx
            inside = (z > 0, z < nz - 1, y > 0, y < ny - 1, x > 0, x < nx - 1)
            for k in range(6):
                if inside[k] and basin[v + steps[k]] == 0:
                    w = v + steps[k]
                    basin[w] = basin[v]
                    _append(w, max(height[w], level), after, head, tail)


@njit(cache=True, nogil=True)
def _append(v: int, level: int, after: Any, head: Any, tail: Any) -> None:
    after[v] = -1
    if head[level] < 0:
        head[level] = v
    else:
        after[tail[level]] = v
    tail[level] = v


@njit(cache=True, nogil=True)
def minima(levels: Any, count: int, depth: int) -> Any:
    """Mark one voxel of each minimum that is at least `depth` levels below the pass to a lower.

    Voxels are visited from the lowest level up, and basins joined where they meet (Kruskal's
    minimum spanning forest); a basin that is not deep enough then loses its own minimum.

    Returns
    -------
    array (Z, Y, X) of int32
        1, 2, … at the minima, in C order.
    """
    nz, ny, nx = levels.shape
    height = levels.reshape(-1)
    order = _sorted(height, count)
    parent = np.full(height.size, -1, np.int64)  # the root of a basin is its lowest voxel
    shallow = np.zeros(height.size, np.bool_)
    steps = (-ny * nx, ny * nx, -nx, nx, -1, 1)
    for v in order:
        parent[v] = v
        z, y, x = v // (ny * nx), v // nx % ny, v % nx
        inside = (z > 0, z < nz - 1, y > 0, y < ny - 1, x > 0, x < nx - 1)
        for k in range(6):
            if not inside[k] or parent[v + steps[k]] < 0:
                continue
            a, b = _root(parent, v), _root(parent, v + steps[k])
            if a == b:
                continue
            if height[b] > height[a] or (height[b] == height[a] and b > a):
                a, b = b, a
            parent[a] = b  # the higher minimum joins the lower, or the first of equals
            shallow[a] = int(height[v]) - int(height[a]) < depth
    marks = np.zeros(height.size, np.int32)
    number = 0
    for v in range(height.size):
        if not shallow[v]:
            number += 1
            marks[v] = number
    return marks.reshape(levels.shape)


@njit(cache=True, nogil=True)
def _root(parent: Any, v: int) -> int:
    while parent[v] != v:
        parent[v] = parent[parent[v]]
        v = parent[v]
    return v


@njit(cache=True, nogil=True)
def _sorted(height: Any, count: int) -> Any:
    """Flat indices from the lowest level up, in C order within a level (a counting sort)."""
    starts = np.zeros(count + 1, np.int64)
    for level in height:
        starts[int(level) + 1] += 1
    starts = np.cumsum(starts)
    order = np.empty(height.size, np.int64)
    for v in range(height.size):
        order[starts[height[v]]] = v
        starts[height[v]] += 1
    return order
