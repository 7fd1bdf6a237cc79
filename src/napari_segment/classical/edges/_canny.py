"""Canny's two steps on volumes: thinning along the gradient, and hysteresis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from napari_segment.classical.edges._gradient import components

WEAK, STRONG = 1, 2


@njit(cache=True, nogil=True, error_model="numpy")
def thin(
    smooth: Any, strength: Any, first: int, last: int, weights: Any, scale: Any, step: Any,
    low: Any, high: Any, out: Any,
) -> None:  # fmt: skip
    """Mark voxels of the planes `first` to `last` at which the gradient is largest along itself.

    `strength` is the gradient magnitude of these planes, from the same `weights` and `scale`, with
    a margin of one voxel along each axis of which `smooth` has more than one. It is interpolated
    linearly where the gradient's direction leaves the cube of the 26 neighbours, on either side.
    ``step`` turns units of length into voxels.
    """
    nz, ny, nx = smooth.shape
    height, width = strength.shape[1:]
    flat = strength.reshape(-1)
    oz = height * width if nz > 1 else 0
    oy = width if ny > 1 else 0
    ox = 1 if nx > 1 else 0
    rows, parts = np.empty((3, nx + 2), smooth.dtype), np.empty((3, nx), smooth.dtype)
    gz, gy, gx = parts[0], parts[1], parts[2]
    strong = np.empty(nx + 1, np.int64)
    sz, sy, sx = step[0], step[1], step[2]
    one = smooth.dtype.type(1)
    for z in range(first, last):
        for y in range(ny):
            line = out[z - first, y]
            begin = (z - first) * height * width + y * width + oz + oy + ox
            count = 0
            for x in range(nx):  # without a branch, since noise defies prediction
                line[x] = 0
                strong[count] = x
                count += flat[begin + x] >= low
            if count:
                components(smooth, z, y, weights, scale, rows, parts)
            for k in range(count):
                x = strong[k]
                m = flat[begin + x]
                if not m > 0:
                    continue
                dz, dy, dx = gz[x] * sz, gy[x] * sy, gx[x] * sx
                az, ay, ax = abs(dz), abs(dy), abs(dx)
                a = oz if dz > 0 else -oz
                b = oy if dy > 0 else -oy
                c = ox if dx > 0 else -ox
                if az >= ay and az >= ax:  # the direction leaves through the face across Z
                    u, v = ay / az, ax / az
                elif ay >= ax:
                    a, b, u, v = b, a, az / ay, ax / ay
                else:
                    a, c, u, v = c, a, ay / ax, az / ax
                p, q = one - u, one - v
                i = begin + x + a
                ahead = p * (q * flat[i] + v * flat[i + c])
                ahead += u * (q * flat[i + b] + v * flat[i + b + c])
                if ahead > m:
                    continue
                i = begin + x - a
                behind = p * (q * flat[i] + v * flat[i - c])
                behind += u * (q * flat[i - b] + v * flat[i - b - c])
                if behind > m:
                    continue
                line[x] = STRONG if m >= high else WEAK


@njit(cache=True, nogil=True)
def follow(flat: Any, offsets: Any, first: int, last: int, low: int, high: int) -> None:
    """Make strong what is weak and hangs together with strong voxels, from `first` to `last`.

    Only positions from `low` to `high` of the flat array are changed. ``offsets`` lead from a
    voxel to its neighbours; the array has a margin of zeros, so they lead nowhere else.
    """
    around = len(offsets)
    stack = np.empty(4096, np.int64)
    whole = (last - first) // 8
    words = flat[first : first + 8 * whole].view(np.uint64)  # most hold nothing
    for w in range(whole + 1):
        if w < whole and words[w] == 0:
            continue
        for start in range(first + 8 * w, min(first + 8 * w + 8, last)):
            if flat[start] != WEAK:
                continue
            for k in range(around):
                if flat[start + offsets[k]] == STRONG:
                    flat[start] = STRONG
                    break
            count = 0
            if flat[start] == STRONG:
                stack[0] = start
                count = 1
            while count:
                count -= 1
                here = stack[count]
                for k in range(around):
                    there = here + offsets[k]
                    if flat[there] == WEAK and low <= there < high:
                        flat[there] = STRONG
                        stack[count] = there
                        count += 1
                if count + around > len(stack):
                    longer = np.empty(2 * len(stack), np.int64)
                    for k in range(count):
                        longer[k] = stack[k]
                    stack = longer


@njit(cache=True, nogil=True, error_model="numpy")
def magnitudes(smooth: Any, first: int, last: int, weights: Any, scale: Any, out: Any) -> None:
    """Gradient magnitude of the planes `first` to `last` and of a margin around them.

    `out` is longer than the planes by a margin of one voxel on either side, or by none, along each
    axis. Beyond the edges of `smooth` the outermost magnitudes repeat.
    """
    nz, ny, nx = smooth.shape
    mz = (out.shape[0] - (last - first)) // 2
    my, mx = (out.shape[1] - ny) // 2, (out.shape[2] - nx) // 2
    rows, parts = np.empty((3, nx + 2), smooth.dtype), np.empty((3, nx), smooth.dtype)
    gz, gy, gx = parts[0], parts[1], parts[2]
    for k in range(out.shape[0]):
        z = min(max(first - mz + k, 0), nz - 1)
        for y in range(ny):
            components(smooth, z, y, weights, scale, rows, parts)
            line = out[k, y + my]
            middle = line[mx : mx + nx]
            for x in range(nx):
                middle[x] = np.sqrt(gz[x] * gz[x] + gy[x] * gy[x] + gx[x] * gx[x])
            line[0], line[nx + 2 * mx - 1] = middle[0], middle[nx - 1]
        for x in range(out.shape[2]):
            out[k, 0, x] = out[k, my, x]
            out[k, ny + 2 * my - 1, x] = out[k, my + ny - 1, x]


@njit(cache=True, nogil=True, error_model="numpy")
def steepest(smooth: Any, first: int, last: int, weights: Any, scale: Any, peaks: Any) -> None:
    """Raise ``peaks[x]`` to the largest finite gradient magnitude at x in some planes."""
    ny, nx = smooth.shape[1:]
    rows, parts = np.empty((3, nx + 2), smooth.dtype), np.empty((3, nx), smooth.dtype)
    gz, gy, gx = parts[0], parts[1], parts[2]
    for z in range(first, last):
        for y in range(ny):
            components(smooth, z, y, weights, scale, rows, parts)
            for x in range(nx):
                m = np.sqrt(gz[x] * gz[x] + gy[x] * gy[x] + gx[x] * gx[x])
                peaks[x] = m if m > peaks[x] and m < np.inf else peaks[x]
