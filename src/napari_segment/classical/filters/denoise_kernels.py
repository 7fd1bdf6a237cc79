"""Kernels of filters that weigh neighbours by their likeness, and of total variation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.arrays import Floats, Integers

DUAL = 32767  # the bound of the dual field of total variation, in the steps in which it is stored


@njit(cache=True, nogil=True, error_model="numpy")
def bilateral(
    src: Floats,
    first: int,
    last: int,
    radius: Integers,
    offsets: Integers,
    nearness: Floats,
    decay: float,
    out: Floats,
) -> None:
    """Means of the planes `first` to `last` weighted by nearness and by likeness of value.

    `src` has a margin of `radius` along Z, Y and X, and ``offsets`` count from its beginning. The
    exponent of likeness is 1024 `decay` times the squared difference; the exponential is taken as
    the 1024th power of 1 - exponent / 1024, which needs no table. Infinite differences weigh 0.
    """
    rz, ry, rx = radius[0], radius[1], radius[2]
    ny, nx = src.shape[1] - 2 * ry, src.shape[2] - 2 * rx
    zero, one = src.dtype.type(0), src.dtype.type(1)
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
                    apart = row[x] - centre[x]
                    w = one - apart * apart * decay
                    w = zero if w < zero else w  # NaN stays
                    for _ in range(10):
                        w *= w
                    w *= near
                    total[x] += w * row[x] if w != zero else zero
                    mass[x] += w
            line = out[z - first, y]
            for x in range(nx):
                line[x] = total[x] / mass[x]


@njit(cache=True, nogil=True, error_model="numpy")
def nonlocal_means(
    src: Floats, first: int, last: int, search: Integers, patch: Integers, margin: Integers,
    decay: float, floor: float, out: Floats,
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
def descend(
    image: NDArray[Any], dual: NDArray[np.int16], scale: Floats, unit: float, speed: float,
    along: int, begin: int, end: int, first: int, last: int, out: Floats,
) -> None:  # fmt: skip
    """Take iterations `first` to `last` of total variation where a wave front passes (Chambolle).

    An iteration takes, sheet by sheet, one projected step of the dual field along the gradient of
    the current image, and then the image plus the field's divergence. Sheets of iteration k follow
    one behind those of iteration k - 1: at time t iteration k is at sheet t - k. So the dual field
    is stored only where the front is.

    Parameters
    ----------
    image : array (Z, Y, X)
    dual : array (3, W, L, X) of int16
        The field of sheet s at index s % W, in steps of which `DUAL` are the bound of its length.
    scale : array (3,)
        Of differences along Z, Y and X.
    unit, speed : float
        One step of the field in the image, and the step along a gradient of 1 in steps.
    along : int
        The axis that the front goes along: sheets are planes of Z and X (1), or of Y and X (0).
    begin, end : int
        Times.
    first, last : int
        Iterations.
    out : array (Z, Y, X)
        The current image.
    """
    nz, ny, nx = image.shape
    sheets, lines = (nz, ny) if along == 0 else (ny, nz)
    kind = out.dtype.type
    zero, one, most = kind(0), kind(1), kind(DUAL)
    bend = speed / most
    sz, sy, sx = scale[0] * unit, scale[1] * unit, scale[2] * unit
    gx = np.zeros(nx, out.dtype)
    for t in range(begin, end):
        for k in range(max(first, t - sheets + 1), min(last, t + 1)):
            s = t - k
            here, there = s % dual.shape[1], max(s - 1, 0) % dual.shape[1]
            if k == 0:
                dual[:, here] = 0
            for i in range(lines):
                z, y = (s, i) if along == 0 else (i, s)
                row = out[z, y]
                below, after = out[min(z + 1, nz - 1), y], out[z, min(y + 1, ny - 1)]
                pz, py, px = dual[0, here, i], dual[1, here, i], dual[2, here, i]
                for x in range(nx - 1):
                    gx[x] = (row[x + 1] - row[x]) * scale[2]
                for x in range(nx):
                    gz, gy = (below[x] - row[x]) * scale[0], (after[x] - row[x]) * scale[1]
                    length = one + np.sqrt(gz * gz + gy * gy + gx[x] * gx[x]) * bend
                    share = one / length if length < np.inf else zero
                    known = share > 0
                    a, b, c = (gz, gy, gx[x]) if known else (zero, zero, zero)
                    pz[x] = np.int16(np.rint((kind(pz[x]) - speed * a) * share))
                    py[x] = np.int16(np.rint((kind(py[x]) - speed * b) * share))
                    px[x] = np.int16(np.rint((kind(px[x]) - speed * c) * share))
            for i in range(lines):
                z, y = (s, i) if along == 0 else (i, s)
                line, row = out[z, y], image[z, y]
                pz, py, px = dual[0, here, i], dual[1, here, i], dual[2, here, i]
                qz = dual[0, there, i] if along == 0 else dual[0, here, max(i - 1, 0)]
                qy = dual[1, here, max(i - 1, 0)] if along == 0 else dual[1, there, i]
                wz, wy = (sz if z > 0 else 0 * sz), (sy if y > 0 else 0 * sy)
                for x in range(nx):
                    down = kind(qz[x]) * wz - kind(pz[x]) * sz
                    back = kind(qy[x]) * wy - kind(py[x]) * sy
                    line[x] = kind(row[x]) + (down + back - kind(px[x]) * sx)
                for x in range(1, nx):
                    line[x] += kind(px[x - 1]) * sx
