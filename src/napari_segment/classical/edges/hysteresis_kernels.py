"""Canny's hysteresis: from strong voxels along the weak ones that hang together with them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

STRONG, WEAK = 1, 2  # so that what is left in the end is a mask


@njit(cache=True, nogil=True)
def follow(code: NDArray[np.uint8], weak: NDArray[np.int64]) -> None:
    """Make strong what is weak and hangs together with strong voxels, from the places `weak`.

    Several threads may do this on one volume with a share of the weak voxels each: weak voxels
    only ever become strong, and whoever makes one strong looks at all that touch it.

    Parameters
    ----------
    code : array (Z, Y, X) of uint8
    weak : array of int64
        Flat positions.
    """
    flat, stack = code.reshape(-1), np.empty(4096, np.int64)
    for start in weak:
        count = 0
        if flat[start] == WEAK and _touches_strong(code, start):
            flat[start] = STRONG
            stack[0] = start
            count = 1
        while count:
            count -= 1
            here = stack[count]
            if count + 27 > len(stack):
                longer = np.empty(2 * len(stack), np.int64)
                for k in range(count):
                    longer[k] = stack[k]
                stack = longer
            z0, z1, y0, y1, x0, x1 = _around(code.shape, here)
            for z in range(z0, z1):
                for y in range(y0, y1):
                    row = (z * code.shape[1] + y) * code.shape[2]
                    for there in range(row + x0, row + x1):
                        if flat[there] == WEAK:
                            flat[there] = STRONG
                            stack[count] = there
                            count += 1


@njit(cache=True, nogil=True)
def _touches_strong(code: NDArray[np.uint8], index: int) -> bool:
    z0, z1, y0, y1, x0, x1 = _around(code.shape, index)
    for z in range(z0, z1):
        for y in range(y0, y1):
            for x in range(x0, x1):
                if code[z, y, x] == STRONG:
                    return True
    return False


@njit(cache=True, nogil=True)
def _around(shape: tuple[int, int, int], index: int) -> tuple[int, int, int, int, int, int]:
    """A voxel and all that touch it: first and one past the last along each axis."""
    nz, ny, nx = shape
    z, y, x = index // (ny * nx), index // nx % ny, index % nx
    return (
        max(z - 1, 0),
        min(z + 2, nz),
        max(y - 1, 0),
        min(y + 2, ny),
        max(x - 1, 0),
        min(x + 2, nx),
    )
