"""Kernels of k-means: the nearest center, and sums of codes.

A voxel's cluster follows from its own features alone, and sums are of whole numbers: neither
blocks nor threads change a result.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Codes = NDArray[np.uint16]
Points = NDArray[np.float32]

NONE = 255  # cluster of a voxel that has no place among the features
_TILE = 512


@njit(cache=True, nogil=True)
def nearest(points: Points, centers: Points, clusters: NDArray[np.uint8]) -> None:
    """Number each column of points (D, N) by its nearest center (K, D), the first of equals."""
    depth, n = points.shape
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


@njit(cache=True, nogil=True)
def accumulate(
    codes: Codes, clusters: NDArray[np.uint8], sums: NDArray[np.int64], counts: NDArray[np.int64]
) -> None:
    """Add codes (D, N) to the sums (K, D) and counts (K,) of their clusters."""
    depth, n = codes.shape
    for i in range(n):
        k = clusters[i]
        if k != NONE:
            counts[k] += 1
            for d in range(depth):
                sums[k, d] += codes[d, i]


@njit(cache=True, nogil=True)
def accumulate_cells(
    codes: Codes,
    low: NDArray[np.int64],
    shift: NDArray[np.int64],
    bits: int,
    hole: int,
    cells: NDArray[np.int64],
) -> None:
    """Add codes (D, N) to the cells (M, D + 1) of a grid: sums, and last the counts."""
    depth, n = codes.shape
    for i in range(n):
        if codes[0, i] == hole:
            continue
        cell = 0
        for d in range(depth):
            cell = (cell << bits) | ((int(codes[d, i]) - low[d]) >> shift[d])
        for d in range(depth):
            cells[cell, d] += codes[d, i]
        cells[cell, depth] += 1
