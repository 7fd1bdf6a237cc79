"""Which labels of one array belong to which of another: optimal one-to-one assignment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def best_matching(pairs: NDArray[Any], gains: NDArray[np.float64]) -> NDArray[np.int64]:
    """Choose pairs so that each label is in at most one and the sum of gains is largest.

    Parameters
    ----------
    pairs : array (N, 2) of int
        Left and right label of each possible pair, each pair once.
    gains : array (N,)
        What a pair brings, above 0.

    Returns
    -------
    array (K,)
        Indices of the chosen pairs, rising. Groups of labels that are connected by pairs are
        solved one by one (with the Hungarian method), so many small groups take little time.

    Examples
    --------
    >>> best_matching(np.array([[1, 1], [1, 2], [2, 1]]), np.array([0.9, 0.8, 0.7])).tolist()
    [1, 2]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return np.empty(0, np.int64)
    left, a = np.unique(pairs[:, 0], return_inverse=True)
    right, b = np.unique(pairs[:, 1], return_inverse=True)
    nodes = len(left) + len(right)
    graph = coo_array((np.ones(len(pairs), bool), (a, b + len(left))), shape=(nodes, nodes))
    _, group = connected_components(graph, directed=False)
    order = np.argsort(group[a], kind="stable")
    starts = np.flatnonzero(np.diff(group[a][order], prepend=-1))
    groups = np.split(order, starts[1:])
    chosen = [
        own if len(own) == 1 else own[_assigned(a[own], b[own], gains[own])] for own in groups
    ]
    return np.sort(np.concatenate(chosen))


def _assigned(a: NDArray[Any], b: NDArray[Any], gains: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the chosen ones of a few pairs."""
    from scipy.optimize import linear_sum_assignment

    rows, i = np.unique(a, return_inverse=True)
    columns, j = np.unique(b, return_inverse=True)
    table = np.zeros((len(rows), len(columns)))
    table[i, j] = gains
    which = np.full(table.shape, -1)
    which[i, j] = np.arange(len(a))
    assigned = which[linear_sum_assignment(table, maximize=True)]
    return np.asarray(assigned[assigned >= 0])
