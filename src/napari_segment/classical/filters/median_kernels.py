"""Medians of boxes, found bit by bit for a whole row at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.arrays import Integers

Ordered = NDArray[np.unsignedinteger[Any]]  # numbers in the order of the values


@njit(cache=True, nogil=True)
def median_rows(
    src: Ordered,
    index_z: Integers,
    index_y: Integers,
    index_x: Integers,
    bits: int,
    out: Ordered,
) -> None:
    """Medians of boxes of `src` (z, y, x).

    The index of each axis says which positions of `src` are those from ``-radius`` on; the box is
    as wide as the index is longer than `out`. Values are unsigned integers of so many `bits`, in a
    type that can also count the voxels of a box. The median is the greatest number that at most
    half of them are less than.
    """
    nz, ny, nx = out.shape
    wz, wy, wx = len(index_z) - nz + 1, len(index_y) - ny + 1, len(index_x) - nx + 1
    half = src.dtype.type(wz * wy * wx // 2)
    rows = np.empty((wz * wy, nx + wx - 1), src.dtype)
    count, trial = np.empty(nx, src.dtype), np.empty(nx, src.dtype)
    for z in range(nz):
        for y in range(ny):
            for k in range(wz * wy):
                row = src[index_z[z + k // wy], index_y[y + k % wy]]
                for x in range(nx + wx - 1):
                    rows[k, x] = row[index_x[x]]
            answer = out[z, y]
            answer[:] = 0
            for bit in range(bits - 1, -1, -1):
                one = src.dtype.type(1 << bit)
                for x in range(nx):
                    trial[x] = answer[x] | one
                count[:] = 0
                for k in range(wz * wy):
                    for dx in range(wx):
                        row = rows[k, dx : dx + nx]
                        for x in range(nx):
                            count[x] += row[x] < trial[x]
                for x in range(nx):
                    answer[x] = trial[x] if count[x] <= half else answer[x]
