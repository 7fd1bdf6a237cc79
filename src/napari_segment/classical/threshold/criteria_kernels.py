"""Kernels of the criteria that are no sums over running sums."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True)
def smooth_to_two_modes(counts: Floats, passes: int) -> tuple[int, int, int]:
    """Running means of three, in place, until at most two modes are left or `passes` are done.

    Returns their number (3 for more than two) and the places of the first two. The last bin is a
    mode where it is needed for two.
    """
    n = len(counts)
    padded = np.empty(n + 2)
    modes, first, second = 3, 0, 0
    for _ in range(passes):
        padded[1:-1] = counts
        padded[0], padded[-1] = counts[0], counts[-1]
        for i in range(n):
            counts[i] = (padded[i] + padded[i + 1] + padded[i + 2]) * (1 / 3)
        modes, first, second, rising = 0, 0, 0, True
        for i in range(n - 1):
            if rising and counts[i + 1] < counts[i]:
                rising = False
                modes += 1
                first = i if modes == 1 else first
                second = i if modes == 2 else second
                if modes > 2:
                    break
            elif not rising and counts[i + 1] > counts[i]:
                rising = True
        if modes < 3:
            break
    return (2, first, n - 1) if modes == 1 and rising else (modes, first, second)


@njit(cache=True, nogil=True)
def fuzziness(counts: Floats, k: int, below: int, above: int, entropy: Floats) -> float:
    """Entropy of belonging to the classes 0…k and k + 1…, given the places of their means."""
    total = 0.0
    for i in range(k + 1):
        total += entropy[abs(i - below)] * counts[i]
    for i in range(k + 1, len(counts)):
        total += entropy[abs(i - above)] * counts[i]
    return total


@njit(cache=True, nogil=True)
def imbalance(p: Floats, below: Floats, above: Floats, k: int) -> float:
    """Difference of information between the fuzzy classes 0…k and k + 1…"""
    half_below, half_above = 0.5 / below[k], 0.5 / above[k]
    dark, bright = 0.0, 0.0
    for i in range(1, k + 1):
        if p[i] > 0:
            dark -= p[i] * np.log(1 - half_below * below[i - 1])
    for i in range(k + 1, len(p)):
        if p[i] > 0:
            bright -= p[i] * np.log(1 - half_above * above[i])
    difference: float = abs(half_below * dark - half_above * bright)
    return difference
