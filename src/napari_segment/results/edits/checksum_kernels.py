"""Compiled sums over the voxels of labels."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def mixed(position: np.uint64, value: np.uint64) -> np.uint64:
    """A number that depends on every bit of a position and a value (splitmix64, twice)."""
    z = position * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x632BE59BD9B4E019)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = (z ^ (z >> np.uint64(31))) + value * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def summed(values: NDArray[Any], first: int) -> np.uint64:
    """The sum over voxels that are not 0, the first of which has a given position."""
    total = np.uint64(0)
    for i in range(values.size):
        if values[i] != 0:
            total += mixed(np.uint64(first + i), np.uint64(np.int64(values[i])))
    return total


@njit(cache=True, nogil=True)
def difference(
    positions: NDArray[np.int64], before: NDArray[Any], after: NDArray[Any]
) -> np.uint64:
    """What a change of some voxels adds to the sum."""
    total = np.uint64(0)
    for i in range(positions.size):
        p = np.uint64(positions[i])
        if after[i] != 0:
            total += mixed(p, np.uint64(np.int64(after[i])))
        if before[i] != 0:
            total -= mixed(p, np.uint64(np.int64(before[i])))
    return total
