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
