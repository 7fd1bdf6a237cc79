"""Compiled loops of the cleanups."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def _root(parent: Array, i: int) -> Any:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def _by_level(levels: Array) -> Array:
    """Flat indices of all voxels above level 0, highest first (a counting sort, stable)."""
    counts = np.zeros(levels.max() + 2, np.int64)
    for i in range(levels.size):
        counts[levels[i]] += 1
    top = counts.size - 2
    starts = np.zeros(top + 2, np.int64)
    total = 0
    for level in range(top, 0, -1):
        starts[level] = total
        total += counts[level]
    order = np.empty(total, np.int64)
    for i in range(levels.size):
        level = levels[i]
        if level > 0:
            order[starts[level]] = i
            starts[level] += 1
    return order


@njit(cache=True, nogil=True)
def _meet(
    parent: Array, peaks: Array, a: int, b: int, level: int, depth: float, share: float
) -> Any:
    """Join two basins that meet at a level unless the lower peak stands out; return a's root."""
    a, b = _root(parent, a), _root(parent, b)
    if a == b:
        return a
    if peaks[a] < peaks[b] or (peaks[a] == peaks[b] and a > b):
        a, b = b, a
    rise = peaks[b] - level
    if rise < depth or rise < share * peaks[b]:
        parent[b] = a
        return a
    return _root(parent, b)


@njit(cache=True, nogil=True)
def split(labels: Array, levels: Array, depth: float, share: float) -> tuple[Array, int]:
    """Watershed of a landscape from its peaks down, joining peaks that hardly stand out.

    Parameters
    ----------
    labels : array (Z, Y, X)
        Water flows between voxels of equal, non-zero value only.
    levels : array (Z, Y, X) of int32
        The landscape; at least 1 where `labels` is not 0, and 0 elsewhere.
    depth, share : float
        A peak remains if it rises above the pass to a higher one by at least `depth` and by
        at least `share` of its own height.

    Returns
    -------
    basins : array (Z, Y, X) of int32
        Numbered by first voxel.
    count : int
    """
    nz, ny, nx = levels.shape
    height, value = levels.ravel(), labels.ravel()
    order = _by_level(height)
    basin = np.zeros(height.size, np.int32)
    queue = np.empty(order.size, np.int64)
    parent = np.zeros(1024, np.int32)
    peaks = np.zeros(1024, np.int32)
    steps = np.array((-ny * nx, -nx, -1, 1, nx, ny * nx))
    count = 0
    start = 0
    while start < order.size:
        level = height[order[start]]
        end = start
        head = tail = 0
        while end < order.size and height[order[end]] == level:
            v = order[end]
            end += 1
            x, y, z = v % nx, (v // nx) % ny, v // (nx * ny)
            open_ = (z > 0, y > 0, x > 0, x < nx - 1, y < ny - 1, z < nz - 1)
            best = 0
            for k in range(6):
                if open_[k]:
                    w = v + steps[k]
                    above = level if best == 0 else height[best - 1]
                    if value[w] == value[v] and height[w] > above:
                        best = w + 1
            if best:
                basin[v] = basin[best - 1]
                queue[tail] = v
                tail += 1
        fresh = start
        while True:
            while head < tail:  # spread over the plateau, first come first served
                v = queue[head]
                head += 1
                x, y, z = v % nx, (v // nx) % ny, v // (nx * ny)
                open_ = (z > 0, y > 0, x > 0, x < nx - 1, y < ny - 1, z < nz - 1)
                for k in range(6):
                    if open_[k]:
                        w = v + steps[k]
                        if value[w] != value[v]:
                            continue
                        if basin[w]:
                            if basin[w] != basin[v]:
                                _meet(parent, peaks, basin[w], basin[v], level, depth, share)
                        elif height[w] == level:
                            basin[w] = basin[v]
                            queue[tail] = w
                            tail += 1
            while fresh < end and basin[order[fresh]]:
                fresh += 1
            if fresh == end:
                break
            count += 1
            if count >= parent.size:
                parent = np.append(parent, np.zeros(parent.size, np.int32))
                peaks = np.append(peaks, np.zeros(peaks.size, np.int32))
            parent[count] = count
            peaks[count] = level
            basin[order[fresh]] = count
            queue[tail] = order[fresh]
            tail += 1
        start = end
    number = np.zeros(count + 1, np.int32)
    kept = 0
    for i in range(basin.size):
        if basin[i]:
            root = _root(parent, basin[i])
            if number[root] == 0:
                kept += 1
                number[root] = kept
            basin[i] = number[root]
    return basin.reshape(levels.shape), kept


@njit(cache=True, nogil=True)
def owners(starts: Array, ends: Array, root: int, value: Array) -> Array:
    """The innermost label that encloses each region: that separates it from the outside.

    Parameters
    ----------
    starts, ends : array
        The graph of touching regions: neighbours of i are ``ends[starts[i]:starts[i + 1]]``.
    root : int
        The outside.
    value : array (N,)
        Label of each region; 0 for background.

    Returns
    -------
    array (N,)
        The enclosing label, 0 for none. In the depth-first tree from the outside, a region's
        innermost cut vertex is its parent if no later region reaches above the parent, else that
        of its parent (Hopcroft & Tarjan 1973, doi:10.1145/362248.362272).
    """
    n = value.size
    seen = np.full(n, -1, np.int64)  # number in order of visit
    low = np.empty(n, np.int64)
    parent = np.full(n, -1, np.int64)
    visited = np.empty(n, np.int64)
    following = starts[:-1].copy()
    seen[root] = low[root] = 0
    visited[0] = root
    count = 1
    v = root
    while v >= 0:
        if following[v] < starts[v + 1]:
            w = ends[following[v]]
            following[v] += 1
            if seen[w] < 0:
                seen[w] = low[w] = count
                visited[count] = w
                parent[w] = v
                count += 1
                v = w
            elif w != parent[v]:
                low[v] = min(low[v], seen[w])
        else:
            p = parent[v]
            if p >= 0:
                low[p] = min(low[p], low[v])
            v = p
    gate = np.full(n, -1, np.int64)
    owner = np.zeros(n, value.dtype)
    gate[root] = root
    for k in range(1, count):
        v = visited[k]
        p = parent[v]
        gate[v] = p if low[v] >= seen[p] else gate[p]
        owner[v] = value[gate[v]] if value[gate[v]] else owner[gate[v]]
    return owner


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
    """The most frequent value around each voxel; of equals its own, else the smallest.

    Parameters
    ----------
    labels : array (Z, Y, X)
    offsets : array (N, 3) of int
        The neighbourhood, with (0, 0, 0) in it.
    """
    nz, ny, nx = labels.shape
    out = np.empty_like(labels)
    found = np.empty(len(offsets), labels.dtype)
    times = np.empty(len(offsets), np.int64)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                kinds = 1
                found[0], times[0] = labels[z, y, x], 0
                for k in range(len(offsets)):
                    u, v, w = z + offsets[k, 0], y + offsets[k, 1], x + offsets[k, 2]
                    if 0 <= u < nz and 0 <= v < ny and 0 <= w < nx:
                        i = 0
                        while i < kinds and found[i] != labels[u, v, w]:
                            i += 1
                        if i == kinds:
                            found[i], times[i] = labels[u, v, w], 0
                            kinds += 1
                        times[i] += 1
                best = 0
                for i in range(1, kinds):
                    if times[i] > times[best] or (
                        best and times[i] == times[best] and found[i] < found[best]
                    ):
                        best = i
                out[z, y, x] = found[best]
    return out
