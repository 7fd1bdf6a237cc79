"""Exact optimal grouping of sorted weighted values: multi-Otsu and k-means in one dimension.

Both ask for the cut of a histogram into k runs with the least variance within them. The cost of a
run fulfils the quadrangle inequality, so the best start of the last run never moves left when the
end moves right, and each row of the dynamic programme is solved by divide and conquer in
O(n log n) instead of O(n²).

References
----------
Luessi M. et al. (2009) Framework for efficient optimal multilevel image thresholding. Journal of
Electronic Imaging 18:013004. :doi:`10.1117/1.3073891`
Wang H., Song M. (2011) Ckmeans.1d.dp. The R Journal 3:29–33. :doi:`10.32614/RJ-2011-015`
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True)
def cuts(values: Floats, weights: Floats, groups: int) -> tuple[NDArray[np.int64], Floats]:
    """Cut sorted values into runs of least squared distance to the runs' means.

    Parameters
    ----------
    values : array (N,)
        Sorted, different; best near zero (less the mean), for precision.
    weights : array (N,)
        Positive.
    groups : int
        Greatest number of runs, at most N.

    Returns
    -------
    starts : array of int64 (groups + 1, groups + 1)
        Row k holds the first index of each of k runs, and N after the last.
    gains : array (groups + 1,)
        Of the best k runs: the sum over runs of (weighted sum)² / weight, which is the total
        squared distance from zero less that from the runs' means.
    """
    n = len(values)
    mass, moment = np.zeros(n + 1), np.zeros(n + 1)
    for i in range(n):
        mass[i + 1] = mass[i] + weights[i]
        moment[i + 1] = moment[i] + weights[i] * values[i]
    best = np.full((groups + 1, n + 1), -np.inf)
    first = np.zeros((groups + 1, n + 1), np.int32)
    for j in range(1, n + 1):
        best[1, j] = moment[j] ** 2 / mass[j]
    for k in range(2, groups + 1):
        fill_row(mass, moment, best[k - 1], best[k], first[k], k)
    starts = np.zeros((groups + 1, groups + 1), np.int64)
    for k in range(1, groups + 1):
        end = n
        starts[k, k] = n
        for run in range(k, 1, -1):
            end = first[run, end]
            starts[k, run - 1] = end
    return starts, best[:, n].copy()


@njit(cache=True, nogil=True)
def fill_row(
    mass: Floats,
    moment: Floats,
    previous: Floats,
    best: Floats,
    first: NDArray[np.int32],
    k: int,
) -> None:
    """One more run: the best start of the last one for every end, halves before quarters."""
    n = len(mass) - 1
    stack = np.empty((64, 4), np.int64)
    stack[0] = k, n, k - 1, n - 1
    depth = 1
    while depth:
        depth -= 1
        low, high, start, stop = stack[depth]
        j = (low + high) // 2
        top, where = -np.inf, start
        for i in range(max(start, k - 1), min(stop, j - 1) + 1):
            gain = previous[i] + (moment[j] - moment[i]) ** 2 / (mass[j] - mass[i])
            if gain > top:
                top, where = gain, i
        best[j], first[j] = top, where
        if j < high:
            stack[depth] = j + 1, high, where, stop
            depth += 1
        if low < j:
            stack[depth] = low, j - 1, start, where
            depth += 1
