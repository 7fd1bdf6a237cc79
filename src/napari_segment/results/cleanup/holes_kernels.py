"""Kernel that finds the label around each region of background."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def owners(starts: Array, ends: Array, root: int, value: Array) -> Array:
    """Return the innermost label that encloses each region: that separates it from the outside.

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
