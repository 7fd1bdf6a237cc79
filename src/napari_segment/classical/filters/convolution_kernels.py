"""Kernels of separable convolution: sums along one axis, the same for every voxel.

Mirrored neighbours are added (or subtracted) before they are weighted, nearest first, so a
flipped image gives the flipped result to the last bit, and so does any block of it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from napari_segment.arrays import Floats, Integers


@njit(cache=True, nogil=True, error_model="numpy")
def along_first(
    src: Floats,
    rows: int,
    first: int,
    last: int,
    index: Integers,
    weights: Floats,
    odd: bool,
    out: Floats,
) -> None:
    """Convolve along axis 0 of `src` (n, m, x) for the positions `first` to `last`.

    `out[i, j]` is the result at ``(first + i, j)`` for the first `rows` of axis 1.
    `index` maps positions from ``-radius`` on to existing ones; ``weights[k]`` is that of
    the neighbours at distance k.
    """
    radius = len(weights) - 1
    nx = src.shape[2]
    for j in range(rows):
        for i in range(first, last):
            line = out[i - first, j]
            centre = src[i, j]
            if odd:
                for x in range(nx):
                    line[x] = 0
            else:
                for x in range(nx):
                    line[x] = weights[0] * centre[x]
            for k in range(1, radius + 1):
                w = weights[k]
                before, after = src[index[i + radius - k], j], src[index[i + radius + k], j]
                if odd:
                    for x in range(nx):
                        line[x] += w * (after[x] - before[x])
                else:
                    for x in range(nx):
                        line[x] += w * (after[x] + before[x])


@njit(cache=True, nogil=True, error_model="numpy")
def along_rows(src: Floats, index: Integers, weights: Floats, odd: bool, out: Floats) -> None:
    """Convolve along the last axis of `src` (m, x) into `out` of the same shape."""
    radius = len(weights) - 1
    rows, nx = src.shape
    padded = np.empty(nx + 2 * radius, src.dtype)
    for j in range(rows):
        row, line = src[j], out[j]
        for x in range(radius):
            padded[x] = row[index[x]]
            padded[nx + radius + x] = row[index[nx + radius + x]]
        for x in range(nx):
            padded[x + radius] = row[x]
        if odd:
            for x in range(nx):
                line[x] = 0
        else:
            for x in range(nx):
                line[x] = weights[0] * row[x]
        for k in range(1, radius + 1):
            w = weights[k]
            before, after = padded[radius - k :], padded[radius + k :]
            if odd:
                for x in range(nx):
                    line[x] += w * (after[x] - before[x])
            else:
                for x in range(nx):
                    line[x] += w * (after[x] + before[x])
