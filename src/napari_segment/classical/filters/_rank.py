"""Medians of boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def middle(values: Any, count: int) -> Any:
    """The median of an odd number of values, which are reordered (Hoare's selection)."""
    low, high, k = 0, count - 1, count // 2
    while low < high:
        pivot = values[k]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while pivot < values[j]:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if j < k:
            low = i
        if k < i:
            high = j
    return values[k]


@njit(cache=True, nogil=True)
def median_rows(
    src: Any, radius: Any, index_z: Any, index_y: Any, index_x: Any, a: int, b: int, out: Any
) -> None:
    """Medians of the boxes about the voxels of the planes `a` to `b` of `src` (z, y, x)."""
    rz, ry, rx = radius[0], radius[1], radius[2]
    values = np.empty((2 * rz + 1) * (2 * ry + 1) * (2 * rx + 1), src.dtype)
    for z in range(a, b):
        for y in range(src.shape[1]):
            for x in range(src.shape[2]):
                count = 0
                for dz in range(2 * rz + 1):
                    plane = src[index_z[z + dz]]
                    for dy in range(2 * ry + 1):
                        row = plane[index_y[y + dy]]
                        for dx in range(2 * rx + 1):
                            values[count] = row[index_x[x + dx]]
                            count += 1
                out[z - a, y, x] = middle(values, count)
