"""Compiled loops over labels."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def number_by_first(labels: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Number labels 1 … count anew by first voxel, in place; the flat index of each first voxel."""
    number = np.zeros(count + 1, labels.dtype)
    first = np.empty(count, np.int64)
    known = 0
    for i in range(labels.size):
        label = labels[i]
        if label:
            if number[label] == 0:
                first[known] = i
                known += 1
                number[label] = known
            labels[i] = number[label]
    return first


@njit(cache=True, nogil=True)
def first_in_order(labels: NDArray[Any], count: int) -> NDArray[np.int64]:
    """The flat index of each label's first voxel, if they come in the order 1 … count; else []."""
    first = np.empty(count, np.int64)
    known = 0
    for i in range(labels.size):
        if labels[i] > known:
            if labels[i] > known + 1:
                return first[:0]
            first[known] = i
            known += 1
    return first


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
