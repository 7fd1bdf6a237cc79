"""Kernels of filters that weigh neighbours by their likeness, and of total variation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def bilateral(
    src: Any, first: int, last: int, radius: Any, offsets: Any, nearness: Any, likeness: Any,
    scale: Any, out: Any,
) -> None:  # fmt: skip
    """Means of the planes `first` to `last` weighted by nearness and by likeness of value.

    `src` has a margin of `radius` along Z, Y and X, and ``offsets`` count from its beginning.
    ``likeness[i]`` is the weight of a difference of ``i / scale``; beyond its end it is 0.
    """
    rz, ry, rx = radius[0], radius[1], radius[2]
    ny, nx = src.shape[1] - 2 * ry, src.shape[2] - 2 * rx
    most = len(likeness)
    total, mass = np.empty(nx, src.dtype), np.empty(nx, src.dtype)
    for z in range(first, last):
        for y in range(ny):
            centre = src[z + rz, y + ry, rx : rx + nx]
            total[:] = 0
            mass[:] = 0
            for k in range(len(offsets)):
                dz, dy, dx = offsets[k]
                row, near = src[z + dz, y + dy, dx : dx + nx], nearness[k]
                for x in range(nx):
                    i = abs(row[x] - centre[x]) * scale
                    if i < most:
                        w = near * likeness[int(i)]
                        total[x] += w * row[x]
                        mass[x] += w
                    elif i != i:
                        total[x] += i
            line = out[z - first, y]
            for x in range(nx):
                line[x] = total[x] / mass[x]


@njit(cache=True, nogil=True, error_model="numpy")
def nonlocal_means(
    src: Any, first: int, last: int, search: Any, patch: Any, margin: Any, decay: Any, floor: Any,
    out: Any,
) -> None:  # fmt: skip
    """Means of the planes `first` to `last` weighted by the likeness of their surroundings.

    `search`, `patch` and `margin` are radii along Z, Y and X; `src` has that margin along all
    axes. The exponent of a weight is the mean squared difference of two patches, less `floor`,
    times 1024 `decay`; the exponential is taken as the 1024th power of 1 - exponent / 1024, the
    same for every voxel.
    """
    mz, my, mx = margin[0], margin[1], margin[2]
    pz, py, px = patch[0], patch[1], patch[2]
    ny, nx = src.shape[1] - 2 * my, src.shape[2] - 2 * mx
    size = src.dtype.type(1 / ((2 * pz + 1) * (2 * py + 1) * (2 * px + 1)))
    zero, one = src.dtype.type(0), src.dtype.type(1)
    wide = nx + 2 * px
    total, mass = np.empty(nx, src.dtype), np.empty(nx, src.dtype)
    squares, distance = np.empty(wide, src.dtype), np.empty(nx, src.dtype)
    for z in range(first, last):
        for y in range(ny):
            total[:] = 0
            mass[:] = 0
            for dz in range(-search[0], search[0] + 1):
                for dy in range(-search[1], search[1] + 1):
                    for dx in range(-search[2], search[2] + 1):
                        squares[:] = 0
                        for qz in range(-pz, pz + 1):
                            for qy in range(-py, py + 1):
                                a = src[z + mz + qz, y + my + qy, mx - px : mx - px + wide]
                                start = mx - px + dx
                                b = src[z + mz + qz + dz, y + my + qy + dy, start : start + wide]
                                for x in range(wide):
                                    squares[x] += (a[x] - b[x]) * (a[x] - b[x])
                        distance[:] = 0
                        for qx in range(2 * px + 1):
                            for x in range(nx):
                                distance[x] += squares[x + qx]
                        row = src[z + mz + dz, y + my + dy, mx + dx : mx + dx + nx]
                        for x in range(nx):
                            w = one - max(distance[x] * size - floor, zero) * decay
                            w = max(w, zero)
                            for _ in range(10):
                                w *= w
                            total[x] += w * row[x]
                            mass[x] += w
            line = out[z - first, y]
            for x in range(nx):
                line[x] = total[x] / mass[x]


@njit(cache=True, nogil=True, error_model="numpy")
def diverge(image: Any, dual: Any, scale: Any, first: int, last: int, out: Any) -> None:
    """The image plus the divergence of the dual field, for some planes (Chambolle)."""
    ny, nx = image.shape[1:]
    sz, sy, sx = scale[0], scale[1], scale[2]
    for z in range(first, last):
        for y in range(ny):
            line, row = out[z, y], image[z, y]
            pz, py, px = dual[0, z, y], dual[1, z, y], dual[2, z, y]
            qz, qy = dual[0, max(z - 1, 0), y], dual[1, z, max(y - 1, 0)]
            wz, wy = (sz if z > 0 else 0 * sz), (sy if y > 0 else 0 * sy)
            line[0] = row[0] + ((qz[0] * wz - pz[0] * sz) + (qy[0] * wy - py[0] * sy) - px[0] * sx)
            for x in range(1, nx):
                line[x] = row[x] + (
                    (qz[x] * wz - pz[x] * sz) + (qy[x] * wy - py[x] * sy) + (px[x - 1] - px[x]) * sx
                )


@njit(cache=True, nogil=True, error_model="numpy")
def ascend(image: Any, dual: Any, scale: Any, tau: Any, weight: Any, first: int, last: int) -> None:
    """One projected step of the dual field along the gradient of the current image."""
    nz, ny, nx = image.shape
    for z in range(first, last):
        for y in range(ny):
            row = image[z, y]
            below, after = image[min(z + 1, nz - 1), y], image[z, min(y + 1, ny - 1)]
            pz, py, px = dual[0, z, y], dual[1, z, y], dual[2, z, y]
            for x in range(nx):
                gz = (below[x] - row[x]) * scale[0]
                gy = (after[x] - row[x]) * scale[1]
                gx = (row[min(x + 1, nx - 1)] - row[x]) * scale[2]
                length = 1 + np.sqrt(gz * gz + gy * gy + gx * gx) * (tau / weight)
                pz[x] = (pz[x] - tau * gz) / length
                py[x] = (py[x] - tau * gy) / length
                px[x] = (px[x] - tau * gx) / length
