"""Compiled loops of the measurements; labels come as dense numbers 1 … n of type int32."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

_STRETCH = 1024  # voxels that are looked at together


@njit(cache=True, nogil=True)
def _blank(row: Array) -> bool:
    """Return whether there is only background, many voxels at a time."""
    some = np.int32(0)
    for i in range(row.size):
        some |= row[i]
    return bool(some == 0)


@njit(cache=True, nogil=True)
def moments(labels: Array, start: Array, own: Array, n: int) -> tuple[Array, Array, Array]:
    """Sum the extent and moments of each label, run by run.

    Parameters
    ----------
    labels : array (Z, Y, X) of int32
    start : array (3,)
        Index of ``labels[0, 0, 0]`` in the whole array.
    own : array (3,)
        First voxel along each axis that counts; those before belong to another block.
    n : int
        The largest label.

    Returns
    -------
    sums : array (n, 10) of int64
        Number of voxels, sums of z, y, x, zz, yy, xx, zy, zx, yx.
    low, high : array (n, 3) of int64
        The smallest and the largest index along each axis.
    """
    sums = np.zeros((n + 1, 10), np.int64)
    low = np.full((n + 1, 3), np.iinfo(np.int64).max, np.int64)
    high = np.full((n + 1, 3), -1, np.int64)
    nz, ny, nx = labels.shape
    for k in range(own[0], nz):
        z = start[0] + k
        for j in range(own[1], ny):
            y = start[1] + j
            i = nx if _blank(labels[k, j]) else own[2]
            while i < nx:
                label = labels[k, j, i]
                begin = i
                while i < nx and labels[k, j, i] == label:
                    i += 1
                if label == 0:
                    continue
                a, b = start[2] + begin, start[2] + i - 1
                m = b - a + 1
                x = (a + b) * m // 2
                xx = (b * (b + 1) * (2 * b + 1) - (a - 1) * a * (2 * a - 1)) // 6
                s = sums[label]
                s[0] += m
                s[1] += m * z
                s[2] += m * y
                s[3] += x
                s[4] += m * z * z
                s[5] += m * y * y
                s[6] += xx
                s[7] += m * z * y
                s[8] += x * z
                s[9] += x * y
                lo, hi = low[label], high[label]
                lo[0], hi[0] = min(lo[0], z), max(hi[0], z)
                lo[1], hi[1] = min(lo[1], y), max(hi[1], y)
                lo[2], hi[2] = min(lo[2], a), max(hi[2], b)
    return sums[1:], low[1:], high[1:]


@njit(cache=True, nogil=True)
def windows(labels: Array, own: Array, end: Array, flat: bool, weights: Array, n: int) -> Array:
    """Sum over all 2×2×2 windows (2×2 where flat) a weight of each label's pattern in them.

    Parameters
    ----------
    labels : array (Z, Y, X) of int32
    own : array (3,)
        First voxel along each axis that counts; a window belongs to its last corner.
    end : array (3,)
        1 along each axis where the array ends with `labels`: windows then reach beyond.
    flat : bool
        Whether there is no Z.
    weights : array (256, K) of float
        By pattern: bit 4 dz + 2 dy + dx is set where the label is.
    n : int
        The largest label.

    Returns
    -------
    array (n, K)
        The sums; outside of the array is background.
    """
    total = np.zeros((n + 1, weights.shape[1]), np.float64)
    nz, ny, nx = labels.shape
    nothing = np.zeros(nx, labels.dtype)
    corner = np.zeros(8, np.int32)
    for z in range(own[0], nz if flat else nz + end[0]):
        for y in range(own[1], ny + end[1]):
            above, front = z > 0 and not flat, y > 0
            a = labels[z - 1, y - 1] if above and front else nothing
            b = labels[z - 1, y] if above and y < ny else nothing
            c = labels[z, y - 1] if z < nz and front else nothing
            d = labels[z, y] if z < nz and y < ny else nothing
            if _blank(d) and _blank(c) and _blank(b) and _blank(a):
                continue
            if flat:
                a, b = c, d  # two equal layers
            uniform = np.int32(0 if own[2] == 0 else -1)
            for x in range(own[2], nx + end[2]):
                if x < nx:
                    v = d[x]
                    if v == uniform and c[x] == v and b[x] == v and a[x] == v:
                        continue  # most windows
                    same = c[x] == v and b[x] == v and a[x] == v
                else:
                    v, same = np.int32(0), True
                    if uniform == 0:
                        continue
                uniform = v if same else np.int32(-1)
                for k in range(2):
                    i = x - 1 + k
                    inside = 0 <= i < nx
                    corner[k] = a[i] if inside and not flat else 0
                    corner[2 + k] = b[i] if inside and not flat else 0
                    corner[4 + k] = c[i] if inside else 0
                    corner[6 + k] = d[i] if inside else 0
                for k in range(8):
                    label = corner[k]
                    if label == 0:
                        continue
                    code = 0
                    known = False
                    for m in range(8):
                        if corner[m] == label:
                            known = known or m < k
                            code |= 1 << m
                    if not known:
                        for w in range(weights.shape[1]):
                            total[label, w] += weights[code, w]
    return total[1:]


@njit(cache=True, nogil=True)
def intensities(labels: Array, image: Array, n: int) -> tuple[Array, Array, Array]:
    """Compute the sum, smallest and largest intensity of each label."""
    total = np.zeros(n + 1, np.float64)
    low = np.full(n + 1, np.inf, np.float64)
    high = np.full(n + 1, -np.inf, np.float64)
    for start in range(0, labels.size, _STRETCH):
        stop = min(start + _STRETCH, labels.size)
        if _blank(labels[start:stop]):
            continue
        for i in range(start, stop):
            label = labels[i]
            if label:
                value = float(image[i])
                total[label] += value
                if not value >= low[label]:  # NaN spreads
                    low[label] = value if value == value and low[label] == low[label] else np.nan
                if not value <= high[label]:
                    high[label] = value if value == value and high[label] == high[label] else np.nan
    return total[1:], low[1:], high[1:]


@njit(cache=True, nogil=True)
def central(labels: Array, image: Array, start: Array, mean: Array, n: int) -> Array:
    """Compute central power sums 2, 3, 4 of each label's intensities, and of intensity × index.

    Parameters
    ----------
    labels, image : array (Z, Y, X)
    start : array (3,)
        Index of ``labels[0, 0, 0]`` in the whole array.
    mean : array (n + 1,)
        Mean intensity of each label.
    n : int
        The largest label.

    Returns
    -------
    array (n, 6)
    """
    total = np.zeros((n + 1, 6), np.float64)
    nz, ny, nx = labels.shape
    for z in range(nz):
        for y in range(ny):
            if _blank(labels[z, y]):
                continue
            for x in range(nx):
                label = labels[z, y, x]
                if label:
                    value = float(image[z, y, x])
                    d = value - mean[label]
                    t = total[label]
                    t[0] += d * d
                    t[1] += d * d * d
                    t[2] += d * d * d * d
                    t[3] += value * (start[0] + z)
                    t[4] += value * (start[1] + y)
                    t[5] += value * (start[2] + x)
    return total[1:]


@njit(cache=True, nogil=True)
def textures(labels: Array, levels: Array, own: Array, pairs: Array, n: int) -> Array:
    """Sum over pairs of neighbours within each label functions of their grey levels i and j.

    Parameters
    ----------
    labels : array (Z, Y, X) of int32
    levels : array (Z, Y, X) of uint8
    own : array (3,)
        First voxel along each axis that counts; a pair belongs to its largest indices.
    pairs : array (P, 2)
        Corners ``4 dz + 2 dy + dx`` of a window of 2×2×2 voxels; 7 is its last.
    n : int
        The largest label.

    Returns
    -------
    array (n, 6)
        Number of pairs, sums of abs(i − j), (i − j)², 1 / (1 + (i − j)²), i + j, i² + j².
    """
    total = np.zeros((n + 1, 6), np.float64)
    inverse = 1 / (1 + np.arange(256.0) ** 2)
    nz, ny, nx = labels.shape
    label = np.zeros(8, np.int32)
    level = np.zeros(8, np.int64)
    for z in range(own[0], nz):
        for y in range(own[1], ny):
            for x in range(own[2], nx):
                some = False
                for k in range(8):
                    a, b, c = z - 1 + (k >> 2), y - 1 + (k >> 1 & 1), x - 1 + (k & 1)
                    label[k] = labels[a, b, c] if min(a, b, c) >= 0 else 0
                    some = some or label[k] > 0
                if not some:
                    continue
                for k in range(8):
                    if label[k]:
                        level[k] = levels[z - 1 + (k >> 2), y - 1 + (k >> 1 & 1), x - 1 + (k & 1)]
                for p in range(len(pairs)):
                    k, m = pairs[p, 0], pairs[p, 1]
                    if label[k] and label[k] == label[m]:
                        i, j = level[k], level[m]
                        d = abs(i - j)
                        t = total[label[k]]
                        t[0] += 1
                        t[1] += d
                        t[2] += d * d
                        t[3] += inverse[d]
                        t[4] += i + j
                        t[5] += i * i + j * j
    return total[1:]
