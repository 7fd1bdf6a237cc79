"""The kernel of decision forests: mean class probabilities of the leaves that samples fall into."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Nodes = NDArray[np.uint32]
Singles = NDArray[np.float32]

BLOCK = 256  # samples that go down a tree together
_FIRST, _NEXT = 8, 3  # levels before those at a leaf are set aside, and between later times


@njit(cache=True, nogil=True, error_model="numpy")
def probabilities(
    table: Singles,
    roots: Nodes,
    feature: Nodes,
    threshold: Singles,
    left: Nodes,
    row: Nodes,
    leaves: Singles,
    out: Singles,
) -> None:
    """Add up the probabilities of all trees, and divide by their number.

    A block of samples goes down a tree level by level, without branches: leaves lead to themselves.
    From time to time those that are at a leaf are set aside. Indices are unsigned, so that no
    negative one has to be looked for.

    Parameters
    ----------
    table : array (N, F) of float32
        Features of samples.
    roots : array (T,) of uint32
        First node of each tree.
    feature, threshold, left : array (M,) of uint32, float32, uint32
        A sample goes to the node `left` where its feature is not above the threshold, else to the
        next one after it.
    row : array (M,) of uint32
        Of a leaf, its row of `leaves`.
    leaves : array (L, K) of float32
        Class probabilities.
    out : array (N, K) of float32
    """
    classes, columns = leaves.shape[1], table.shape[1]
    sums = np.empty((BLOCK, classes), np.float64)
    node, sample, leaf = (
        np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32)
    )  # fmt: skip
    held = np.empty(columns * BLOCK, np.float32)
    for begin in range(0, len(table), BLOCK):
        size = min(BLOCK, len(table) - begin)
        for i in range(BLOCK):
            source = table[begin + min(i, size - 1)]
            for f in range(columns):
                held[f * BLOCK + i] = source[f]
        sums[:] = 0
        for root in roots:
            for i in range(np.uint32(BLOCK)):
                node[i], sample[i] = root, i
            remaining, levels = np.uint32(BLOCK), _FIRST
            while remaining > 0:
                for _ in range(levels):
                    for i in range(remaining):
                        at = node[i]
                        value = held[np.uint32(feature[at] * np.uint32(BLOCK) + sample[i])]
                        node[i] = left[at] + np.uint32(value > threshold[at])
                moving = np.uint32(0)
                for i in range(remaining):
                    at, which = node[i], sample[i]
                    leaf[which], node[moving], sample[moving] = at, at, which
                    moving += np.uint32(left[at] != at)
                remaining, levels = moving, _NEXT
            for i in range(size):
                line = row[leaf[i]]
                for k in range(classes):
                    sums[i, k] += leaves[line, k]
        for i in range(size):
            for k in range(classes):
                out[begin + i, k] = sums[i, k] / len(roots)
