"""Compiled loops over labels."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def count(labels: NDArray[Any], largest: int) -> NDArray[np.int64]:
    """How often each of 0 … largest occurs, counted run by run."""
    counts = np.zeros(largest + 1, np.int64)
    begin = 0
    for i in range(1, labels.size):
        if labels[i] != labels[i - 1]:
            counts[labels[begin]] += i - begin
            begin = i
    if labels.size:
        counts[labels[begin]] += labels.size - begin
    return counts


@njit(cache=True, nogil=True)
def look_up(table: NDArray[Any], labels: NDArray[Any], out: NDArray[Any]) -> None:
    """The table's entry for each label; the last for negative labels and those beyond it."""
    last = np.uint64(table.size - 1)
    for i in range(labels.size):
        out[i] = table[min(np.uint64(labels[i]), last)]


@njit(cache=True, nogil=True)
def extent(labels: NDArray[Any]) -> tuple[int, int]:
    """The least label but 0, and the largest; 1 and 0 if there is none."""
    low, high = 0, 0
    for i in range(labels.size):
        value = int(labels[i])
        high = max(high, value)
        if value and (value < low or low == 0):
            low = value
    return max(low, 1), high


@njit(cache=True, nogil=True)
def bound(labels: NDArray[Any], low: int, boxes: NDArray[np.int64]) -> None:
    """Widen the bounding boxes (N, 3, 2) of the labels from `low` on, row by row."""
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            for x in range(labels.shape[2]):
                if labels[z, y, x]:
                    i = int(labels[z, y, x]) - low
                    boxes[i, 0, 0], boxes[i, 0, 1] = min(boxes[i, 0, 0], z), z + 1
                    boxes[i, 1, 0], boxes[i, 1, 1] = (
                        min(boxes[i, 1, 0], y),
                        max(boxes[i, 1, 1], y + 1),
                    )
                    boxes[i, 2, 0], boxes[i, 2, 1] = (
                        min(boxes[i, 2, 0], x),
                        max(boxes[i, 2, 1], x + 1),
                    )
