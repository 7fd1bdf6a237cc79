"""Kernel of the Gaussian mixture: the likeliest component of each voxel."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@njit(cache=True, nogil=True)
def likeliest(
    codes: NDArray[np.uint16],
    weights: Floats,
    means: Floats,
    whiten: Floats,
    constants: Floats,
    clusters: NDArray[np.uint8],
) -> None:
    """Number each column of codes (D, N) by the component (K) of the greatest density.

    The logarithm of a density is its constant less half the squared length of the whitened
    (K, D, D, lower triangles) distance from its mean (K, D).
    """
    depth, n = codes.shape
    for i in range(n):
        best = -np.inf
        for k in range(len(means)):
            length = 0.0
            for d in range(depth):
                part = 0.0
                for e in range(d + 1):
                    part += whiten[k, d, e] * (weights[e] * codes[e, i] - means[k, e])
                length += part * part
            density = constants[k] - 0.5 * length
            if density > best:
                best = density
                clusters[i] = k
