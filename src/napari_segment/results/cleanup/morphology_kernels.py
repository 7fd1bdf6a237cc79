"""Kernels of morphology: nearest labels along an axis, and the most frequent label."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def nearest_along(near: Array, label: Array, limit: float, squares: Array) -> None:
    """Bring the nearest label along the last axis, in place; the smallest of equally near ones.

    Parameters
    ----------
    near : array (A, B, N) of float64
        Squared distance to the nearest label found so far; infinite where there is none.
    label : array (A, B, N)
        That label, or 0.
    limit : float
        The largest squared distance of interest.
    squares : array (R + 1,)
        Squared distance of 0, 1, … R voxels along this axis.

    Notes
    -----
    The smallest (distance, label) is found axis by axis. All distances are sums of the same few
    numbers, so equal distances are equal to the last bit wherever in an array they occur.
    """
    n, reach = near.shape[2], squares.size - 1
    distance = np.empty(n, near.dtype)
    value = np.empty(n, label.dtype)
    for i in range(near.shape[0]):
        for j in range(near.shape[1]):
            for x in range(n):
                distance[x], value[x] = near[i, j, x], label[i, j, x]
            for x in range(n):
                best, owner = distance[x], value[x]
                for w in range(max(0, x - reach), min(n, x + reach + 1)):
                    if value[w]:
                        d = distance[w] + squares[abs(w - x)]
                        if d <= limit and (d < best or (d == best and value[w] < owner)):
                            best, owner = d, value[w]
                near[i, j, x], label[i, j, x] = best, owner


@njit(cache=True, nogil=True)
def majority(labels: Array, offsets: Array) -> Array:
    """Return the most frequent value around each voxel; of equals its own, else the smallest.

    Parameters
    ----------
    labels : array (Z, Y, X)
    offsets : array (N, 3) of int
        The neighbourhood, with (0, 0, 0) in it.
    """
    nz, ny, nx = labels.shape
    out = np.empty_like(labels)
    values = np.empty(len(offsets), labels.dtype)
    times = np.empty(len(offsets), np.int64)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                kinds = 1
                values[0], times[0] = labels[z, y, x], 0
                for k in range(len(offsets)):
                    u, v, w = z + offsets[k, 0], y + offsets[k, 1], x + offsets[k, 2]
                    if 0 <= u < nz and 0 <= v < ny and 0 <= w < nx:
                        i = 0
                        while i < kinds and values[i] != labels[u, v, w]:
                            i += 1
                        if i == kinds:
                            values[i], times[i] = labels[u, v, w], 0
                            kinds += 1
                        times[i] += 1
                best = 0
                for i in range(1, kinds):
                    if times[i] > times[best] or (
                        best and times[i] == times[best] and values[i] < values[best]
                    ):
                        best = i
                out[z, y, x] = values[best]
    return out
