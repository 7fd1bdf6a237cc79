"""Watershed: flooding a landscape, by markers or from its own minima."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.arrays import Integers

LARGEST = (1 << 28) - 2  # voxels of a landscape whose flood needs no more than 32 bits for each
SHALLOW = np.uint16(1 << 15)


@njit(cache=True, nogil=True)
def sources(
    levels: NDArray[np.uint16], labels: Integers, count: int, starts: Integers, indices: Integers
) -> None:
    """List the labelled voxels that have an unlabelled neighbour, level by level in C order.

    Parameters
    ----------
    levels, labels : array (Z, Y, X)
        As of `flood`.
    starts : array (count + 1,)
        Where the voxels of each level begin. It is filled, from zeros, where `indices` is empty.
    indices : array (N,)
        Becomes the flat indices.
    """
    nz, ny, nx = levels.shape
    height, basin = levels.reshape(-1), labels.reshape(-1)
    steps = (-ny * nx, ny * nx, -nx, nx, -1, 1)
    filled = starts.copy()
    for v in range(height.size):
        if basin[v] == 0:
            continue
        z, y, x = v // (ny * nx), v // nx % ny, v % nx
        inside = (z > 0, z < nz - 1, y > 0, y < ny - 1, x > 0, x < nx - 1)
        edge = False
        for k in range(6):
            edge = edge or (inside[k] and basin[v + steps[k]] == 0)
        if edge and indices.size:
            indices[filled[height[v]]] = v
            filled[height[v]] += 1
        elif edge:
            starts[height[v] + 1] += 1
    if not indices.size:
        for level in range(count):
            starts[level + 1] += starts[level]


@njit(cache=True, nogil=True)
def flood(
    levels: NDArray[np.uint16], labels: Integers, count: int, starts: Integers, indices: Integers
) -> None:
    """Spread labels from where they are over all voxels, lowest levels first.

    A voxel that waits holds -1 - k - 8 (w + 1): the direction k that it was reached from, and the
    voxel w that waits behind it at the same level, or -1 for none.

    Parameters
    ----------
    levels : array (Z, Y, X) of unsigned integers below `count`
        The landscape. Water passes through faces; what is reached at one level is served in the
        order in which it was reached.
    labels : array (Z, Y, X)
        Numbers of the sources, 0 elsewhere; filled in place. Of 32 bits for at most `LARGEST`
        voxels, else of 64.
    starts, indices : array (count + 1,), (N,)
        As from `sources`.
    """
    nz, ny, nx = levels.shape
    height, basin = levels.reshape(-1), labels.reshape(-1)
    head, tail = np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    steps = (-ny * nx, ny * nx, -nx, nx, -1, 1)
    for level in range(count):
        i = starts[level]
        while i < starts[level + 1] or head[level] >= 0:
            if i < starts[level + 1]:
                v = indices[i]
                i += 1
            else:
                v = head[level]
                code = -1 - int(basin[v])
                head[level] = (code >> 3) - 1
                basin[v] = basin[v + steps[code & 7]]
            z, y, x = v // (ny * nx), v // nx % ny, v % nx
            inside = (z > 0, z < nz - 1, y > 0, y < ny - 1, x > 0, x < nx - 1)
            for k in range(6):
                if inside[k] and basin[v + steps[k]] == 0:
                    w = v + steps[k]
                    at = max(int(height[w]), level)
                    basin[w] = -1 - (k ^ 1)
                    if head[at] < 0:
                        head[at] = w
                    else:
                        basin[tail[at]] -= 8 * (w + 1)
                    tail[at] = w


@njit(cache=True, nogil=True)
def minima(levels: NDArray[np.uint16], count: int, depth: int, parent: Integers) -> None:
    """Mark one voxel of each minimum that is at least `depth` levels below the pass to a lower.

    Voxels are visited from the lowest level up, in C order within a level, and basins joined where
    they meet (Kruskal's minimum spanning forest); a basin that is not deep enough then loses its
    own minimum, which is noted in the highest bit of its level.

    Parameters
    ----------
    levels : array (Z, Y, X) of uint16
        Below `count`, which is at most 32768; as it was in the end.
    parent : array (Z, Y, X) of int32 or int64
        Becomes 1, 2, … at the minima, in C order, and 0 elsewhere. Meanwhile it is the parent of
        each visited voxel, and -2 - w of another, where w follows it at its level (-1: none).
    """
    nz, ny, nx = levels.shape
    height, tree = levels.reshape(-1), parent.reshape(-1)
    head = np.full(count, -1, np.int64)
    for v in range(height.size - 1, -1, -1):
        tree[v] = -2 - head[height[v]]
        head[height[v]] = v
    steps = (-ny * nx, ny * nx, -nx, nx, -1, 1)
    for level in range(count):
        v = head[level]
        while v >= 0:
            behind = -2 - int(tree[v])
            tree[v] = v
            z, y, x = v // (ny * nx), v // nx % ny, v % nx
            inside = (z > 0, z < nz - 1, y > 0, y < ny - 1, x > 0, x < nx - 1)
            for k in range(6):
                if not inside[k] or tree[v + steps[k]] < 0:
                    continue
                a, b = v, v + steps[k]
                while tree[a] != a:
                    tree[a] = tree[tree[a]]
                    a = int(tree[a])
                while tree[b] != b:
                    tree[b] = tree[tree[b]]
                    b = int(tree[b])
                if a == b:
                    continue
                if height[b] > height[a] or (height[b] == height[a] and b > a):
                    a, b = b, a
                tree[a] = b  # the higher minimum joins the lower, or the first of equals
                if level - int(height[a]) < depth:
                    height[a] |= SHALLOW
            v = behind
    number = 0
    for v in range(height.size):
        if height[v] & SHALLOW:
            height[v] ^= SHALLOW
            tree[v] = 0
        else:
            number += 1
            tree[v] = number
