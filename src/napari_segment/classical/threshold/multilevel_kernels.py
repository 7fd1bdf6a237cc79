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
def extend(
    mass: Floats,
    moment: Floats,
    previous: Floats,
    best: Floats,
    first: NDArray[np.int32],
    k: int,
    least: int,
) -> None:
    """From the best cuts of the first 0, 1, … values into k − 1 runs to those into k.

    Only those of the first `least` and more values are found, `least` being k or more. `mass` and
    `moment` are running sums from 0; `first` receives the start of the last run. Halves are solved
    before quarters, so that each end lies between two whose starts are known.
    """
    n = len(mass) - 1
    stack = np.empty((64, 4), np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = least, n, k - 1, n - 1
    depth = 1
    while depth:
        depth -= 1
        low, high, start, stop = stack[depth]
        j = (low + high) // 2
        top, where = -np.inf, start
        for i in range(start, min(stop, j - 1) + 1):
            run = moment[j] - moment[i]
            gain = previous[i] + run * run / (mass[j] - mass[i])
            if gain > top:
                top, where = gain, i
        best[j], first[j] = top, where
        for side in range(2):
            a, b = (j + 1, high) if side == 0 else (low, j - 1)
            if a <= b:
                stack[depth, 0], stack[depth, 1] = a, b
                stack[depth, 2], stack[depth, 3] = (where, stop) if side == 0 else (start, where)
                depth += 1
