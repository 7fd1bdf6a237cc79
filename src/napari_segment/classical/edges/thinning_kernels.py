"""Kernels of Canny's non-maximum suppression: Gaussian, gradient and its maxima in one pass.

A volume is processed in boxes, plane by plane: only the few planes that are still needed are held,
so they stay in the cache, and a box returns its maxima alone. As in `gradient_kernels`, no value
depends on its position in a box.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.arrays import Floats, Integers

# Compiled where it is called, once, instead of by itself and there: three quarters of the time
_PART = njit(cache=True, nogil=True, error_model="numpy", inline="always")


@njit(cache=True, nogil=True, error_model="numpy")
def gradient_maxima(
    volume: Floats, box: tuple[int, int, int, int], indices: Integers, magnitudes: Floats,
    layout: tuple[int, int], buffers: tuple[NDArray[Any], ...], weights: tuple[Floats, ...],
    mirror: tuple[Integers, ...], sobel: Floats, scale: Floats, step: Floats, least: float,
    low: float, peak: Floats,
) -> tuple[int, np.floating[Any]]:  # fmt: skip
    """The voxels of a box at which the gradient is largest along itself, and how large it is.

    Parameters
    ----------
    volume : array (Z, Y, X) of float
    box : tuple of int
        First plane and one past the last, first row and one past the last.
    indices, magnitudes : array
        Are given the flat positions, and the gradient magnitude there.
    layout : tuple of int
        Where the first voxel lies in the flat array that places refer to, and how far it is there
        from one plane to the next.
    buffers : tuple of array
        What is worked in, made outside since that takes long to compile.
    weights, mirror : tuple of array
        For each axis the weights of the Gaussian at distance 0, 1, …, and the existing positions
        for those from ``-radius`` on.
    sobel, scale, step : array
        Weights of Sobel's operator next to and at the centre, what makes its differences intensity
        per unit of length, and voxels per unit of length.
    least, low : float
        Gradients below `least`, or below the fraction `low` of the largest that is known, are left
        out.
    peak : array (1,) of float
        The largest that is known, by all threads; raised here. One that gets lost between two
        threads costs time only.

    Returns
    -------
    count : int
        How many there are.
    best : float
        The largest finite gradient magnitude of the box, or a larger one that was known.
    """
    nz, ny, nx = volume.shape
    z0, z1, y0, y1 = box
    first, last, radius = max(y0 - 2, 0), min(y1 + 2, ny), len(weights[0]) - 1
    soft, smooth, strength, slope, where, counts, lines = buffers
    best, count, ready = volume.dtype.type(0), 0, max(z0 - 2 - radius, 0)
    for z in range(max(z0 - 2, 0), z1 + 2):
        if z < min(z1 + 2, nz):
            while ready <= min(z + radius, nz - 1):
                in_plane(volume[ready], first, last, weights, mirror, soft[ready % len(soft)])
                ready += 1
            across_planes(soft, mirror[0], z, weights[0], smooth[z % 3])
        g = z - 1  # whose neighbours are smooth by now
        if max(z0 - 1, 0) <= g < min(z1 + 1, nz):
            near = smooth[max(g - 1, 0) % 3], smooth[g % 3], smooth[min(g + 1, nz - 1) % 3]
            best = max(best, peak[0])
            counts[g % 2], best = steep_gradients(
                near, y0, y1, ny, sobel, scale, least, low, best, strength[g % 3], where[g % 2],
                slope[g % 2], lines,
            )  # fmt: skip
            peak[0] = max(peak[0], best)
        h = z - 2  # whose neighbours have their gradients by now
        if z0 <= h < z1:
            candidates = counts[h % 2]
            levels = max(h - 1, 0) % 3, h % 3, min(h + 1, nz - 1) % 3
            new = local_maxima(
                strength, levels, where[h % 2][:candidates], slope[h % 2], step, indices[count:],
                magnitudes[count:],
            )  # fmt: skip
            begin = layout[0] + h * layout[1] + y0 * nx
            for k in range(count, count + new):  # places in `strength` have a margin
                row, column = indices[k] // (nx + 2) - 1, indices[k] % (nx + 2) - 1
                indices[k] = begin + row * nx + column
            count += new
    return count, best


@njit(cache=True, nogil=True, error_model="numpy")
def weigh(flat: Floats, starts: Integers, weights: Floats, out: Floats) -> None:
    """Weigh the rows of a flat array that begin at `starts` (2 r + 1 of them) into `out`.

    ``weights[k]`` is that of the rows at distance k from the middle one. Nearer rows come first;
    two distances are done at a time, which changes no result.
    """
    radius, n = len(weights) - 1, len(out)
    middle, w = flat[starts[radius] :], weights[0]
    for x in range(n):
        out[x] = w * middle[x]
    k = 1
    while k <= radius:
        a, b, w = flat[starts[radius - k] :], flat[starts[radius + k] :], weights[k]
        if k == radius:
            for x in range(n):
                out[x] += w * (b[x] + a[x])
        else:
            c, d, v = flat[starts[radius - k - 1] :], flat[starts[radius + k + 1] :], weights[k + 1]
            for x in range(n):
                out[x] = out[x] + w * (b[x] + a[x]) + v * (d[x] + c[x])
        k += 2


@_PART
def in_plane(
    plane: Floats,
    first: int,
    last: int,
    weights: tuple[Floats, ...],
    mirror: tuple[Integers, ...],
    out: Floats,
) -> None:
    """Rows `first` to `last` of a plane, convolved along Y and X."""
    nx = plane.shape[1]
    flat, radius = plane.reshape(-1), len(weights[2]) - 1
    padded = np.empty(nx + 2 * radius, out.dtype)
    inner = padded[radius : radius + nx]
    down = np.empty(2 * len(weights[1]) - 1, np.int64)
    along = np.empty(2 * radius + 1, np.int64)
    for k in range(len(along)):
        along[k] = k
    for y in range(first, last):
        for k in range(len(down)):
            down[k] = mirror[1][y + k] * nx
        weigh(flat, down, weights[1], inner)
        for x in range(radius):
            padded[x] = inner[mirror[2][x]]
            padded[radius + nx + x] = inner[mirror[2][radius + nx + x]]
        weigh(padded, along, weights[2], out[y - first])


@_PART
def across_planes(soft: Floats, mirror: Integers, z: int, weights: Floats, out: Floats) -> None:
    """Plane `z`, convolved along Z; `out` has a margin along X, which repeats the outermost.

    ``soft[i]`` is the plane i, modulo their number.
    """
    planes, rows, nx = soft.shape
    flat = soft.reshape(-1)
    starts = np.empty(2 * len(weights) - 1, np.int64)
    for y in range(rows):
        for k in range(len(starts)):
            starts[k] = ((mirror[z + k] % planes) * rows + y) * nx
        line = out[y]
        weigh(flat, starts, weights, line[1 : nx + 1])
        line[0], line[nx + 1] = line[1], line[nx]


@_PART
def steep_gradients(
    near: tuple[Floats, Floats, Floats], y0: int, y1: int, ny: int, sobel: Floats, scale: Floats,
    least: float, low: float, best: float, out: Floats, where: Integers, slope: Floats,
    lines: tuple[NDArray[Any], ...],
) -> tuple[int, float]:  # fmt: skip
    """Gradient magnitude of the rows `y0` to `y1` and of a margin, and a list of the steep.

    `near` are the smooth planes before, at and after this one, from row ``max(y0 - 2, 0)`` on.
    Beyond the edges of the volume the outermost magnitudes repeat. ``where`` is given the places
    in `out` at which the magnitude reaches `least` and the fraction `low` of `best`, the largest
    finite one so far, and ``slope`` the gradient there. Returns their number, and `best`.
    """
    first, nx, count = max(y0 - 2, 0), out.shape[1] - 2, 0
    rows, parts, steep, packed = lines
    gz, gy, gx = parts[0], parts[1], parts[2]
    for y in range(max(y0 - 1, 0), min(y1 + 1, ny)):
        line = out[y - y0 + 1]
        inner = line[1 : nx + 1]
        above, below = max(y - 1, 0) - first, min(y + 1, ny - 1) - first
        gradients(near, above, y - first, below, sobel, scale, rows, parts, inner)
        line[0], line[nx + 1] = line[1], line[nx]
        if not y0 <= y < y1:
            continue
        floor = max(least, out.dtype.type(low * best))
        for x in range(nx):
            steep[x] = inner[x] >= floor
        begin = (y - y0 + 1) * (nx + 2) + 1
        for w in range(len(packed)):
            if packed[w] == 0:  # most hold nothing
                continue
            for x in range(8 * w, 8 * w + 8):  # without a branch, since noise defies prediction
                where[count] = begin + x
                slope[0, count], slope[1, count], slope[2, count] = gz[x], gy[x], gx[x]
                count += steep[x]
            for x in range(8 * w, min(8 * w + 8, nx)):
                best = inner[x] if best < inner[x] < np.inf else best
    top, bottom = 1 if y0 == 0 else 0, y1 - y0 if y1 == ny else y1 - y0 + 1
    for x in range(nx + 2):  # in loops, since assigning rows takes a second to compile
        out[0, x], out[y1 - y0 + 1, x] = out[top, x], out[bottom, x]
    return count, best


@_PART
def gradients(
    near: tuple[Floats, Floats, Floats], above: int, here: int, below: int, sobel: Floats,
    scale: Floats, rows: Floats, parts: Floats, line: Floats,
) -> None:  # fmt: skip
    """The gradient of a row: its components into `parts`, its magnitude into `line`.

    By the sums of `gradient_kernels.components`, of rows that have their margin.
    """
    a, b = sobel[0], sobel[1]
    sz, sy, sx = scale[0], scale[1], scale[2]
    u0, u1, u2 = near[0][above], near[0][here], near[0][below]
    m0, m1, m2 = near[1][above], near[1][here], near[1][below]
    d0, d1, d2 = near[2][above], near[2][here], near[2][below]
    dz, dy, s = rows[0], rows[1], rows[2]
    for x in range(len(line) + 2):
        p0 = a * (u0[x] + d0[x]) + b * m0[x]
        p1 = a * (u1[x] + d1[x]) + b * m1[x]
        p2 = a * (u2[x] + d2[x]) + b * m2[x]
        s[x] = a * (p0 + p2) + b * p1
        dy[x] = p2 - p0
        dz[x] = a * ((d0[x] - u0[x]) + (d2[x] - u2[x])) + b * (d1[x] - u1[x])
    gz, gy, gx = parts[0], parts[1], parts[2]
    for x in range(len(line)):
        z = (a * (dz[x] + dz[x + 2]) + b * dz[x + 1]) * sz
        y = (a * (dy[x] + dy[x + 2]) + b * dy[x + 1]) * sy
        h = (s[x + 2] - s[x]) * sx
        line[x] = np.sqrt(z * z + y * y + h * h)
        gz[x], gy[x], gx[x] = z, y, h


@_PART
def local_maxima(
    strength: Floats,
    levels: tuple[int, int, int],
    where: Integers,
    slope: Floats,
    step: Floats,
    indices: Integers,
    magnitudes: Floats,
) -> int:
    """Of the places `where` in a plane, those at which the gradient is largest along itself.

    The magnitude is interpolated linearly where the gradient's direction leaves the cube of the 26
    neighbours, on either side; ``levels`` are the planes of `strength` before, at and after.
    Returns how many there are.
    """
    flat, width = strength.reshape(-1), strength.shape[2]
    size = strength.shape[1] * width
    base = levels[1] * size
    off, on = levels[0] * size - base, levels[2] * size - base
    sz, sy, sx = step[0], step[1], step[2]
    one, count = flat.dtype.type(1), 0
    for k in range(len(where)):  # without a branch, since directions defy prediction
        i = base + where[k]
        m = flat[i]
        dz, dy, dx = slope[0, k] * sz, slope[1, k] * sy, slope[2, k] * sx
        az, ay, ax = abs(dz), abs(dy), abs(dx)
        z, back = (on, off) if dz > 0 else (off, on)
        y = width if dy > 0 else -width
        x = 1 if dx > 0 else -1
        by_z = (az >= ay) & (az >= ax)  # the direction leaves through the face across Z
        by_y = (ay >= ax) & (not by_z)
        most = max(az, ay, ax)
        a, d = (z, back) if by_z else ((y, -y) if by_y else (x, -x))
        b, e, u = (z, back, az / most) if by_y else (y, -y, ay / most)
        c, f, v = (x, -x, ax / most) if by_z | by_y else (z, back, az / most)
        p, q = one - u, one - v
        ahead = p * (q * flat[i + a] + v * flat[i + a + c])
        ahead += u * (q * flat[i + a + b] + v * flat[i + a + b + c])
        behind = p * (q * flat[i + d] + v * flat[i + d + f])
        behind += u * (q * flat[i + d + e] + v * flat[i + d + e + f])
        indices[count], magnitudes[count] = where[k], m
        count += (m > 0) & (m < np.inf) & (not ahead > m) & (not behind > m)
    return count
