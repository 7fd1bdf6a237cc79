"""Canny's two steps on volumes: thinning along the gradient, and hysteresis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_segment.classical.edges._gradient import components

WEAK, STRONG, KEPT = 1, 2, 3


@njit(cache=True, nogil=True, error_model="numpy")
def thin(
    smooth: Any, strength: Any, first: int, last: int, weights: Any, scale: Any, step: Any,
    low: Any, high: Any, out: Any,
) -> None:  # fmt: skip
    """Mark voxels of the planes `first` to `last` at which the gradient is largest along itself.

    `strength` is the gradient magnitude of `smooth`, from the same `weights` and `scale`. It is
    interpolated linearly where the gradient's direction leaves the cube of the 26 neighbours, on
    either side. ``step`` turns units of length into voxels. Beyond the edges the outermost
    values repeat.
    """
    ny, nx = smooth.shape[1:]
    rows, parts = np.empty((3, nx + 2), smooth.dtype), np.empty((3, nx), smooth.dtype)
    sz, sy, sx = step[0], step[1], step[2]
    for z in range(first, last):
        for y in range(ny):
            components(smooth, z, y, weights, scale, rows, parts)
            line, centre = out[z - first, y], strength[z, y]
            for x in range(nx):
                m = centre[x]
                line[x] = 0
                if not (m >= low and m > 0):
                    continue
                gz, gy, gx = parts[0, x] * sz, parts[1, x] * sy, parts[2, x] * sx
                most = max(abs(gz), abs(gy), abs(gx))
                gz, gy, gx = gz / most, gy / most, gx / most
                if _at(strength, z, y, x, gz, gy, gx) > m:
                    continue
                if _at(strength, z, y, x, -gz, -gy, -gx) > m:
                    continue
                line[x] = STRONG if m >= high else WEAK


@njit(cache=True, nogil=True, error_model="numpy")
def _at(f: Any, z: int, y: int, x: int, gz: Any, gy: Any, gx: Any) -> Any:
    """Linear interpolation at an offset of which one component is ±1 and none is longer."""
    nz, ny, nx = f.shape
    zn = min(max(z + (1 if gz > 0 else -1), 0), nz - 1)
    yn = min(max(y + (1 if gy > 0 else -1), 0), ny - 1)
    xn = min(max(x + (1 if gx > 0 else -1), 0), nx - 1)
    az, ay, ax = abs(gz), abs(gy), abs(gx)
    bz, by, bx = f.dtype.type(1) - az, f.dtype.type(1) - ay, f.dtype.type(1) - ax
    if az >= 1:
        near = bx * f[zn, y, x] + ax * f[zn, y, xn]
        far = bx * f[zn, yn, x] + ax * f[zn, yn, xn]
        return by * near + ay * far
    if ay >= 1:
        near = bx * f[z, yn, x] + ax * f[z, yn, xn]
        far = bx * f[zn, yn, x] + ax * f[zn, yn, xn]
        return bz * near + az * far
    near = by * f[z, y, xn] + ay * f[z, yn, xn]
    far = by * f[zn, y, xn] + ay * f[zn, yn, xn]
    return bz * near + az * far


@njit(cache=True, nogil=True)
def follow(flat: Any, offsets: Any, first: int, last: int, low: int, high: int) -> None:
    """Turn into KEPT what hangs together with strong voxels from `first` to `last`.

    Only positions from `low` to `high` of the flat array are changed. ``offsets`` lead from a
    voxel to its neighbours; the array has a margin of zeros, so they lead nowhere else.
    """
    stack = np.empty(4096, np.int64)
    for start in range(first, last):
        if flat[start] != STRONG:
            continue
        flat[start] = KEPT
        stack[0], count = start, 1
        while count:
            count -= 1
            here = stack[count]
            if count + len(offsets) > len(stack):
                longer = np.empty(2 * len(stack), np.int64)
                longer[:count] = stack[:count]
                stack = longer
            for offset in offsets:
                there = here + offset
                if (flat[there] == WEAK or flat[there] == STRONG) and low <= there < high:
                    flat[there] = KEPT
                    stack[count] = there
                    count += 1


@njit(cache=True, nogil=True)
def largest(bits: Any, infinity: Any) -> Any:
    """The largest number below `infinity`, at least 0, of the bit patterns of floats.

    Patterns of positive floats are ordered like the floats, and compare several at once.
    """
    most = bits.dtype.type(0)
    for value in bits:
        most = max(most, value if value < infinity else most)
    return most
