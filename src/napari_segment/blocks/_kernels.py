"""Compiled loops over labels."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def count(labels: NDArray[Any], largest: int) -> NDArray[np.int64]:
    """How often each of 0 … largest occurs."""
    counts = np.zeros(largest + 1, np.int64)
    for i in range(labels.size):
        counts[labels[i]] += 1
    return counts


@njit(cache=True, nogil=True)
def look_up(table: NDArray[Any], labels: NDArray[Any], out: NDArray[Any]) -> None:
    """The table's entry for each label; the last for labels beyond it."""
    last = table.size - 1
    for i in range(labels.size):
        out[i] = table[min(labels[i], last)]


@njit(cache=True, nogil=True)
def bound(labels: NDArray[Any]) -> tuple[int, NDArray[np.int64]]:
    """The least label but 0, and the bounding boxes of the labels from there on, (N, 3, 2).

    The boxes of labels that do not occur end at 0.
    """
    flat = labels.ravel()
    low, high = np.iinfo(np.int64).max, 0
    for i in range(flat.size):
        value = int(flat[i])
        high = max(high, value)
        if value:
            low = min(low, value)
    boxes = np.zeros((max(high - low + 1, 0), 3, 2), np.int64)
    boxes[:, :, 0] = np.iinfo(np.int64).max
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            for x in range(labels.shape[2]):
                if labels[z, y, x]:
                    box = boxes[int(labels[z, y, x]) - low]
                    box[0, 0], box[0, 1] = min(box[0, 0], z), z + 1
                    box[1, 0], box[1, 1] = min(box[1, 0], y), max(box[1, 1], y + 1)
                    box[2, 0], box[2, 1] = min(box[2, 0], x), max(box[2, 1], x + 1)
    return low, boxes
