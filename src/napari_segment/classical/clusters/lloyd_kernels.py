"""Compiled kernels of k-means: sums over cells, owners of cells, the nearest center, descents.

A voxel's cluster follows from its own features alone, and sums over voxels are of whole numbers:
neither blocks nor threads change a result.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Codes = NDArray[np.uint16]
Sums = NDArray[np.int64]
Singles = NDArray[np.float32]
Doubles = NDArray[np.float64]

NONE = 255  # cluster of a voxel that has no place among the features
DIVIDED = 254  # owner of a cell in which not every place is nearest to the same center
_TILE = 512
_SLACK = 1e-5  # of the squares: more than what single precision can mistake


@njit(cache=True, nogil=True)
def nearest(points: Singles, n: int, centers: Singles, clusters: NDArray[np.uint8]) -> None:
    """Number the first n columns of points (D, N) by the nearest of the centers (K, D).

    The first of equals is taken.
    """
    depth = len(points)
    distance = np.empty(_TILE, np.float32)
    best = np.empty(_TILE, np.float32)
    which = np.empty(_TILE, np.int32)
    for start in range(0, n, _TILE):
        size = min(_TILE, n - start)
        best[:] = np.inf
        which[:] = 0
        for k in range(len(centers)):
            distance[:] = 0
            for d in range(depth):
                center = centers[k, d]
                for i in range(size):
                    distance[i] += (points[d, start + i] - center) ** 2
            for i in range(size):
                closer = distance[i] < best[i]
                which[i] = k if closer else which[i]
                best[i] = distance[i] if closer else best[i]
        for i in range(size):
            clusters[start + i] = which[i]


# ---- voxels and cells ----


@njit(cache=True, nogil=True)
def _locate(
    codes: Codes,
    start: int,
    size: int,
    low: Sums,
    shift: Sums,
    bits: int,
    hole: int,
    cells: NDArray[np.int32],
) -> None:
    """The cells in which codes (D, start … start + size) lie; one past the last for holes."""
    depth = len(codes)
    cells[:size] = 0
    for d in range(depth):
        least, wide = np.int32(low[d]), np.int32(shift[d])
        for i in range(size):
            index = (np.int32(codes[d, start + i]) - least) >> wide
            cells[i] = (cells[i] << np.int32(bits)) | index
    if hole >= 0:
        for i in range(size):
            if codes[0, start + i] == hole:
                cells[i] = 1 << (bits * depth)


@njit(cache=True, nogil=True)
def add_to_cells(codes: Codes, low: Sums, shift: Sums, bits: int, hole: int, totals: Sums) -> None:
    """Add codes (D, N) to the totals (M + 1, D + 1) of cells: sums, and last the numbers."""
    depth, n = codes.shape
    cells = np.empty(_TILE, np.int32)
    for start in range(0, n, _TILE):
        size = min(_TILE, n - start)
        _locate(codes, start, size, low, shift, bits, hole, cells)
        for d in range(depth):
            for i in range(size):
                totals[cells[i], d] += codes[d, start + i]
        for i in range(size):
            totals[cells[i], depth] += 1


@njit(cache=True, nogil=True)
def claim(
    totals: Sums,
    low: Sums,
    shift: Sums,
    bits: int,
    weights: Doubles,
    centers: Doubles,
    owners: NDArray[np.uint8],
) -> None:
    """Find which cells lie in one cluster as a whole: owners (M + 1,), `DIVIDED` for all others.

    A center is nearer than another throughout a box where it is at the corner farthest towards
    the other (Kanungo et al. 2002, doi:10.1109/TPAMI.2002.1017616).
    """
    depth = len(low)
    first, last = np.empty(depth), np.empty(depth)
    owners[:] = DIVIDED
    owners[-1] = NONE
    for cell in range(len(owners) - 1):
        if not totals[cell, depth]:
            continue
        for d in range(depth):
            code = low[d] + (((cell >> (bits * (depth - 1 - d))) & ((1 << bits) - 1)) << shift[d])
            first[d] = code * weights[d]
            last[d] = (code + (1 << shift[d]) - 1) * weights[d]
        k = _central(first, last, centers)
        if _throughout(k, first, last, centers):
            owners[cell] = k


@njit(cache=True, nogil=True)
def _central(first: Doubles, last: Doubles, centers: Doubles) -> int:
    """The center nearest to the middle of a box."""
    best, which = np.inf, 0
    for k in range(len(centers)):
        distance = 0.0
        for d in range(len(first)):
            distance += ((first[d] + last[d]) / 2 - centers[k, d]) ** 2
        if distance < best:
            best, which = distance, k
    return which


@njit(cache=True, nogil=True)
def _throughout(k: int, first: Doubles, last: Doubles, centers: Doubles) -> bool:
    """Whether center k is the nearest, clearly, in all of a box."""
    for j in range(len(centers)):
        if j == k:
            continue
        gap, squares = 0.0, 0.0
        for d in range(len(first)):
            own, other = centers[k, d], centers[j, d]
            corner = last[d] if other > own else first[d]
            gap += (other - own) * (own + other - 2 * corner)
            squares += own * own + other * other + corner * corner
        if gap <= _SLACK * squares:
            return False
    return True


@njit(cache=True, nogil=True)
def number(
    codes: Codes,
    low: Sums,
    shift: Sums,
    bits: int,
    hole: int,
    owners: NDArray[np.uint8],
    weights: Singles,
    centers: Singles,
    clusters: NDArray[np.uint8],
    sums: Sums,
) -> None:
    """Number codes (D, N) by the nearest center, and add those in divided cells to sums (K, D + 1).

    Most voxels lie in cells that belong to one center, which is looked up.
    """
    depth, n = codes.shape
    cells = np.empty(_TILE, np.int32)
    where = np.empty(_TILE, np.int32)
    nearest_clusters = np.empty(_TILE, np.uint8)
    points = np.empty((depth, _TILE), np.float32)
    for start in range(0, n, _TILE):
        size = min(_TILE, n - start)
        _locate(codes, start, size, low, shift, bits, hole, cells)
        count = 0
        for i in range(size):
            owner = owners[cells[i]]
            clusters[start + i] = owner
            where[count] = start + i
            count += owner == DIVIDED
        for d in range(depth):
            for j in range(count):
                points[d, j] = codes[d, where[j]] * weights[d]
        nearest(points, count, centers, nearest_clusters)
        for j in range(count):
            clusters[where[j]] = nearest_clusters[j]
            sums[nearest_clusters[j], depth] += 1
        for d in range(depth):
            for j in range(count):
                sums[nearest_clusters[j], d] += codes[d, where[j]]


@njit(cache=True, nogil=True)
def add_to_clusters(codes: Codes, clusters: NDArray[np.uint8], sums: Sums) -> None:
    """Add codes (D, N) to the sums (K, D + 1) of their clusters: sums, and last the numbers."""
    depth, n = codes.shape
    for i in range(n):
        k = clusters[i]
        if k != NONE:
            for d in range(depth):
                sums[k, d] += codes[d, i]
            sums[k, depth] += 1


# ---- weighted points ----


@njit(cache=True, nogil=True)
def reach(values: Doubles, near: Doubles, drawn: Sums, reached: Doubles) -> None:
    """Squared distances (T, N) of points (D, N) to the nearest center, were a drawn point one."""
    depth, n = values.shape
    for t in range(len(drawn)):
        row = reached[t]
        row[:] = 0
        for d in range(depth):
            center = values[d, drawn[t]]
            for i in range(n):
                row[i] += (values[d, i] - center) ** 2
        for i in range(n):
            row[i] = min(row[i], near[i])


@njit(cache=True, nogil=True)
def descend(
    values: Doubles, single: Singles, mass: Doubles, centers: Doubles, least: float, rounds: int
) -> float:
    """Move centers (K, D) to the means of what is nearest, until inertia hardly falls.

    `single` are the values (D, N) in single precision. Returns the inertia; it ends where a round
    lowers it by no more than the part `least`. A center without members stays.
    """
    depth, n = values.shape
    clusters = np.empty(n, np.uint8)
    spread = 0.0
    for d in range(depth):
        for i in range(n):
            spread += mass[i] * values[d, i] ** 2
    inertia, previous = spread, np.inf
    for _ in range(rounds):
        nearest(single, n, centers.astype(np.float32), clusters)
        inertia = max(spread - _move(values, mass, clusters, centers), 0.0)
        if previous - inertia <= least * inertia:
            break
        previous = inertia
    return inertia


@njit(cache=True, nogil=True)
def _move(values: Doubles, mass: Doubles, clusters: NDArray[np.uint8], centers: Doubles) -> float:
    """Move centers to the means of their clusters; how much the means account for."""
    depth, n = values.shape
    sums = np.zeros((len(centers), depth + 1))
    for i in range(n):
        k = clusters[i]
        for d in range(depth):
            sums[k, d] += mass[i] * values[d, i]
        sums[k, depth] += mass[i]
    held = 0.0
    for k in range(len(centers)):
        if sums[k, depth] > 0:
            for d in range(depth):
                centers[k, d] = sums[k, d] / sums[k, depth]
                held += sums[k, depth] * centers[k, d] ** 2
    return held
